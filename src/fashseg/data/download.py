"""Downloads that are complete and verified, or do not happen."""

import contextlib
import hashlib
import http.client
import logging
import urllib.error
import urllib.request
import uuid
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

MAX_BYTES = 64 * 2**20
_CHUNK_BYTES = 2**18


class DownloadError(Exception):
    """No mirror gave the file.

    Args:
        name: the file's name.
        reasons: one short text for each mirror that was tried, or why none was.
    """

    def __init__(self, name: str, reasons: Sequence[str]) -> None:
        super().__init__(name, tuple(reasons))
        self.name = name
        self.reasons = tuple(reasons)

    def __str__(self) -> str:
        return f"{self.name} could not be downloaded: {'; '.join(self.reasons)}"


def md5_of(path: Path) -> str:
    """The MD5 of a file, 32 lower-case hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def fetch(
    name: str, folder: Path, md5: str, mirrors: Sequence[str], timeout: float = 30, max_bytes: int = MAX_BYTES
) -> Path:
    """Download ``folder/name`` from the first mirror that gives the right bytes.

    The file appears under its name only after its MD5 was right, so that an interrupted download never looks like a
    data set, and a file that was there stays until something verified replaces it. Several processes may fetch the
    same file at the same time.

    Args:
        name: the file's name, appended to each mirror and to the folder.
        folder: made where it does not exist; removed again if nothing was downloaded into it.
        md5: what the file must have, 32 hexadecimal digits.
        mirrors: http or https addresses of folders, tried in this order.
        timeout: seconds without any answer after which a mirror is given up.
        max_bytes: a longer answer is refused.

    Returns:
        The path of the file.

    Raises:
        DownloadError: no mirror gave it, or the folder cannot be written to; nothing is left behind.
    """
    target = folder / name
    # Not tempfile: its files are private to the user, and a data folder is often shared.
    part = folder / f".{name}.{uuid.uuid4().hex}.part"
    made: list[Path] = []
    done = False
    try:
        try:
            made = [path for path in (folder, *folder.parents) if not path.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            part.touch(exist_ok=False)
        except OSError as error:
            raise DownloadError(name, [f"{folder} cannot be written to ({_short(error)})"]) from error
        reasons = []
        for mirror in mirrors:
            url = f"{mirror.rstrip('/')}/{name}"
            try:
                log.info("downloading %s", url)
                _stream(url, part, timeout, max_bytes)
                if (found := md5_of(part)) != md5.lower():
                    raise ValueError(f"wrong bytes, their MD5 is {found}")
                part.replace(target)
                done = True
            except (OSError, http.client.HTTPException, ValueError) as error:
                reasons.append(f"{mirror} ({_short(error)})")
            else:
                return target
        raise DownloadError(name, reasons or ["no mirror is known"])
    finally:
        if not done:
            _clean_up(part, made)


def _stream(url: str, path: Path, timeout: float, max_bytes: int) -> None:
    """Write what the address answers to a file; ValueError if that is not the whole answer or too long a one."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("only http and https addresses are used")
    request = urllib.request.Request(url, headers={"User-Agent": "fashseg"})
    with _opener().open(request, timeout=timeout) as response, path.open("wb") as file:
        declared = response.headers.get("Content-Length", "")
        expected = int(declared) if declared.isdecimal() else None
        if expected is not None and expected > max_bytes:
            raise ValueError(f"the answer has {expected:,} bytes, more than the limit of {max_bytes:,}")
        received = 0
        while chunk := response.read(_CHUNK_BYTES):
            received += len(chunk)
            if received > max_bytes:
                raise ValueError(f"the answer has more bytes than the limit of {max_bytes:,}")
            file.write(chunk)
    # http.client ends a short answer to read(n) without a word.
    if expected is not None and received != expected:
        raise ValueError(f"the answer ended after {received:,} of {expected:,} bytes")


def _opener() -> urllib.request.OpenerDirector:
    """An opener that cannot be redirected to ftp or file addresses, unlike urllib's own."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.UnknownHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _short(error: Exception) -> str:
    """The reason in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # it holds the connection open
        return f"HTTP {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        return _short(error.reason)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _clean_up(part: Path, made: Sequence[Path]) -> None:
    """Remove what a failed attempt made: the partial file and the folders that did not exist before."""
    for remove in (part.unlink, *(path.rmdir for path in made)):
        with contextlib.suppress(OSError):  # never made, or another process has put something there
            remove()
