"""Folders of one's own: what is found in them, and what is refused and how."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.own import SHAPES, shape_picture, write_classes, write_labelme, write_masks
from data.tiny import turned
from fashseg.config import ImageFolder, MaskFolder
from fashseg.data.folders.naming import voc_colours
from fashseg.data.folders.opening import opened
from fashseg.data.source import split_indices
from fashseg.data.sources import open_source
from fashseg.data.stored import load
from fashseg.errors import UserError


def classes(root: Path, **options: object) -> ImageFolder:
    return ImageFolder(name="image_folder", root=str(root), **options)  # type: ignore[arg-type]


def masks(root: Path, **options: object) -> MaskFolder:
    return MaskFolder(name="mask_folder", root=str(root), **options)  # type: ignore[arg-type]


def refusal(options: ImageFolder | MaskFolder) -> str:
    """The error of a data set that is opened, read and split."""

    def use() -> None:
        source = open_source(options)
        split_indices(source, options, len(load(source, options).train.images))

    with pytest.raises(UserError) as caught:
        use()
    return str(caught.value)


def test_a_folder_a_class_becomes_images_and_labels(tmp_path: Path) -> None:
    options = classes(write_classes(tmp_path, each=6))
    source = open_source(options)
    info = source.info
    assert (info.class_names, info.shape, info.fit) == (("bar", "disc", "ring"), (1, 24, 24), "stretch")
    train, test = load(source, options).train, load(source, options).test
    assert (len(train.images), len(test.images)) == (15, 3)
    pixels = train.images.numpy().astype(float)
    assert info.mean == pytest.approx([pixels.mean()], abs=1e-3)
    assert info.std == pytest.approx([pixels.std()], abs=1e-3)
    items = opened(options).parts.train
    assert [info.class_names[label] for label in train.targets.tolist()] == [item.target for item in items]
    np.testing.assert_array_equal(train.images[0, 0], np.asarray(Image.open(tmp_path / items[0].name)))


def test_folders_train_and_test_are_the_split(tmp_path: Path) -> None:
    options = classes(write_classes(tmp_path, each=4, parts=("train", "valid", "test")))
    source = open_source(options)
    parts = opened(options).parts
    assert {item.name.partition("/")[0] for item in parts.test} == {"test"}
    train, val = split_indices(source, options, len(parts.train))
    assert {parts.train[i].name.partition("/")[0] for i in train} == {"train"}
    assert {parts.train[i].name.partition("/")[0] for i in val} == {"valid"}
    other = classes(tmp_path, split_seed=7)
    assert split_indices(open_source(other), other, len(parts.train))[1].tolist() == val.tolist()


def test_a_table_takes_the_place_of_folders(tmp_path: Path) -> None:
    rows = ["file;kind;split;group"]
    for i in range(12):
        name = SHAPES[i % 3]
        (tmp_path / "all").mkdir(exist_ok=True)
        shape_picture(name, i).save(tmp_path / "all" / f"{i}.png")
        rows.append(f"all/{i}.png;{name};{['train', 'val', 'test', ''][i // 3]};p{i // 3}")
    (tmp_path / "t.csv").write_text("\ufeff" + "\n".join(rows), encoding="utf-8")
    options = classes(tmp_path, csv="t.csv", path_column="file", label_column="kind", split="group")
    source = open_source(options)
    assert source.info.class_names == ("bar", "disc", "ring")
    parts = opened(options).parts
    assert [item.name for item in parts.test] == ["all/6.png", "all/7.png", "all/8.png"]
    assert split_indices(source, options, 9)[1].tolist() == [3, 4, 5]
    assert source.groups is not None
    assert source.groups(options) == ["p0"] * 3 + ["p1"] * 3 + ["p3"] * 3


def test_numbers_are_classes_in_their_order_or_by_name(tmp_path: Path) -> None:
    for label in (2, 10):
        (tmp_path / str(label)).mkdir()
        for i in range(4):
            shape_picture("disc", i).save(tmp_path / str(label) / f"{i}.png")
    assert open_source(classes(tmp_path)).info.class_names == ("2", "10")
    names = [f"n{i}" for i in range(11)]
    assert open_source(classes(tmp_path, class_names=names)).info.class_names == tuple(names)
    assert {item.target for item in opened(classes(tmp_path, class_names=names)).parts.train} == {"n2", "n10"}
    assert "the label 10, but data.class_names has 3 names" in refusal(classes(tmp_path, class_names=["a", "b", "c"]))


@pytest.mark.parametrize("part", ["", "train/"])
def test_images_and_masks_are_matched_by_name(tmp_path: Path, part: str) -> None:
    root = write_masks(tmp_path, 8, 3, images=f"{part}images", masks=f"{part}masks")
    (tmp_path / part / "images" / ".hidden.jpg").write_bytes(b"")
    (tmp_path / part / "images" / "notes.txt").write_text("mine")
    options = masks(root)
    source = open_source(options)
    assert source.info.class_names == ("class 0", "class 1", "class 2")
    assert source.info.shape == (3, 24, 32)
    assert source.info.palette[0] == "#000000"
    stored = load(source, options)
    item = opened(options).parts.train[3]
    np.testing.assert_array_equal(stored.train.targets[3], np.asarray(Image.open(root / item.target)))


def test_masks_beside_their_images(tmp_path: Path) -> None:
    write_masks(tmp_path, 8, 2)
    for path in sorted((tmp_path / "masks").iterdir()):
        path.rename(tmp_path / "images" / f"{path.stem}_m.png")
    (tmp_path / "masks").rmdir()
    options = masks(tmp_path, masks="images", mask_suffix="_m")
    assert open_source(options).info.class_names == ("class 0", "class 1")
    assert "data.mask_suffix" in refusal(masks(tmp_path, masks="images"))


@pytest.mark.parametrize("rgb", [True, False])
def test_what_labelme_exports(tmp_path: Path, rgb: bool) -> None:
    root = write_labelme(tmp_path, rgb=rgb)
    options = masks(root, images="JPEGImages", masks="SegmentationClassPNG", ignore=255)
    info = open_source(options).info
    assert len(info.class_names) == 9
    assert info.palette == tuple(voc_colours(9))
    assert info.palette[1:3] == ("#800000", "#008000")
    assert info.ignore == 255
    # With __ignore__ in front, as its labels.txt has it, the value is known.
    (root / "class_names.txt").rename(root / "labels.txt")
    text = (root / "labels.txt").read_text(encoding="utf-8")
    (root / "labels.txt").write_text(f"__ignore__\n{text}", encoding="utf-8")
    assert open_source(masks(root, images="JPEGImages", masks="SegmentationClassPNG")).info == info


def test_colours_of_a_list_and_of_cvat(tmp_path: Path) -> None:
    root = write_masks(tmp_path, 9, 3, kind="rgb", border=True)
    names = ["sky", "old wall", "tree: big"]
    entries = [f"{name}: {colour}" for name, colour in zip(names, voc_colours(3), strict=True)]
    options = masks(root, colors=[*entries, "__ignore__ #E0E0C0"])
    info = open_source(options).info
    assert info.class_names == ("sky", "old wall", "tree: big")
    assert info.ignore == 255
    lines = ["sky:0,0,0::", "wall:128,0,0::", "tree:0,128,0::"]
    assert "colour #E0E0C0 at row 0, column 0" in refusal(masks(root, colors=entries))
    (root / "labelmap.txt").write_text("# label:color_rgb:parts:actions\n" + "\n".join(lines), encoding="utf-8")
    assert "colour #E0E0C0 at row 0, column 0" in refusal(masks(root))


def test_black_and_white_masks_are_colours_where_they_are_named(tmp_path: Path) -> None:
    root = write_masks(tmp_path, 6, 2)
    for path in (root / "masks").iterdir():
        Image.fromarray(np.asarray(Image.open(path)) * np.uint8(255)).save(path)
    assert "values 0, 255, which nothing names" in refusal(masks(root))
    options = masks(root, colors=["ground #000000", "crack #ffffff"])
    assert set(load(open_source(options), options).train.targets.unique().tolist()) == {0, 1}


def one(root: Path) -> Path:
    return min(path for path in root.rglob("*") if path.is_file())


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


def test_what_is_found_is_kept_until_the_folder_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fashseg.data.folders import headers, source

    root = write_classes(tmp_path, each=4)
    first = open_source(classes(root)).info
    with monkeypatch.context() as patch:
        patch.setattr(headers, "_header", None)
        patch.setattr(source, "_measure", None)
        assert open_source(classes(root)).info == first
    Image.new("L", (24, 24), 255).save(one(root))
    assert open_source(classes(root)).info.mean[0] > first.mean[0]
