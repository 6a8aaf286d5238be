"""Object storage by litdata's means, and its errors in the words of ours."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from fashseg.data.streaming.places import PlaceError
from fashseg.extras import require

_NOT_WRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
_ANSWER_SECONDS = 10
_QUICK, _PATIENT = 2, 30  # attempts; the latter wait for up to 20 seconds each


def require_litdata(why: str) -> None:
    """Refuse at once what needs litdata, where it is not installed.

    Args:
        why: what needs it, as the option that asks for it.

    Raises:
        UserError: it is not.
    """
    require(why, ["litdata"], "stream")


class Bucket:
    """A data set in ``s3://`` or ``gs://``.

    Args:
        where: its address.
        endpoint: of a server that is not Amazon's.
        patient: try for minutes where the server does not answer.
    """

    def __init__(self, where: str, endpoint: str | None = None, patient: bool = False) -> None:
        require_litdata(f"data.url={where}")
        self.where, self.endpoint = where, endpoint
        self._options = _options(where, endpoint, patient)
        self._downloader: Any = None

    def fetch(self, name: str, into: BinaryIO) -> None:
        """Write a file of the data set into another one."""
        from litdata.streaming.downloader import get_downloader

        with _explained(self, name):
            if self._downloader is None:
                # It keeps files in no folder of its own as long as it is asked for their content alone.
                self._downloader = get_downloader(self.where, tempfile.gettempdir(), [], self._options)
            self._downloader.download_fileobj(f"{self.where}/{name}", into)

    def send(self, path: Path, name: str) -> None:
        """Put a file of this machine there."""
        from litdata.streaming.fs_provider import _get_fs_provider

        with _explained(self, name):
            _get_fs_provider(self.where, self._options).upload_file(str(path), f"{self.where}/{name}")

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        from litdata.streaming.fs_provider import _get_fs_provider

        with _explained(self, name):
            return bool(_get_fs_provider(self.where, self._options).exists(f"{self.where}/{name}"))


def _options(where: str, endpoint: str | None, patient: bool) -> dict[str, Any]:
    """What litdata hands to the client of the storage."""
    if not where.startswith("s3://"):
        return {}
    from botocore.config import Config

    config = Config(
        connect_timeout=_ANSWER_SECONDS,
        read_timeout=6 * _ANSWER_SECONDS,
        retries={"total_max_attempts": _PATIENT if patient else _QUICK, "mode": "standard"},
    )
    return {"config": config, **({"endpoint_url": endpoint} if endpoint else {})}


@contextlib.contextmanager
def _explained(bucket: Bucket, name: str) -> Iterator[None]:
    """What goes wrong with a file of a bucket is an error of ours."""
    try:
        yield
    except Exception as error:
        # What the caller itself raises in writing what came, a full disk for example, is passed on.
        ours = type(error).__module__.startswith("fashseg.")
        if ours or (type(error) is OSError and error.errno in _NOT_WRITTEN):
            raise
        raise _error(bucket, f"{bucket.where}/{name}", error) from error


def _error(bucket: Bucket, file: str, error: Exception) -> PlaceError:
    names = {kind.__name__ for kind in type(error).__mro__}
    code = str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
    if "ModuleNotFoundError" in names:
        return PlaceError(
            f"{file} needs google-cloud-storage, which is not installed.", "pip install google-cloud-storage"
        )
    if names & {"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"}:
        return PlaceError(
            f"{file} can't be used: there are no keys for this storage.",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write them to ~/.aws/credentials; for gs:// set "
            "GOOGLE_APPLICATION_CREDENTIALS.",
        )
    if code in ("404", "NoSuchKey", "NoSuchBucket") or "NotFound" in names:
        return PlaceError(
            f"{file} is not there: there is no such file or bucket.",
            "Name a data set that fashseg.prepare shards= has written; info.json is the last file that it writes.",
        )
    if code or "Forbidden" in names:
        return PlaceError(
            f"{file} can't be used: the server says {code or 'Forbidden'}.",
            "See that the keys are right and may use this bucket.",
        )
    if names & {"HTTPClientError", "ConnectionError", "OSError"}:
        server = bucket.endpoint or os.environ.get("AWS_ENDPOINT_URL") or "the server"
        return PlaceError(
            f"{file} can't be reached: {server} does not answer.",
            "See that data.endpoint is the address of the server, and that this machine has a connection to it.",
        )
    reason = str(error).partition("\n")[0]
    return PlaceError(f"{file} can't be used: {type(error).__name__}: {reason}.", "See data.url and data.endpoint.")
