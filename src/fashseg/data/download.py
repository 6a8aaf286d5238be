"""Downloads that are complete and verified, or do not happen; an interrupted one goes on where it stopped."""

import contextlib
import hashlib
import http
import http.client
import logging
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from fashseg.data.partial import NotWritableError, PartialFile

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
    name: str,
    folder: Path,
    md5: str | Callable[[Path], bool],
    mirrors: Sequence[str],
    timeout: float = 30,
    max_bytes: int = MAX_BYTES,
) -> Path:
    """Download ``folder/name`` from the first mirror that gives the right bytes.

    The file appears under its name only after it was found right, so that an interrupted download never looks like a
    data set, and a file that was there stays until something verified replaces it. What has arrived before a cut
    connection or a kill stays in the hidden ``.NAME.part``, and the next mirror or the next command goes on from there.
    Several processes may fetch the same file at the same time: one does, the others wait for it.

    Args:
        name: the file's name, appended to each mirror and to the folder.
        folder: made where it does not exist; removed again if nothing was downloaded into it.
        md5: what the file must have, 32 hexadecimal digits; where none is known, what tells whether a file is right.
        mirrors: http or https addresses of folders, tried in this order.
        timeout: seconds without any answer after which a mirror is given up.
        max_bytes: a longer answer is refused.

    Returns:
        The path of the file.

    Raises:
        DownloadError: no mirror gave it, or the folder cannot be written to; nothing is left behind but the start of a
            file of which the rest did not arrive.
    """
    target = folder / name
    made: list[Path] = []
    try:
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        with PartialFile(target) as part:
            if _has(target, md5, max_bytes):  # by another process, for which this one has waited
                part.clear()
                return target
            if part.size > max_bytes:
                part.clear()
            if not _is_right(
                part, md5
            ):  # it can be whole already: a kill may come between the last byte and the renaming
                _try(mirrors, part, name, md5, timeout, max_bytes)
            part.publish()
        return target
    except NotWritableError as error:
        raise DownloadError(name, [str(error)]) from error
    except OSError as error:
        raise DownloadError(name, [f"{folder} cannot be written to ({_short(error)})"]) from error
    finally:
        for path in made:
            with contextlib.suppress(OSError):  # there is something in it
                path.rmdir()


def _has(path: Path, md5: str | Callable[[Path], bool], max_bytes: int) -> bool:
    if not path.is_file() or path.stat().st_size > max_bytes:
        return False
    return md5(path) if callable(md5) else md5_of(path) == md5.lower()


def _is_right(part: PartialFile, md5: str | Callable[[Path], bool]) -> bool:
    return md5(part.path) if callable(md5) else part.md5() == md5.lower()


def _try(
    mirrors: Sequence[str],
    part: PartialFile,
    name: str,
    md5: str | Callable[[Path], bool],
    timeout: float,
    max_bytes: int,
) -> None:
    """Fill the file with the right bytes; DownloadError if no mirror has them."""
    reasons = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{name}"
        try:
            log.info("downloading %s", url)
            went_on = _receive(url, part, timeout, max_bytes)
            if went_on and not _is_right(part, md5):
                log.info("what was there is not what %s starts with: once more, all of it", url)
                part.clear()
                _receive(url, part, timeout, max_bytes)
            if _is_right(part, md5):
                return
            found = part.md5()
            part.clear()
            reasons.append(f"{mirror} (wrong bytes, their MD5 is {found})")
        except (OSError, http.client.HTTPException, ValueError) as error:
            reasons.append(f"{mirror} ({_short(error)})")
    raise DownloadError(name, reasons or ["no mirror is known"])


def _receive(url: str, part: PartialFile, timeout: float, max_bytes: int) -> bool:
    """Complete a file by what the address answers; ValueError if that is not all of it or too long.

    Returns:
        Whether bytes that were there are part of it.
    """
    answer, start, expected = _ask(url, part.size, timeout)
    with answer:
        if expected is not None and expected > max_bytes:
            raise ValueError(f"the answer has {expected:,} bytes, more than the limit of {max_bytes:,}")
        if start == 0:
            part.clear()
        # Not read(): it would wait until a chunk is full, which a kill would then lose.
        while chunk := answer.read1(_CHUNK_BYTES):
            part.append(chunk)
            if part.size > max_bytes:
                part.clear()
                raise ValueError(f"the answer has more bytes than the limit of {max_bytes:,}")
    # http.client ends a short answer to read1(n) without a word.
    if expected is not None and part.size < expected:
        raise ValueError(f"the answer ended after {part.size:,} of {expected:,} bytes")
    return start > 0


def _ask(url: str, start: int, timeout: float) -> tuple[http.client.HTTPResponse, int, int | None]:
    """Ask for a file from a byte on; where the server does not give that, for all of it.

    Returns:
        The answer, the first byte that is in it, and how long the file says it is as a whole.
    """
    if start:
        try:
            answer = _open(url, timeout, {"Range": f"bytes={start}-"})
        except urllib.error.HTTPError as error:
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            error.close()
        else:
            if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
                return answer, 0, _length(answer)
            first, last, total = _range(answer)
            if first == start and total in (None, last + 1) and _length(answer) in (None, last + 1 - first):
                return answer, start, last + 1
            answer.close()
    answer = _open(url, timeout, {})
    if answer.status != http.HTTPStatus.OK:
        answer.close()
        raise ValueError(f"HTTP {answer.status} where all of the file was asked for")
    return answer, 0, _length(answer)


def _length(answer: http.client.HTTPResponse) -> int | None:
    text = answer.headers.get("Content-Length", "")
    return int(text) if re.fullmatch("[0-9]{1,15}", text) else None


def _range(answer: http.client.HTTPResponse) -> tuple[int, int, int | None]:
    """First and last byte of an answer and the length of the whole; -1, -1 where that is not told."""
    text = answer.headers.get("Content-Range", "")
    if not (found := re.fullmatch(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15}|\*)", text.strip())):
        return -1, -1, None
    first, last, total = found.groups()
    return int(first), int(last), None if total == "*" else int(total)


def _open(url: str, timeout: float, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("only http and https addresses are used")
    request = urllib.request.Request(url, headers={"User-Agent": "fashseg", **headers})
    answer: http.client.HTTPResponse = _opener().open(request, timeout=timeout)
    return answer


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
