"""How much of what takes long is tried, a sample or all of it; and the figures that come of it."""

import json
import os
from pathlib import Path

SLOW = bool(os.environ.get("FASHSEG_SLOW"))
"""Set by ``make test-slow``: try everything, not a sample."""


def amount(quick: int, full: int) -> int:
    """How many to try: ``quick`` in ``make test``, ``full`` in ``make test-slow``."""
    return full if SLOW else quick


def record(what: str, *, tried: int, survived: int, remarks: str = "") -> None:
    """Note a figure for docs/reliability.md, where ``make test-slow`` has named a file for it.

    Args:
        what: was tried, in a few words.
        tried: how often.
        survived: how often it ended as it has to; the others were lost.
        remarks: what a reader should know besides, such as times.
    """
    if path := os.environ.get("FASHSEG_FIGURES"):
        row = {"what": what, "tried": tried, "survived": survived, "remarks": remarks}
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
