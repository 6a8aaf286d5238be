"""Where the facades lie in their photographs: to the pixel."""

from collections import defaultdict

import numpy as np
from PIL import Image

from data.tiny import real_data, real_root
from fashseg.data.facade import source_map
from fashseg.data.facade_windows import corner, small_size
from fashseg.data.info import UInt8Array

Place = tuple[int, int]


def test_all_windows_lie_within_their_photographs() -> None:
    for crop in source_map():
        width, height = small_size(crop.cmp_w, crop.cmp_h)
        x, y = corner(crop)
        assert min(width, height) == 286
        assert 0 <= x <= width - 256, crop
        assert 0 <= y <= height - 256, crop


def test_the_other_side_is_rounded_down() -> None:
    assert small_size(1024, 795) == (368, 286)  # 368.38
    assert small_size(559, 1024) == (286, 523)  # 523.91
    assert small_size(600, 600) == (286, 286)


@real_data("facade")
def test_all_labels_are_equal_where_images_of_a_building_overlap() -> None:
    """An independent check of all places: a pixel off, and the edges of 945 overlaps would not fit."""
    of_building = defaultdict(list)
    for crop in source_map():
        with Image.open(real_root() / f"facade/{crop.split}/eecs442_{crop.index:04d}.png") as mask:
            of_building[crop.cmp_base_id].append((corner(crop), np.asarray(mask)))
    shares = [
        share
        for shown in of_building.values()
        for i, first in enumerate(shown)
        for second in shown[i + 1 :]
        if (share := equal_in_overlap(first, second)) is not None
    ]
    assert len(shares) > 900
    assert min(shares) == 1


def equal_in_overlap(first: tuple[Place, UInt8Array], second: tuple[Place, UInt8Array]) -> float | None:
    """Share of equal labels; None where less than 24 rows or columns overlap."""
    parts = []
    for (place, mask), (other, _) in ((first, second), (second, first)):
        starts = [max(0, theirs - own) for own, theirs in zip(place, other, strict=True)]
        ends = [min(256, 256 + theirs - own) for own, theirs in zip(place, other, strict=True)]
        if min(end - start for start, end in zip(starts, ends, strict=True)) < 24:
            return None
        parts.append(mask[starts[1] : ends[1], starts[0] : ends[0]])
    return float((parts[0] == parts[1]).mean())
