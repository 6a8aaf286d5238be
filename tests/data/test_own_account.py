"""The account of a folder of one's own: counts, shares, what is suspicious, and whether it can be trained on."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.own_folders import IGNORED, labels, picture_of, write_classes, write_labelme, write_masks
from fashseg.config import ImageFolder, MaskFolder, OwnData
from fashseg.data.folders.account import account
from fashseg.errors import UserError


def told(options: OwnData) -> tuple[str, str]:
    """All lines, and the error at the end."""
    lines: list[str] = []
    error = ""
    try:
        for line in account(options):
            lines.append(line)
    except UserError as refused:
        error = str(refused)
    return "\n".join(lines), error


def classes(root: Path, **options: object) -> ImageFolder:
    return ImageFolder(name="image_folder", root=str(root), **options)  # type: ignore[arg-type]


def test_a_good_folder_is_counted(tmp_path: Path) -> None:
    text, error = told(classes(write_classes(tmp_path, each=10)))
    assert not error
    assert "30 images" in text
    assert "kinds: PNG L 30" in text
    assert "sizes: 24×24 30" in text
    assert "split: 23 training, 3 validation, 4 test; validation and test drawn class by class" in text
    row = next(line.split() for line in text.splitlines() if line.startswith("disc"))
    assert sum(map(int, row[1:4])) == 10
    assert "nothing is suspicious" in text
    assert text.endswith("all of it can be trained on")


def test_shares_of_classes_are_of_pixels_that_count(tmp_path: Path) -> None:
    root = write_labelme(tmp_path, count=18)
    options = MaskFolder(
        name="mask_folder", root=str(root), images="JPEGImages", masks="SegmentationClassPNG", ignore=IGNORED
    )
    text, error = told(options)
    assert not error
    assert "count for nothing (value 255): 8.3%" in text
    rows = [line.split() for line in text.splitlines() if line.split()[0] in ("sky", "roof", "wall", "_background_")]
    assert len(rows) == 4
    shares = [float(line.split()[-3].rstrip("%")) for line in text.splitlines() if line.count("%") == 3]
    assert sum(shares) == pytest.approx(100, abs=0.5)


def test_suspicious_files_are_named(tmp_path: Path) -> None:
    root = write_classes(tmp_path, each=12, parts=("train", "val", "test"))
    shutil.copy(root / "train/disc/disc_0000.png", root / "test/disc/again.png")
    shutil.copy(root / "train/bar/bar_0001.png", root / "train/ring/other.png")
    near = np.asarray(Image.open(root / "val/ring/ring_1000.png")).astype(int)
    noise = np.random.default_rng(0).integers(-3, 4, near.shape)
    Image.fromarray((near + noise).clip(0, 255).astype(np.uint8)).save(root / "train/ring/near.png")
    Image.open(root / "test/bar/bar_2003.png").convert("RGB").save(root / "test/bar/odd.jpg", "PNG")
    (root / "test/bar/bar_2003.png").unlink()
    Image.new("L", (24, 24), 90).save(root / "val/bar/grey.png")
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.open(root / "val/disc/disc_1005.png").save(root / "val/disc/disc_1005.png", exif=exif)
    text, error = told(classes(root))
    assert not error
    assert "the same file in two parts: 1\n" in text
    assert "train/disc/disc_0000.png (training) = test/disc/again.png (test)" in text
    assert "the same file in two classes: 1\n  train/bar/bar_0001.png = train/ring/other.png" in text
    assert "train/ring/near.png (training) and val/ring/ring_1000.png (validation)" in text
    assert "of another kind than its name says: 1\n  test/bar/odd.jpg is a PNG file" in text
    assert "val/bar/grey.png is of nearly one brightness" in text
    assert "turned or mirrored by a tag: 1\n  val/disc/disc_1005.png has Exif orientation 3" in text


def test_what_ends_a_training_ends_the_account(tmp_path: Path) -> None:
    root = write_masks(tmp_path, 12, 3, border=True)
    Image.fromarray(np.full((24, 32), 1, np.uint8)).save(root / "masks/photo_000.png")
    Image.fromarray(np.full((24, 32), 255, np.uint8)).save(root / "masks/photo_001.png")
    options = MaskFolder(name="mask_folder", root=str(root), ignore=255)
    text, error = told(options)
    assert not error
    assert "photo_000.png holds class 1 alone" in text
    assert "photo_001.png holds nothing that counts" in text
    Image.fromarray(labels(0, 3, 12, 16)).save(root / "masks/photo_002.png")
    picture_of(labels(3, 3), 3).save(root / "images/photo_003.jpg")
    (root / "images/photo_004.jpg").write_text("no picture")
    (root / "masks/photo_005.png").write_bytes((root / "masks/photo_005.png").read_bytes()[:60])
    text, error = told(options)
    assert "can't be used: 3" in text
    assert "photo_002.png has 16×12 pixels, its image 32×24" in text
    assert "error: 3 files can't be used, first" in error
    assert len(error.splitlines()) == 2


def test_values_that_nothing_names_are_shown_and_refused(tmp_path: Path) -> None:
    text, error = told(MaskFolder(name="mask_folder", root=str(write_masks(tmp_path, 8, 2, border=True))))
    assert "class 255" in text
    assert "hold the values 0, 1, 255, which nothing names" in error


def test_too_few_names_are_more_names_to_give_and_no_files_to_mend(tmp_path: Path) -> None:
    options = MaskFolder(name="mask_folder", root=str(write_masks(tmp_path, 8, 3)), class_names=["a", "b"])
    text, error = told(options)
    assert "holds the value 2" in text
    assert "Name all classes in data.class_names" in error
    assert "Mend or remove" not in error
    (tmp_path / "masks/photo_005.png").write_text("no picture")
    assert "Mend or remove what is listed above" in told(options)[1]


def test_a_fold_is_told(tmp_path: Path) -> None:
    text, error = told(classes(write_classes(tmp_path, each=10), fold=1, folds=4))
    assert not error
    assert "19 training, 7 validation, 4 test; fold 1 of 4, drawn class by class, validates; test images stay" in text
