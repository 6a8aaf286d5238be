"""The journal: a file with a line for each change of a study, which several processes may write to."""

import json
import os
from pathlib import Path
from typing import Any

from optuna.storages.journal import JournalFileBackend, JournalStorage

from fashseg.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_LARGEST_LINE = 10_000_000


class HeldByTheSystem:
    """A lock that the system lets go of however its process ends.

    Optuna's own is a file, which a killed process leaves behind: whoever comes next waits for half a minute.

    Args:
        path: of the lock's own file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Any = None

    def acquire(self) -> bool:
        """Wait until no other process has it."""
        file = self.path.open("ab")
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        self._file = file
        return True

    def release(self) -> None:
        """Let go of it."""
        file, self._file = self._file, None
        file.close()


def open_journal(path: Path) -> JournalStorage:
    """The storage of a journal, made where there is none.

    A line whose process or machine stopped while it was written is taken off: nobody has been told that it was kept.

    Raises:
        UserError: the file is no journal.
        OSError: it can't be read or written.
    """
    lock = HeldByTheSystem(path.with_name(f".{path.name}.lock"))
    lock.acquire()
    try:
        with path.open("ab+") as file:
            _check(path, file)
    finally:
        lock.release()
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock if fcntl is not None else None))  # type: ignore[arg-type]


def _check(path: Path, file: Any) -> None:
    file.seek(0)
    end = 0
    for number, line in enumerate(iter(lambda: file.readline(_LARGEST_LINE), b""), start=1):
        whole = line.endswith(b"\n")
        try:
            record = json.loads(line) if whole else None
        except ValueError:
            record = None
        if whole and not (isinstance(record, dict) and "op_code" in record):
            raise UserError(
                f"{path} is damaged, or no journal of a study: line {number} can't be read.",
                "Bring back a copy of it, or choose another hydra.sweeper.study_name or storage.",
            )
        if not whole:
            if number == 1 and not line.startswith(b'{"op_code"'):
                raise UserError(f"{path} is no journal of a study.", "Choose another hydra.sweeper.storage.")
            file.truncate(end)
            os.fsync(file.fileno())
            return
        end += len(line)
