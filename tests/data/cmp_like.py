"""Photographs and labels in the layout of the CMP base set, made up, in the sizes that the source map tells."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fashseg.data.cmp_base import FOLDER, sizes
from fashseg.data.facade import SourceCrop, source_map

TRAIN = ("cmp_b0366", "cmp_b0021")
TEST = "cmp_b0019"
"""Of each a photograph is at hand, too."""


def crops_of(names: Sequence[str] = (*TRAIN, TEST)) -> list[SourceCrop]:
    """The source map of these buildings alone."""
    return [crop for crop in source_map() if crop.cmp_base_id in names]


def write_buildings(root: Path, names: Sequence[str] = (*TRAIN, TEST), folder: Path = FOLDER) -> Path:
    """Soft noise, with rectangles of all twelve labels; returns the folder."""
    known = sizes(source_map())
    (root / folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        width, height = known[name]
        rng = np.random.default_rng(int(name[-4:]))
        noise = Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8))
        noise.resize((width, height), Image.Resampling.BICUBIC).save(root / folder / f"{name}.jpg", quality=95)
        blocks = Image.fromarray(rng.integers(1, 13, (14, 14), np.uint8))
        labels = blocks.resize((width, height), Image.Resampling.NEAREST)
        labels.putpalette(bytes(range(39)))
        labels.save(root / folder / f"{name}.png")
        (root / folder / f"{name}.xml").write_text("<object></object>", encoding="utf-8")
    return root / folder


def write_archive(path: Path, folder: Path, inside: str = "base") -> Path:
    """A zip file of a folder, as the database is distributed."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("label_names.txt", "background 1 1\n")
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{inside}/{file.name}")
    return path
