"""Data sets that are drawn by code."""

from collections.abc import Iterator

from fashseg.verb_options import Prepare


def prepare(options: Prepare) -> Iterator[str]:
    """Say that there is nothing to do."""
    yield f"data={options.data.name} is drawn by code when it is used: nothing is to be prepared"
