"""The journal: a file with a line for each change of a study, which several processes may write to."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any, BinaryIO

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


class Journal(JournalFileBackend):
    """Optuna's journal, in which no line is ever added to a half one.

    A process or a machine that stopped while it wrote, or a full disk, leaves half a line. Nobody has been told that it
    was kept, so it is taken off.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.held = HeldByTheSystem(path.with_name(f".{path.name}.lock"))
        super().__init__(str(path), lock_obj=self.held)  # type: ignore[arg-type]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add lines, all of them or none."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        self.held.acquire()
        try:
            with self.path.open("rb+") as file:
                end = _end_of_lines(file)
                file.truncate(end)
                file.seek(end)
                try:
                    file.write(lines)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    with contextlib.suppress(OSError):
                        os.ftruncate(file.fileno(), end)
                    raise
        finally:
            self.held.release()


def open_journal(path: Path) -> JournalStorage:
    """The storage of a journal, made where there is none.

    Raises:
        UserError: the file is no journal.
        OSError: it can't be read or written.
    """
    with path.open("ab+") as file:
        file.seek(0)
        for number, line in enumerate(iter(lambda: file.readline(_LARGEST_LINE), b""), start=1):
            if not _is_record(line, path, number):
                break
    return JournalStorage(Journal(path))


def _is_record(line: bytes, path: Path, number: int) -> bool:
    """Whether a line is a whole one; a half one can only be the last."""
    if not line.endswith(b"\n"):
        if number == 1 and not line.startswith(b'{"op_code"'):
            raise UserError(f"{path} is no journal of a study.", "Choose another hydra.sweeper.storage.")
        return False
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict) or "op_code" not in record:
        raise UserError(
            f"{path} is damaged, or no journal of a study: line {number} can't be read.",
            "Bring back a copy of it, or choose another hydra.sweeper.study_name or storage.",
        )
    return True


def _end_of_lines(file: BinaryIO) -> int:
    """Where the last whole line ends, in bytes."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 4096)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
