"""The facades: verified where they are, else built from the photographs that they are crops of."""

from collections.abc import Iterator

from fashseg.data.sources import SOURCES
from fashseg.files import in_full
from fashseg.prepare.account import account
from fashseg.verb_options import Prepare


def prepare(options: Prepare) -> Iterator[str]:
    """Verify or build."""
    source = SOURCES["facade"]
    folder = in_full("data.root", options.data.root).absolute() / "facade"
    arrays = source.read(options.data)
    yield f"the facades in {folder} are complete, each file with its checksum"
    yield from account(source.info, *arrays)
