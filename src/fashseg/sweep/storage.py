"""Where a study is kept, so that it outlives its processes and several can share it: a file, SQLite or PostgreSQL."""

import contextlib
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fashseg.errors import UserError
from fashseg.extras import require
from fashseg.files import in_full, require_writable

JOURNAL = "study.journal"
_POSTGRES = re.compile(r"postgres(?:ql)?(?:\+psycopg)?://")
_KEY = "hydra.sweeper.storage"


def in_full_url(storage: str | None, folder: Path) -> str:
    """The storage as every process finds it, from whichever folder it starts.

    Args:
        storage: as it was given: a file, a URL, or None.
        folder: of the sweep.

    Raises:
        UserError: it is a URL of something else.
    """
    if storage is None:
        return str((folder / JOURNAL).absolute())
    if storage.startswith("sqlite:///") and len(storage) > len("sqlite:///"):
        return f"sqlite:///{in_full(_KEY, storage.removeprefix('sqlite:///')).absolute()}"
    if found := _POSTGRES.match(storage):
        return f"postgresql+psycopg://{storage[found.end() :]}"
    if "://" in storage or not storage:
        raise UserError(
            f"{_KEY}={without_password(storage)} is no storage that fashseg knows.",
            "Give a file, sqlite:///FILE or postgresql://USER@HOST/DATABASE.",
        )
    path = in_full(_KEY, storage).absolute()
    if path.is_dir():
        raise UserError(f"{_KEY}={storage} is a folder.", f"Name a file, such as {path / JOURNAL}.")
    return str(path)


def without_password(url: str) -> str:
    """A URL as it may be shown and kept."""
    shown = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)
    return re.sub(r"(?i)(password=)[^&]*", r"\1***", shown)


class Storage:
    """The storage of a study and its lock.

    Args:
        url: as `in_full_url` gives it.
        study_name: other studies of the storage are left alone.

    Attributes:
        optuna: the storage as Optuna has it.

    Raises:
        UserError: it can't be reached, or is none.
    """

    def __init__(self, url: str, study_name: str) -> None:
        self.url, self.study_name = url, study_name
        self._connection: Any = None
        if "://" in url:
            require(f"{_KEY}={self.shown}", ["sqlalchemy"], "sweep")
        if url.startswith("postgresql"):
            require(f"{_KEY}={self.shown}", ["psycopg"], "postgres")
        try:
            with self.lock():
                self.optuna = _open(url)
        except UserError:
            raise
        except Exception as error:
            raise self.failed(error) from error

    @property
    def shown(self) -> str:
        """The storage as it may be shown."""
        return without_password(self.url)

    def is_of_storage(self, error: BaseException) -> bool:
        """Whether the storage has raised it, which may answer again."""
        package = type(error).__module__.partition(".")[0]
        return package in ("sqlalchemy", "psycopg") or type(error).__name__ == "StorageInternalError"

    def failed(self, error: BaseException) -> UserError:
        """An error of the storage as one of ours; no password is in it."""
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0] or type(error).__name__
        if found := re.search(r"://[^:/@]*:(.*)@", self.url):
            reason = reason.replace(found[1], "***")
        if self.url.startswith("postgresql"):
            way_out = "See that the server runs and lets you in; a password may be in ~/.pgpass or PGPASSWORD."
        else:
            way_out = f"Choose another {_KEY}, or see that the file can be read and written."
        return UserError(f"{_KEY}={self.shown} can't be used: {reason.rstrip('.')}.", way_out)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Have the study to oneself in the block; the system, or the server, lets go of it however the process ends."""
        if self.url.startswith("postgresql"):
            with self._lock_of_server():
                yield
            return
        from fashseg.sweep.journal import HeldByTheSystem

        path = Path(self.url.removeprefix("sqlite:///"))
        require_writable(path.parent, _KEY)
        held = HeldByTheSystem(path.with_name(f".{path.name}.{_digest(self.study_name) % 10**8:08}.claim"))
        held.acquire()
        try:
            yield
        finally:
            held.release()

    @contextlib.contextmanager
    def _lock_of_server(self) -> Iterator[None]:
        import psycopg

        if self._connection is None or self._connection.closed:
            url = self.url.replace("+psycopg", "", 1)
            self._connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
        number = _digest(self.study_name) - 2**63
        self._connection.execute("SELECT pg_advisory_lock(%s)", (number,))
        try:
            yield
        finally:
            self._connection.execute("SELECT pg_advisory_unlock(%s)", (number,))

    def close(self) -> None:
        """Let go of connections."""
        if self._connection is not None:
            self._connection.close()
        if "://" in self.url:
            self.optuna.engine.dispose()


def _open(url: str) -> Any:
    if "://" not in url:
        from fashseg.sweep.journal import open_journal

        return open_journal(Path(url))
    from optuna.storages import RDBStorage

    options: dict[str, Any] = {"pool_pre_ping": True}  # a server may have been started again
    if url.startswith("sqlite"):
        options["connect_args"] = {"timeout": 60}  # seconds to wait while another process writes
    else:
        options["connect_args"] = {"connect_timeout": 10}
    return RDBStorage(url, engine_kwargs=options)


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"fashseg {text}".encode()).digest()[:8], "big")
