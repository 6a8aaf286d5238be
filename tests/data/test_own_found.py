"""Folders of one's own: what is found in them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.own_folders import SHAPES, shape_picture, write_classes, write_labelme, write_masks
from data.own_options import classes, masks, one, refusal
from fashseg.data.folders.naming import voc_colours
from fashseg.data.folders.opening import opened
from fashseg.data.source import split_indices
from fashseg.data.sources import open_source
from fashseg.data.stored import load


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


@pytest.mark.parametrize("kinds", ["{part}/images {part}/masks", "images/{part} masks/{part}"], ids=["above", "below"])
def test_folders_of_the_parts_are_the_parts(tmp_path: Path, kinds: str) -> None:
    for part, count in (("train", 9), ("val", 4), ("test", 3)):
        images, there = kinds.format(part=part).split()
        write_masks(tmp_path, count, 2, images=images, masks=there)
    options = masks(tmp_path)
    found = opened(options).parts
    train, val = split_indices(open_source(options), options, len(found.train))
    sides = {"train": [found.train[i] for i in train], "val": [found.train[i] for i in val], "test": found.test}
    for part, count in (("train", 9), ("val", 4), ("test", 3)):
        assert [part in item.name.split("/") for item in sides[part]] == [True] * count
