"""The facade pairs: complete, in order and intact, or an error that names the file."""

import csv
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny
from PIL import Image
from tiny import checksums, one_byte_more, real_data, real_root, saved_again, write_facade

from fashseg.data.facade import CLASS_NAMES, PALETTE, Pair, buildings, read_facade, source_map
from fashseg.errors import UserError


def failure(root: Path, manifest: list[Pair]) -> UserError:
    with pytest.raises(UserError) as caught:
        read_facade(root, manifest=manifest)
    assert len(str(caught.value).splitlines()) == 2
    return caught.value


def write_manifest(root: Path, pairs: list[Pair]) -> Path:
    path = root / "facade" / "manifest.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["split", "index", "image_sha256", "mask_sha256"])
        writer.writerows([p.split, p.index, p.image_sha256, p.mask_sha256] for p in pairs)
    return path


def test_pairs_come_in_order_and_as_they_are(tmp_path: Path) -> None:
    manifest = write_facade(tmp_path, 30, 12)
    train, test = read_facade(tmp_path, manifest=manifest[::-1])
    for arrays, split, n in ((train, "train", 30), (test, "test_dev", 12)):
        assert arrays.images.shape == (n, 3, 256, 256)
        assert arrays.targets.shape == (n, 256, 256)
        assert arrays.images.dtype == arrays.targets.dtype == np.uint8
        assert arrays.images.flags.writeable
        for i in range(n):
            with Image.open(tmp_path / "facade" / split / f"eecs442_{i:04d}.jpg") as picture:
                assert (arrays.images[i] == np.asarray(picture).transpose(2, 0, 1)).all()
        assert (arrays.targets == np.arange(256) % 5).all()


def test_limit_reads_the_first_pairs_only(tmp_path: Path) -> None:
    manifest = write_facade(tmp_path)
    (tmp_path / "facade/train/eecs442_0003.jpg").unlink()
    train, test = read_facade(tmp_path, limit=3, manifest=manifest)
    assert len(train.images) == 3
    assert len(test.images) == 2


BOTH, IMAGE, MASK = (".jpg", ".png"), (".jpg",), (".png",)
DAMAGES: list[tuple[Callable[[Path], None], tuple[str, ...], str]] = [
    (tiny.missing, BOTH, "is missing"),
    (tiny.empty, BOTH, "is empty"),
    (tiny.half, BOTH, "damaged or incomplete"),
    (tiny.one_byte_more, BOTH, "is not the expected file"),
    (tiny.text, BOTH, "damaged or incomplete"),
    (tiny.folder, BOTH, "cannot be read (Is a directory)"),
    (tiny.wrong_size, BOTH, "300x200 pixels, expected are 256x256"),
    (tiny.wrong_mode, IMAGE, "has the mode L, expected is RGB"),
    (tiny.wrong_mode, MASK, "has the mode L, expected is P (palette)"),
    (tiny.rgba, IMAGE, "is no readable JPEG file"),
    (tiny.rgba, MASK, "has the mode RGBA, expected is P (palette)"),
    (tiny.cmyk, IMAGE, "has the mode CMYK, expected is RGB"),
    (tiny.palette_with_another_name, IMAGE, "is no readable JPEG file"),
    (tiny.sixteen_bits, MASK, "has the mode I;16, expected is P (palette)"),
    (tiny.turned, IMAGE, "EXIF orientation 6"),
    (tiny.animated, MASK, "holds 2 pictures"),
    (tiny.saved_again, IMAGE, "is not the expected file"),
    (tiny.value_7, MASK, "holds the value 7 at row 20, column 30; classes are 0 to 4"),
    (tiny.huge, MASK, "10000x10000 pixels"),
    (tiny.enormous, MASK, "is no readable PNG file"),
]


@pytest.mark.parametrize(
    ("damage", "suffix", "why"),
    [pytest.param(d, s, why, id=f"{d.__name__}{s}") for d, suffixes, why in DAMAGES for s in suffixes],
)
@pytest.mark.parametrize("split", ["train", "test_dev"])
def test_bad_file_is_named(tmp_path: Path, damage: Callable[[Path], None], suffix: str, why: str, split: str) -> None:
    manifest = write_facade(tmp_path, 3, 2)
    path = tmp_path / f"facade/{split}/eecs442_0001{suffix}"
    damage(path)
    error = failure(tmp_path, manifest)
    assert error.what.startswith(f"{path} ")
    assert why in error.what
    assert "more of" not in error.what
    assert "data=synthetic_facade" in error.way_out


@pytest.mark.parametrize(
    ("damage", "suffixes", "why"),
    [d for d in DAMAGES if d[0] in (tiny.wrong_size, tiny.wrong_mode, tiny.value_7, tiny.turned, tiny.animated)],
)
def test_pixels_are_checked_even_where_checksums_agree(
    tmp_path: Path, damage: Callable[[Path], None], suffixes: tuple[str, ...], why: str
) -> None:
    write_facade(tmp_path, 3, 2)
    path = tmp_path / f"facade/train/eecs442_0001{suffixes[0]}"
    damage(path)
    assert why in failure(tmp_path, checksums(tmp_path)).what


