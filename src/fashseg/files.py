"""Files that are complete or absent, and folders that nobody else has. Imports no torch."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fashseg.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

OUTPUTS = Path("outputs")
_UNFINISHED = ".part"


def write_atomically(path: Path, content: str | bytes | memoryview) -> None:
    """Write a file that is complete or absent, never half; text as UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """An empty file beside ``path`` to write to in the block; it takes the place of ``path`` where nothing fails."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_UNFINISHED)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def in_full(option: str, path: str) -> Path:
    """A path with ``~`` replaced.

    Raises:
        UserError: there is no such user; ``option`` is named.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UserError(
            f"{option}={path}: there is no such user, or no home folder.", "Write the path in full."
        ) from error


def require_writable(folder: Path, option: str = "hydra.run.dir") -> None:
    """Make a folder where there is none, and see whether files can be made in it.

    Args:
        folder: of the run.
        option: that says which it is.

    Raises:
        UserError: they can't.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"{folder} can't be written to: {error.strerror}.",
            f"Choose another folder by {option}=FOLDER, or let this user write there.",
        ) from error


def remove_unfinished(folder: Path) -> None:
    """Delete what `write_atomically` has left below a folder, in a process that was killed."""
    for path in folder.glob(f"**/.*{_UNFINISHED}"):
        path.unlink(missing_ok=True)


class HeldError(Exception):
    """Another process holds the file."""


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold a file in the block: no other process can, and the system lets go of it however this one ends.

    Where the system knows no such locks, nothing is held.

    Raises:
        HeldError: another process holds it.
        OSError: it can't be made.
    """
    with path.open("ab") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HeldError(str(path)) from None
        yield


def is_held(path: Path) -> bool:
    """Whether a process holds the file; False where it can't be told."""
    try:
        with path.open("rb") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def claim_folder(wanted: Path) -> Path:
    """Make a folder that nobody else has: ``wanted``, or with a number behind it.

    Raises:
        UserError: where it can't be made.
    """
    for number in range(1, 1000):
        path = wanted if number == 1 else wanted.with_name(f"{wanted.name}_{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise UserError(
                f"the run folder {path} can't be made: {error.strerror}.", "Choose another one by hydra.run.dir=FOLDER."
            ) from error
        return path
    raise UserError(f"{wanted} and 999 more like it are taken.", "Choose another folder by hydra.run.dir=FOLDER.")


def link_latest(folder: Path) -> None:
    """Point ``outputs/latest`` at a run inside ``outputs``; elsewhere, and where links can't be made, do nothing."""
    outputs = OUTPUTS.resolve()
    target = folder.resolve()
    if not target.is_relative_to(outputs):
        return
    temporary = outputs / f".latest.{os.getpid()}"
    with contextlib.suppress(OSError):
        temporary.symlink_to(target.relative_to(outputs))
        temporary.replace(outputs / "latest")


def checksum(path: Path) -> str:
    """SHA-256 of a file; empty where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
