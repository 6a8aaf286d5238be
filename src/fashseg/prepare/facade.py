"""The facades: verified where they are, else built from the photographs that they are windows of."""

import os
import shutil
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from fashseg import config as cfg
from fashseg.data import facade_rebuilt
from fashseg.data.cmp_archive import lacking_error, obtain
from fashseg.data.cmp_base import FOLDER, in_words, lacking, read_buildings, sizes
from fashseg.data.facade import SPLITS, SourceCrop, source_map
from fashseg.data.sources import SOURCES
from fashseg.errors import UserError
from fashseg.files import in_full
from fashseg.prepare.account import account
from fashseg.text import counted
from fashseg.verb_options import Prepare


def prepare(options: Prepare) -> Iterator[str]:
    """Verify or build."""
    data = cast("cfg.Facade", options.data)
    root = in_full("data.root", data.root).absolute()
    if not os.path.lexists(root / "facade") or options.rebuild:
        yield from build(root, source_map(), options)
    source = SOURCES["facade"]
    arrays = source.read(replace(data, partial=data.partial or options.partial))
    yield f"the facades in {root / 'facade'}: each file has its checksum"
    yield from account(source.info, *arrays)


def build(root: Path, crops: Sequence[SourceCrop], options: Prepare) -> Iterator[str]:
    """Build ``facade`` below the data root from the CMP base set.

    Args:
        root: in full.
        crops: the source map.
        options: ``partial``, ``mirrors``.

    Raises:
        UserError: photographs are missing or bad, or the folder can't be written.
    """
    wanted = sizes(crops)
    at_hand = len(lacking(root / FOLDER, wanted)) < len(wanted)
    yield from obtain(root, wanted, options.mirrors, fetching=not (options.partial and at_hand))
    missing = lacking(root / FOLDER, wanted)
    if missing and not (options.partial and len(missing) < len(wanted)):
        raise lacking_error(root, missing, wanted)
    there = [crop for crop in crops if crop.cmp_base_id not in set(missing)]
    absent = [split for split in SPLITS if split not in {crop.split for crop in there}]
    if absent:
        raise UserError(
            f"The buildings in {root / FOLDER} show in no image of {' or '.join(absent)}.", "Get more buildings."
        )
    if missing:
        yield f"{counted(len(missing), 'building')} of {len(wanted):,} are missing: {in_words(missing)}"
    yield f"building {counted(len(there), 'image')} of {counted(len(wanted) - len(missing), 'photograph')}"
    names = {crop.cmp_base_id for crop in there}
    buildings = read_buildings(root / FOLDER, {name: size for name, size in wanted.items() if name in names})
    folder = root / "facade"
    if not os.path.lexists(folder):
        facade_rebuilt.write(folder, there, buildings)
        return
    new = folder.with_name(f".facade.{os.getpid()}.new")
    try:
        facade_rebuilt.write(new, there, buildings)
        yield from closeness(facade_rebuilt.compare(new, folder, there), folder)
        if kept := facade_rebuilt.replace(folder, new):
            yield f"what was in {folder} is kept as {kept}"
    finally:
        shutil.rmtree(new, ignore_errors=True)


def closeness(found: facade_rebuilt.Closeness, folder: Path) -> Iterator[str]:
    """A line on how close the result is to what was there."""
    if found.images:
        yield (
            f"compared with {counted(found.images, 'image')} in {folder}: PSNR {statistics.median(found.psnr):.1f} dB "
            f"(median; lowest {min(found.psnr):.1f}), {100 * statistics.fmean(found.equal):.2f}% of the labels equal"
        )
