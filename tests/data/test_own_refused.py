"""Folders of one's own that are refused: each by an error that says what is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from data.own_folders import SHAPES, write_classes, write_masks
from data.own_options import classes, masks, one, refusal
from data.tiny import turned
from fashseg.data.sources import open_source


def text_as_picture(root: Path) -> None:
    one(root).write_text("version https://git-lfs.github.com/spec/v1")


def one_class(root: Path) -> None:
    for name in SHAPES[1:]:
        for path in (root / name).iterdir():
            path.unlink()
        (root / name).rmdir()


def no_pictures(root: Path) -> None:
    for path in root.rglob("*.png"):
        path.unlink()


def no_folders(root: Path) -> None:
    no_pictures(root)
    for name in SHAPES:
        (root / name).rmdir()


def an_empty_class(root: Path) -> None:
    (root / "star").mkdir()


def many_classes(root: Path) -> None:
    for i in range(300):
        (root / f"c{i:03d}").mkdir()
        (root / f"c{i:03d}" / "a.png").write_bytes(one(root / "bar").read_bytes())


def mean_as_a_class(root: Path) -> None:
    (root / "bar").rename(root / "mean")


def table(text: str) -> Callable[[Path], object]:
    return lambda root: (root / "t.csv").write_text(text, encoding="utf-8")


BAD_CLASSES: dict[str, tuple[Callable[[Path], object], dict[str, object], str]] = {
    "text file named .png": (text_as_picture, {}, "bar_0000.png is no picture of a known format"),
    "one class": (one_class, {}, "has one class alone, disc; at least two are needed"),
    "folders without pictures": (no_pictures, {}, "holds no pictures"),
    "empty folder": (no_folders, {}, "holds no pictures"),
    "class without pictures": (an_empty_class, {}, "star holds no pictures, and is to be a class"),
    "300 classes": (many_classes, {}, "has 303 classes; at most 254"),
    "a class called mean": (mean_as_a_class, {}, "no class can be called mean"),
    "no such table": (lambda _: None, {"csv": "t.csv"}, "t.csv is no file"),
    "table of nothing": (table(""), {"csv": "t.csv"}, "has no column path (data.path_column); it has none"),
    "table without labels": (table("path,lable\na,b\n"), {"csv": "t.csv"}, "no column label (data.label_column)"),
    "table without groups": (table("path,label\na,b\n"), {"csv": "t.csv", "group_column": "who"}, "data.group_column"),
    "table without lines": (table("path,label\n"), {"csv": "t.csv"}, "lists no images"),
    "path outside": (table("path,label\n../x.png,a\n"), {"csv": "t.csv"}, "line 2 of"),
    "backslashes": (table("path,label\nbar\\bar_0000.png,a\nx.png,b\n"), {"csv": "t.csv"}, "Write / between folders"),
    "absent file": (table("path,label\nx.png,a\nbar/bar_0000.png,b\n"), {"csv": "t.csv"}, "x.png does not exist"),
    "the same twice": (table("path,label\nx.png,a\nx.png,b\n"), {"csv": "t.csv"}, "lists x.png more than once"),
    "a part that is none": (table("path,label,split\nx.png,a,dev\n"), {"csv": "t.csv"}, "split is dev"),
    "a label of nothing": (table("path,label\nx.png,\n"), {"csv": "t.csv"}, "line 2 of"),
    "no text": (
        lambda root: (root / "t.csv").write_bytes(b"\xff\xfe"),
        {"csv": "t.csv"},
        "no text in UTF-8",
    ),
    "a name that is not there": (
        lambda _: None,
        {"class_names": ["bar", "disc"]},
        "of the class ring, which is not in",
    ),
    "two channels": (lambda _: None, {"channels": 2}, "data.channels=2"),
    "no size": (lambda _: None, {"size": "big"}, "data.size=big is no size"),
    "size 0": (lambda _: None, {"size": 0}, "data.size=0 is no size"),
    "no image left to train": (lambda _: None, {"test_share": 0.8, "val_share": 0.5}, "no image of the class"),
}


@pytest.mark.parametrize("name", BAD_CLASSES)
def test_bad_folders_of_classes_are_refused(tmp_path: Path, name: str) -> None:
    damage, options, part = BAD_CLASSES[name]
    damage(write_classes(tmp_path / "d", each=4))
    message = refusal(classes(tmp_path / "d", **options))
    assert part in message
    assert len(message.splitlines()) == 2


def smaller_mask(root: Path) -> None:
    path = one(root / "masks")
    Image.open(path).resize((16, 16)).save(path)


BAD_MASKS: dict[str, tuple[Callable[[Path], object], dict[str, object], str]] = {
    "no such folder": (lambda _: None, {"masks": "labels"}, "data.masks=labels"),
    "image without mask": (lambda r: one(r / "masks").unlink(), {}, "photo_000.jpg has no mask."),
    "images without masks": (
        lambda r: [p.unlink() for p in (r / "masks").iterdir()],
        {},
        "photo_000.jpg has no mask (7 images more)",
    ),
    "mask without image": (lambda r: one(r / "images").unlink(), {}, "photo_000.png has no image"),
    "no images": (lambda r: [p.unlink() for p in r.rglob("*.*")], {}, "holds no pictures"),
    "two of one name": (
        lambda r: Image.new("RGB", (9, 9)).save(r / "images/photo_000.bmp"),
        {},
        "photo_000.jpg have one name",
    ),
    "mask of another size": (smaller_mask, {}, "has 16×16 pixels, its image 32×24"),
    "text file named .jpg": (lambda r: text_as_picture(r / "images"), {}, "photo_000.jpg is no picture"),
    "text file named .png": (lambda r: text_as_picture(r / "masks"), {}, "photo_000.png is no picture"),
    "labels above the classes": (lambda _: None, {"class_names": ["a", "b"]}, "holds the value 2"),
    "one class": (lambda _: None, {"class_names": ["a"]}, "one class alone, a"),
    "300 classes": (lambda _: None, {"class_names": [f"c{i}" for i in range(300)]}, "has 300 classes"),
    "no colour": (lambda _: None, {"colors": ["wall"]}, "'wall' is no name with a colour"),
    "a colour twice": (lambda _: None, {"colors": ["a #000000", "b #000000"]}, "two classes have the colour #000000"),
    "a name twice": (lambda _: None, {"colors": ["a #000000", "a #000001"]}, "two classes are called a"),
    "odd size": (lambda _: None, {"size": "33x24"}, "data.size=34x24"),
    "a border of no class": (lambda _: None, {"fit": "contain", "size": 32}, "Set data.ignore=255"),
    "turned image": (lambda r: turned(one(r / "images")), {}, "has 32×24 pixels, its image 24×32"),
}


@pytest.mark.parametrize("name", BAD_MASKS)
def test_bad_folders_of_masks_are_refused(tmp_path: Path, name: str) -> None:
    damage, options, part = BAD_MASKS[name]
    damage(write_masks(tmp_path, 8, 3))
    message = refusal(masks(tmp_path, **options))
    assert part in message
    assert len(message.splitlines()) == 2


def test_masks_of_unknown_colours_are_refused_with_their_colours(tmp_path: Path) -> None:
    message = refusal(masks(write_masks(tmp_path, 6, 2, kind="rgb")))
    assert "nothing says which class each is; it holds #" in message
    assert "#800000" in message


@pytest.mark.parametrize("above", ["", "train"])
def test_images_and_their_masks_are_no_two_classes(tmp_path: Path, above: str) -> None:
    root = tmp_path / "rooms"
    write_masks(root / above)
    error = refusal(classes(root))
    assert "images and their masks" in error
    assert "data=mask_folder" in error
    next((root / above / "masks").iterdir()).rename(root / above / "masks" / "other.png")
    assert open_source(classes(root)).info.class_names == ("images", "masks")