def test_many_bad_files_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    manifest = write_facade(tmp_path)
    for name in ("train/eecs442_0005.png", "train/eecs442_0002.png", "test_dev/eecs442_0000.jpg"):
        (tmp_path / "facade" / name).unlink()
    error = failure(tmp_path, manifest)
    assert error.what.startswith(str(tmp_path / "facade/train/eecs442_0002.png"))
    assert error.what.endswith("2 more of the 16 files are missing or bad.")


@pytest.mark.parametrize("gone", ["facade", "facade/train", "facade/test_dev"])
@pytest.mark.parametrize("replaced", [False, True])
def test_missing_folder_is_told_with_what_belongs_there(tmp_path: Path, gone: str, replaced: bool) -> None:
    for name in ("facade/train", "facade/test_dev"):
        if not name.startswith(gone):
            (tmp_path / name).mkdir(parents=True)
    if replaced:
        (tmp_path / gone).touch()
    error = failure(tmp_path, [])
    assert f"{tmp_path / gone} is {'not a folder' if replaced else 'missing'}" in error.what
    assert "train/eecs442_0000 to eecs442_0905" in error.what
    assert "no public download" in error.way_out
    assert "data=synthetic_facade" in error.way_out


def test_relative_root_is_told_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"{tmp_path}/data/facade" in failure(Path("data"), []).what


def test_own_manifest_takes_the_place_of_the_checksums(tmp_path: Path) -> None:
    published = write_facade(tmp_path)
    saved_again(tmp_path / "facade/train/eecs442_0001.jpg")
    error = failure(tmp_path, published)
    assert str(tmp_path / "facade/manifest.csv") in error.way_out
    write_manifest(tmp_path, checksums(tmp_path)[::-1])
    train, _ = read_facade(tmp_path, manifest=published)
    assert len(train.images) == 6
    one_byte_more(tmp_path / "facade/train/eecs442_0004.png")
    assert "eecs442_0004.png is not the expected file" in failure(tmp_path, published).what


def test_own_manifest_must_list_the_same_pairs(tmp_path: Path) -> None:
    pairs = write_facade(tmp_path)
    for wrong in (pairs[:-1], [*pairs, pairs[0]], [*pairs[:-1], pairs[0]], []):
        path = write_manifest(tmp_path, wrong)
        error = failure(tmp_path, pairs)
        assert str(path) in error.what
        assert "each of the 8 pairs once" in error.what


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"split,index,image_sha256\ntrain,0,0123456789abcdef\n", "has no column 'mask_sha256'"),
        (b"split,index,image_sha256,mask_sha256\ntrain,x,0123456789abcdef,0123456789abcdef\n", "cannot be used"),
        (b"split,index,image_sha256,mask_sha256\ntrain,0,0123456789abcdef\n", "'' is no checksum"),
        (b"split,index,image_sha256,mask_sha256\ntrain,0,0123456789abcdef,none\n", "'none' is no checksum"),
        (b"\xff\xfe\x00", "cannot be used"),
        (b"", "it has 0 lines"),
    ],
)
def test_unreadable_manifest_is_told(tmp_path: Path, body: bytes, why: str) -> None:
    pairs = write_facade(tmp_path, 1, 1)
    path = tmp_path / "facade/manifest.csv"
    path.write_bytes(body)
    error = failure(tmp_path, pairs)
    assert why in error.what
    assert f"delete {path}" in error.way_out


def test_source_map_knows_every_image() -> None:
    crops = source_map()
    assert [(c.split, c.index) for c in crops] == [
        *(("train", i) for i in range(906)),
        *(("test_dev", i) for i in range(114)),
    ]
    assert len({c.image_sha256 for c in crops}) == 1020
    assert {len(c.image_sha256) for c in crops} == {len(c.mask_sha256) for c in crops} == {16}
    right = [c for c in crops if (c.split, c.index) != ("train", 322)]
    assert {round(c.side_over_short, 1) for c in right} == {0.9}  # 256 / 286
    for c in right:
        assert -3 < c.crop_x0 < c.cmp_w - c.crop_side_px + 3
        assert -3 < c.crop_y0 < c.cmp_h - c.crop_side_px + 3


def test_training_and_test_show_no_common_building() -> None:
    train, test = buildings("train"), buildings("test_dev")
    assert (len(train), len(test)) == (906, 114)
    assert (len(set(train)), len(set(test))) == (302, 67)
    assert not set(train) & set(test)
    assert set(train[800:]) <= set(train[:800])
    assert train[0] == "cmp_b0175"
    with pytest.raises(ValueError, match="test_dev"):
        buildings("test")  # type: ignore[arg-type]


def test_one_colour_for_each_class() -> None:
    assert len(CLASS_NAMES) == len(set(PALETTE)) == 5


@real_data("facade/train")
def test_real_pairs_are_as_published() -> None:
    start = time.process_time()
    train, test = read_facade(real_root())
    assert time.process_time() - start < 12  # 1.2 s measured
    assert train.images.shape == (906, 3, 256, 256)
    assert test.targets.shape == (114, 256, 256)
    mean = train.images.mean(axis=(0, 2, 3))
    assert mean == pytest.approx([126.39, 118.92, 108.26], abs=0.006)
    share = np.bincount(test.targets.reshape(-1), minlength=5) / test.targets.size
    assert share == pytest.approx([0.336, 0.414, 0.028, 0.167, 0.055], abs=5e-4)
