"""The job that a leader hands over to its followers. Imports no torch."""

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf


def job_of(folder: Path, composed: Any, overrides: list[str], plugins: list[str], resume: bool) -> dict[str, Any]:
    """A job as it is handed over: plain values.

    Args:
        folder: of the run.
        composed: its configuration, as config.yaml keeps it.
        overrides: for the record.
        plugins: that the leader was told to read.
        resume: whether it goes on.
    """
    return {
        "folder": str(folder.absolute()),
        "config": OmegaConf.to_container(composed, resolve=True),
        "overrides": overrides,
        "plugins": plugins,
        "resume": resume,
    }
