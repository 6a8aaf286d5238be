"""The photographs of the CMP base set: what is missing is taken from the archive, and everything is checked."""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from fashseg import config as cfg
from fashseg.data import cmp_base
from fashseg.data.cmp_archive import lacking_error, obtain
from fashseg.data.facade import source_map
from fashseg.data.sources import open_source
from fashseg.files import in_full
from fashseg.prepare.account import account
from fashseg.text import counted
from fashseg.verb_options import Prepare


def prepare(options: Prepare) -> Iterator[str]:
    """Complete the folder, read all of it, and say what there is."""
    given = cast("cfg.CMPFacade", options.data)
    data = replace(given, partial=given.partial or options.partial)
    root = in_full("data.root", data.root).absolute()
    folder, wanted = root / cmp_base.FOLDER, cmp_base.sizes(source_map())
    there = len(wanted) - len(cmp_base.lacking(folder, wanted))
    yield from obtain(root, wanted, options.mirrors, fetching=not (data.partial and there))
    if (missing := cmp_base.lacking(folder, wanted)) and not data.partial:
        raise lacking_error(root, missing, wanted)
    source = open_source(data)
    assert source.groups is not None
    arrays = source.read(data)
    if missing:
        yield f"{counted(len(missing), 'building')} of {len(wanted):,} are missing: {cmp_base.in_words(missing)}"
    trained = set(source.groups(data) or ())
    yield (
        f"{folder}: {counted(len(wanted) - len(missing), 'photograph')} with labels, {len(trained)} "
        f"of them to train on, as {counted(len(arrays[0].images), 'square')} of 286x286 that overlap"
    )
    yield from account(source.info, *arrays)
