"""Where a data set in chunks is: a folder, or object storage behind a cache. Imports neither torch nor litdata."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from fashseg import config as cfg
from fashseg.data.reading import read_at_most
from fashseg.files import in_full

INFO, INDEX = "info.json", "index.json"
PARTS = ("train", "val", "test")


class PlaceError(Exception):
    """What can't be read or written there, and the way out: two sentences, as errors of ours have them."""

    def __init__(self, what: str, way_out: str) -> None:
        super().__init__(what, way_out)
        self.what, self.way_out = what, way_out


class Place(Protocol):
    """A place that holds files by name, such as ``train/chunk-0-0.bin``.

    Attributes:
        where: for a reader.
        distant: whether what is read is copied first, to a cache.
    """

    where: str
    distant: bool

    def read(self, name: str, most: int) -> bytes:
        """A small file.

        Raises:
            PlaceError: it is missing, can't be read, or has more than so many bytes.
        """

    def open(self, name: str, size: int, look: Callable[[int], None]) -> int:
        """A descriptor, to be closed, of a chunk.

        Args:
            name: of the chunk.
            size: bytes that it is to have.
            look: raises an error where what was fetched is not as it must be, before others can find it.
        """

    def forget(self, name: str) -> None:
        """Take it out of the cache, for it is damaged there."""


class Folder:
    """A folder of this machine, or one that is mounted.

    Args:
        path: in full.
    """

    distant = False

    def __init__(self, path: Path) -> None:
        self.path, self.where = path, str(path)

    def read(self, name: str, most: int) -> bytes:
        """A small file."""
        try:
            return read_at_most(self.path / name, most)
        except OSError as error:
            raise self._error(name, error) from error

    def open(self, name: str, size: int, look: Callable[[int], None]) -> int:
        """A descriptor of a chunk; a pipe is not waited for."""
        try:
            return os.open(self.path / name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise self._error(name, error) from error

    def forget(self, name: str) -> None:
        """Nothing: it is the original."""

    def _error(self, name: str, error: OSError) -> PlaceError:
        if not self.path.is_dir():
            reason = f"data.url={self.path} is not there" if not self.path.exists() else f"{self.path} is no folder"
            return PlaceError(
                f"{reason}.",
                "Name the folder that fashseg.prepare shards= has written: data.url=, or root= of evaluate.",
            )
        if isinstance(error, FileNotFoundError) and name == INFO:
            return PlaceError(
                f"{self.path} has no {INFO}: it holds no data set in chunks, or one that was not written to its end.",
                "Write one by python -m fashseg.prepare data=NAME shards=FOLDER, and name that folder by data.url=.",
            )
        return PlaceError(
            f"{self.path / name} can't be read: {error.strerror or error}.",
            "Copy the data set again, or write it anew by fashseg.prepare.",
        )


def address(url: str, option: str = "data.url") -> str:
    """A place as it means the same from another folder.

    Args:
        url: a folder, or an address with ``://`` or ``local:``.
        option: that names it, for errors.
    """
    if "://" in url:
        return url.rstrip("/")
    if url.startswith("local:"):
        return f"local:{in_full(option, url.removeprefix('local:')).absolute()}"
    return str(in_full(option, url).absolute())


def is_distant(url: str) -> bool:
    """Whether chunks of a place are copied before they are used."""
    return "://" in url or url.startswith("local:")


def place_of(options: cfg.Streaming, mark: str = "", patient: bool = False) -> Place:
    """Where a data set is.

    Args:
        options: ``url``, ``endpoint``, ``cache_gb``.
        mark: of what is there, so that chunks in the cache are not those of another data set of before.
        patient: try for minutes where a server does not answer, as in the middle of a training.

    Raises:
        PlaceError: what is needed for it is not installed.
    """
    where = address(options.url)
    if not is_distant(where):
        return Folder(Path(where))
    from fashseg.data.streaming.distant import Distant, source_of

    whose = f"{where}\n{options.endpoint}\n{mark}"
    return Distant(source_of(where, options.endpoint, patient), whose, int(options.cache_gb * 1e9))
