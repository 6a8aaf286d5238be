"""Whole photographs: every window can be drawn, no test building is trained on, the test images are the facades'."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from data import tiny
from data.cmp_like import TEST, TRAIN, crops_of, write_buildings
from data.tiny import real_data, real_root
from fashseg.config import CMPFacade
from fashseg.data import cmp_facade
from fashseg.data.cmp_base import TO_FIVE, lacking, read_buildings, sizes
from fashseg.data.facade import buildings, read_facade, source_map
from fashseg.data.module import ImageDataModule
from fashseg.data.sources import SOURCES, open_source
from fashseg.errors import UserError


def options(root: Path, **changed: object) -> CMPFacade:
    values = {"name": "cmp_facade", "root": str(root), "partial": True, "val_share": 0.4} | changed
    return CMPFacade(**values)  # type: ignore[arg-type]


def all_files_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cmp_facade, "lacking", lambda _folder, _buildings: [])


def test_no_building_of_the_map_is_trained_on_and_tested(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    all_files_there(monkeypatch)
    wanted = cmp_facade.plan(tmp_path)
    tested = {crop.cmp_base_id for crop in wanted.test}
    assert not tested & set(wanted.groups)
    assert not tested & {path.stem for path in cmp_facade.files(tmp_path, cmp_facade.Plan(wanted.train, ()))}
    assert len(wanted.train) == 302
    assert len(tested) == 67
    assert wanted.counts == cmp_facade.COUNTS
    assert set(buildings("train")) == set(wanted.train)


def test_a_map_that_mixes_them_is_refused(tmp_path: Path) -> None:
    crops = crops_of()
    mixed = replace(next(crop for crop in crops if crop.split == "train"), split="test_dev")
    with pytest.raises(UserError, match="in training and test"):
        cmp_facade.plan(tmp_path, True, [*crops, mixed])


@real_data("cmp_facade/base")
def test_no_pixel_of_a_test_building_is_in_the_training_arrays() -> None:
    """On the arrays themselves: each square is cut from a training photograph, and from no test photograph."""
    wanted = cmp_facade.plan(real_root(), partial=True)
    train, _ = cmp_facade.read_cmp_facade(real_root(), 5, wanted)
    assert len(train.images) == len(wanted.groups) > 60
    photos = read_buildings(real_root() / "cmp_facade/base", sizes(source_map_at_hand()))
    shown_in = [{name for name, building in photos.items() if is_in(image, building.photo)} for image in train.images]
    assert shown_in == [{name} for name in wanted.groups]


@real_data("cmp_facade/base")
@pytest.mark.parametrize("classes", [5, 12])
def test_the_test_images_are_those_of_the_facades(classes: int) -> None:
    wanted = cmp_facade.plan(real_root(), partial=True)
    train, test = cmp_facade.read_cmp_facade(real_root(), classes, wanted)
    assert train.targets.max() == classes - 1
    originals = read_facade(real_root())[1].targets[[crop.index for crop in wanted.test]]
    lookup = np.arange(5) if classes == 5 else TO_FIVE[1:]
    assert np.array_equal(lookup[test.targets], originals)


def source_map_at_hand() -> list[cmp_facade.SourceCrop]:
    gone = set(lacking(real_root() / "cmp_facade/base", sizes(source_map())))
    return [crop for crop in source_map() if crop.cmp_base_id not in gone]


def is_in(square: np.ndarray, photo: np.ndarray) -> bool:
    """Whether the square is somewhere in the photograph: looked for by some of its pixels, then compared."""
    height, width = (size - 286 + 1 for size in photo.shape[:2])
    fits = np.ones((height, width), bool)
    for y, x in np.random.default_rng(0).integers(0, 286, (60, 2)):
        fits &= (photo[y : y + height, x : x + width] == square[:, y, x]).all(axis=2)
        if not fits.any():
            return False
    places = np.argwhere(fits)
    return any(np.array_equal(photo[y : y + 286, x : x + 286].transpose(2, 0, 1), square) for y, x in places)


@pytest.mark.parametrize("size", [(286, 286), (286, 287), (317, 286), (286, 600), (1414, 286)])
def test_squares_hold_each_window_of_the_photograph(size: tuple[int, int]) -> None:
    found = np.zeros((size[1] - 255, size[0] - 255), int)
    for x, y in cmp_facade.corners(*size):
        assert 0 <= x <= size[0] - 286
        assert 0 <= y <= size[1] - 286
        found[y : y + 31, x : x + 31] += 1
    assert found.min() == 1
    assert (found > 1).sum() <= 30 * 31, "only the last square has windows that others have too"


def test_training_sees_squares_and_all_else_their_middle(tmp_path: Path) -> None:
    write_buildings(tmp_path)
    data = ImageDataModule(options(tmp_path), batch_size=4, eval_train=True)
    data.setup()
    assert data.partial
    images, targets = next(iter(data.train_dataloader()))
    assert images.shape == (4, 3, 286, 286)
    assert targets.shape == (4, 286, 286)
    for part in ("train", "val", "test", "train_fixed"):
        images, targets = next(iter(data.eval_dataloader(part)))
        assert images.shape[1:] == (3, 256, 256)
        assert targets.shape[1:] == (256, 256)
    whole, _ = data.part("val").whole().batch([0])
    middle, _ = data.part("val").batch([0])
    assert torch.equal(middle, whole[:, :, 15:271, 15:271])
    assert data.shared_groups == 0, "what validates shows no building that is trained on"
    counts = data.part("test").class_counts(5)
    assert sum(counts) == len(data.part("test")) * 256**2
    assert sum(data.part("val").class_counts(5)) == len(data.part("val")) * 256**2


@pytest.mark.parametrize("resident", ["auto", False])
def test_the_cache_and_the_disk_give_the_same(
    resident: bool | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASHSEG_CACHE", str(tmp_path / "cache"))
    write_buildings(tmp_path)
    prints = []
    for how in ("auto", resident):
        data = ImageDataModule(options(tmp_path, resident=how), batch_size=4)
        data.setup()
        prints.append((data.fingerprints(), data.part("val").batch([0, 1])[0].sum().item()))
    assert prints[0] == prints[1]


def test_classes_have_names_and_colours_of_their_own(tmp_path: Path) -> None:
    for classes, first in ((5, "others"), (12, "background")):
        info = open_source(options(tmp_path, classes=classes)).info
        assert len(set(info.class_names)) == len(set(info.palette)) == classes
        assert info.class_names[0] == first
    assert SOURCES["cmp_facade"].info.shape == (3, 256, 256)


def test_missing_buildings_are_listed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lacks 369 of 369 buildings") as caught:
        cmp_facade.plan(tmp_path, partial=True)
    assert "data.partial" not in caught.value.way_out, "there is no part that could be taken"
    base = write_buildings(tmp_path)
    with pytest.raises(UserError, match="lacks 366 of 369 buildings") as caught:
        cmp_facade.plan(tmp_path)
    assert "cmp_b0001, cmp_b0002" in caught.value.what
    assert "data.partial=true" in caught.value.way_out
    assert "fashseg.prepare data=cmp_facade" in caught.value.way_out
    assert set(cmp_facade.plan(tmp_path, partial=True).train) == set(TRAIN)
    (base / f"{TEST}.png").unlink()  # no test image is left
    with pytest.raises(UserError, match=f"lacks 367 of 369 .*{'cmp_b0001'}"):
        cmp_facade.plan(tmp_path, partial=True)


DAMAGES = {
    "another size": (tiny.wrong_size, ".jpg", "has 300x200 pixels, expected are"),
    "cut off": (tiny.half, ".jpg", "damaged or incomplete"),
    "half a mask": (tiny.half, ".png", "damaged or incomplete"),
    "empty": (tiny.empty, ".png", "is empty"),
    "text": (tiny.text, ".jpg", "is no readable JPEG file"),
    "grey mask": (tiny.wrong_mode, ".png", "has the mode L, expected is P"),
    "turned": (tiny.turned, ".jpg", "EXIF orientation 6"),
}


@pytest.mark.parametrize(("damage", "suffix", "why"), DAMAGES.values(), ids=DAMAGES.keys())
def test_bad_files_are_named(damage: Callable[[Path], None], suffix: str, why: str, tmp_path: Path) -> None:
    base = write_buildings(tmp_path)
    damage(base / f"{TRAIN[0]}{suffix}")
    with pytest.raises(UserError) as caught:
        cmp_facade.read_cmp_facade(tmp_path, 5, cmp_facade.plan(tmp_path, partial=True))
    assert str(base / f"{TRAIN[0]}{suffix}") in caught.value.what
    assert why in caught.value.what
    assert "get them from the archive" in caught.value.way_out


def test_a_label_that_no_class_has_is_told(tmp_path: Path) -> None:
    path = write_buildings(tmp_path) / f"{TEST}.png"
    with Image.open(path) as mask:
        mask.putpixel((5, 6), 13)
        mask.save(path)
    with pytest.raises(UserError, match="holds the value 13 at row 6, column 5; classes are 0 to 12"):
        cmp_facade.read_cmp_facade(tmp_path, 5, cmp_facade.plan(tmp_path, partial=True))
