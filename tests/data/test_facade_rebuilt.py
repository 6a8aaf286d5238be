"""The facades built again: as close as can be, complete or absent, and readable as the data set."""

import errno
import statistics
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data import tiny
from data.cmp_like import TEST, TRAIN, crops_of, write_buildings
from data.tiny import real_data, real_root, tree
from fashseg.data import facade_rebuilt
from fashseg.data.cmp_base import FOLDER, TO_FIVE, lacking, read_buildings, sizes
from fashseg.data.facade import buildings, pairs_of, read_facade, source_map
from fashseg.data.facade_windows import corner, small_size
from fashseg.errors import UserError


def build(root: Path, folder: Path) -> None:
    crops = crops_of()
    facade_rebuilt.write(folder, crops, read_buildings(root / FOLDER, sizes(crops)))


@real_data("cmp_facade/base")
def test_what_is_built_is_what_the_course_gave(tmp_path: Path) -> None:
    base = real_root() / FOLDER
    gone = set(lacking(base, sizes(source_map())))
    crops = [crop for crop in source_map() if crop.cmp_base_id not in gone]
    facade_rebuilt.write(tmp_path / "facade", crops, read_buildings(base, sizes(crops)))
    found = facade_rebuilt.compare(tmp_path / "facade", real_root() / "facade", crops)
    assert found.images == len(crops) >= 36
    assert min(found.equal) == 1
    assert statistics.median(found.psnr) > 45
    assert min(found.psnr) > 42


def test_windows_are_cut_at_their_places(tmp_path: Path) -> None:
    base = write_buildings(tmp_path)
    build(tmp_path, tmp_path / "facade")
    for crop in crops_of():
        with Image.open(base / f"{crop.cmp_base_id}.png") as labels:
            small = np.asarray(labels.resize(small_size(*labels.size), Image.Resampling.NEAREST))
        x, y = corner(crop)
        with Image.open(tmp_path / f"facade/{crop.split}/eecs442_{crop.index:04d}.png") as mask:
            assert mask.getpalette()[:6] == [0, 0, 0, 0, 128, 255]  # type: ignore[index]
            assert np.array_equal(np.asarray(mask), TO_FIVE[small[y : y + 256, x : x + 256]])


def test_labels_become_the_classes_that_were_measured() -> None:
    assert TO_FIVE.tolist() == [0, 0, 1, 3, 0, 0, 0, 4, 0, 0, 0, 2, 0]


def test_a_part_is_read_only_where_that_is_asked_for(tmp_path: Path) -> None:
    write_buildings(tmp_path)
    build(tmp_path, tmp_path / "facade")
    with pytest.raises(UserError, match="each of the 1,020 pairs once") as caught:
        read_facade(tmp_path)
    assert "data.partial=true" in caught.value.way_out
    train, test = read_facade(tmp_path, partial=True)
    pairs = pairs_of(tmp_path, partial=True)
    assert len(train.images) == len(buildings("train", pairs)) == 6
    assert set(buildings("train", pairs)) == set(TRAIN)
    assert set(buildings("test_dev", pairs)) == {TEST}
    assert len(test.images) == len(buildings("test_dev", pairs))
    tiny.one_byte_more(tmp_path / f"facade/train/eecs442_{pairs[-1].index:04d}.png")
    with pytest.raises(UserError, match="is not the expected file"):
        read_facade(tmp_path, partial=True)


def test_a_manifest_of_one_side_only_is_no_part(tmp_path: Path) -> None:
    write_buildings(tmp_path)
    build(tmp_path, tmp_path / "facade")
    path = tmp_path / "facade/manifest.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("test_dev")), encoding="utf-8")
    with pytest.raises(UserError, match="lists no pair of test_dev"):
        read_facade(tmp_path, partial=True)


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_buildings(tmp_path)
    before = tree(tmp_path)

    def full(path: Path, _content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(facade_rebuilt, "_save", full)
    with pytest.raises(UserError, match="can't be written: No space left on device"):
        build(tmp_path, tmp_path / "facade")
    assert tree(tmp_path) == before


def test_originals_are_kept_and_what_was_built_is_not(tmp_path: Path) -> None:
    write_buildings(tmp_path)
    (tmp_path / "facade").mkdir()
    (tmp_path / "facade/mine.txt").write_text("mine", encoding="utf-8")
    for expected in (tmp_path / "facade.before", None):
        build(tmp_path, tmp_path / "new")
        assert facade_rebuilt.replace(tmp_path / "facade", tmp_path / "new") == expected
        assert (tmp_path / "facade/manifest.csv").is_file()
    assert (tmp_path / "facade.before/mine.txt").read_text(encoding="utf-8") == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"cmp_facade", "facade", "facade.before"}
