"""The store of MLflow: which one, and how the package is made to keep quiet and to give up soon. Imports no torch."""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from fashseg.config import Logger
from fashseg.files import OUTPUTS
from fashseg.trackers.answering import SECONDS
from fashseg.trackers.secrets import redacted

VARIABLE = "MLFLOW_TRACKING_URI"
_FILE = "sqlite:///"
_SETTINGS = {
    # By itself it waits 120 seconds for each answer, and asks eight times.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": str(SECONDS),
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    # It has handlers of its own, which write to the screen.
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # with the password
    # Nobody who trains has asked it to tell its makers.
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def address(options: Logger) -> str:
    """What ``logger.mlflow_uri`` says, else the variable, else a database in ``outputs``.

    A file is named in full: within a process MLflow takes the same words for the same database, wherever it works.
    """
    given = options.mlflow_uri or os.environ.get(VARIABLE) or f"{_FILE}{OUTPUTS}/mlflow.db"
    path = given.removeprefix(_FILE)
    return f"{_FILE}{Path(path).absolute()}" if given.startswith(_FILE) and path else given


def shown_address(options: Logger) -> str:
    """The same without a password."""
    return redacted(address(options))


def artifacts(uri: str) -> str | None:
    """Where files of runs go: beside a database that is a file; None leaves it to the server."""
    if not uri.startswith(_FILE):
        return None
    return (Path(uri.removeprefix(_FILE).partition("?")[0]).parent / "mlartifacts").as_uri()


@contextlib.contextmanager
def mlflow_settings() -> Iterator[None]:
    """Around all that MLflow does: patience and silence, but for what the user has set; and no address is left behind.

    MLflow notes the address that it was given last in the environment, where the next run would find it.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic"):
        # With no handler at all Python itself would write to the screen before there is a run.log.
        logging.getLogger(name).handlers = [logging.NullHandler()]
        logging.getLogger(name).propagate = True
    before = os.environ.get(VARIABLE)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before
