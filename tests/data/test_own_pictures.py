"""Pictures of any kind as images of one size, and masks of any kind as labels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.own_folders import coloured, labels, picture_of, with_palette, write_masks
from data.tiny import real_data, real_root
from fashseg.config import ImageFolder, MaskFolder
from fashseg.data.facade import CLASS_NAMES, PALETTE, read_facade
from fashseg.data.folders.decoding import fitted
from fashseg.data.folders.masks import MaskReader
from fashseg.data.folders.naming import Naming, voc_colours
from fashseg.data.folders.opening import opened
from fashseg.data.folders.palettes import generated_palette
from fashseg.data.sources import open_source
from fashseg.data.stored import load

KINDS = {
    "grey": lambda image: image.convert("L"),
    "palette": lambda image: image.convert("P", palette=Image.Palette.ADAPTIVE),
    "RGBA": lambda image: image.convert("RGBA"),
    "CMYK": lambda image: image.convert("CMYK"),
    "16 bits": lambda image: Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257),
    "1 bit": lambda image: image.convert("1"),
    "with opacity": lambda image: image.convert("LA"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_picture_becomes_the_same_image(tmp_path: Path, kind: str, channels: int) -> None:
    original = picture_of(labels(0, 3, 40, 60), 0).resize((300, 200))
    for number, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        for i in range(3):
            suffix = ".jpg" if kind == "CMYK" else ".png"
            KINDS[kind](original).save(
                tmp_path / name / f"{number}{i}{suffix}", **({"quality": 98} if suffix == ".jpg" else {})
            )
    options = ImageFolder(name="image_folder", root=str(tmp_path), size="30x20", channels=channels)
    image = load(open_source(options), options).train.images[0].numpy()
    assert image.shape == (channels, 20, 30)
    wanted = original.convert("L" if channels == 1 or kind not in ("palette", "RGBA", "CMYK") else "RGB")
    truth = np.asarray(wanted.resize((30, 20), Image.Resampling.BICUBIC)).astype(int)
    truth = truth[None] if truth.ndim == 2 else truth.transpose(2, 0, 1)
    assert np.abs(image - truth).mean() < (40 if kind == "1 bit" else 8)


def test_a_picture_that_is_to_be_turned_is_turned(tmp_path: Path) -> None:
    upright = picture_of(labels(0, 2, 40, 24), 0)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees to the right
    for name in "ab":
        (tmp_path / name).mkdir()
        for i in range(3):
            upright.rotate(90, expand=True).save(tmp_path / name / f"{i}.png", exif=exif)
    options = ImageFolder(name="image_folder", root=str(tmp_path))
    source = open_source(options)
    assert source.info.shape == (3, 40, 24)
    image = load(source, options).train.images[0].numpy()
    np.testing.assert_array_equal(image.transpose(1, 2, 0), np.asarray(upright))


def test_how_a_picture_fills_its_image() -> None:
    wide = Image.fromarray(np.tile(np.arange(80, dtype=np.uint8), (20, 1)))
    stretched, box = fitted(wide, 20, 20, "stretch")
    assert (stretched.shape, box) == ((20, 20), (0, 0, 20, 20))
    assert stretched[0, 0] < 4 and stretched[0, -1] > 75  # noqa: PT018
    middle, _ = fitted(wide, 20, 20, "cover")
    np.testing.assert_array_equal(middle, np.asarray(wide)[:, 30:50])
    inside, box = fitted(wide, 20, 20, "contain", fill=9)
    assert box == (0, 7, 20, 12)
    assert set(np.unique(np.delete(inside, np.s_[7:12], 0))) == {9}


def test_a_border_has_the_mean_and_counts_for_nothing(tmp_path: Path) -> None:
    root = write_masks(tmp_path, 8, 2, size=(24, 32))
    options = MaskFolder(name="mask_folder", root=str(root), size=32, fit="contain", ignore=255)
    source = open_source(options)
    train = load(source, options).train
    assert set(train.targets[:, :4].unique().tolist()) == {255}
    assert set(train.targets[:, 4:28].unique().tolist()) == {0, 1}
    inside = train.images[:, :, 4:28].double().mean((0, 2, 3))
    assert train.images[0, :, 0, 0].tolist() == inside.round().tolist()
    assert source.info.mean == pytest.approx(inside.tolist(), abs=0.2)


@pytest.mark.parametrize("how", ["auto", "values", "colors"])
def test_masks_of_every_kind_give_the_same_labels(tmp_path: Path, how: str) -> None:
    mask = labels(0, 5, 20, 30)
    mask[0] = 255
    colours = voc_colours(256)
    naming = Naming(tuple("abcde"), tuple(colours[:5]), 255, colours[255])
    kinds = {
        "values": {
            "grey": Image.fromarray(mask),
            "palette": with_palette(mask, colours),
            "16": Image.fromarray(mask.astype(np.uint16)),
            "thrice": Image.fromarray(mask[..., None].repeat(3, 2)),
        },
        "colors": {"RGB": coloured(mask, colours), "RGBA": coloured(mask, colours).convert("RGBA")},
    }
    kinds["auto"] = {k: v for group in kinds.values() for k, v in group.items() if k != "thrice"}
    for name, image in kinds[how].items():
        image.save(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(MaskReader(naming, how).read(tmp_path / f"{name}.png"), mask)


def test_masks_are_resized_without_new_labels(tmp_path: Path) -> None:
    root = write_masks(tmp_path, 8, 3, border=True, size=(48, 64))
    options = MaskFolder(name="mask_folder", root=str(root), size="20x30", ignore=255)
    targets = load(open_source(options), options).train.targets
    assert targets.shape[1:] == (30, 20)
    assert set(targets.unique().tolist()) == {0, 1, 2, 255}


def test_colours_for_any_number_of_classes() -> None:
    for count in (2, 9, 20, 21, 100, 254):
        colours = generated_palette(count)
        assert len(set(colours)) == count
    assert generated_palette(9) == generated_palette(100)[:9]


@pytest.mark.parametrize(
    ("kind", "sizes", "wanted"), [("mask", 1, (256, 344)), ("mask", 2, (256, 256)), ("class", 1, (64, 64))]
)
def test_large_pictures_become_a_size_that_networks_take(
    tmp_path: Path, kind: str, sizes: int, wanted: tuple[int, int]
) -> None:
    for folder in ("images", "masks") if kind == "mask" else ("cats", "dogs"):
        (tmp_path / folder).mkdir()
        for i in range(6):
            size = (800, 600 - 100 * (i % sizes))
            Image.new("L", size, i % 2).save(tmp_path / folder / f"{i}.png")
    options = (MaskFolder if kind == "mask" else ImageFolder)(
        name=f"{'mask' if kind == 'mask' else 'image'}_folder", root=str(tmp_path)
    )
    assert opened(options).plan.shape[1:] == wanted


@real_data("facade")
def test_the_facades_as_ones_own_are_the_same_arrays(tmp_path: Path) -> None:
    count = 6
    folder = real_root() / "facade" / "train"
    for i in range(count):
        for suffix, name in ((".jpg", "images"), (".png", "masks")):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / f"{i}{suffix}").symlink_to(folder / f"eecs442_{i:04d}{suffix}")
    entries = [f"{name} {colour}" for name, colour in zip(CLASS_NAMES, PALETTE, strict=True)]
    wanted, _ = read_facade(real_root(), limit=count)
    for named in ({"colors": entries}, {"class_names": list(CLASS_NAMES)}):
        options = MaskFolder(name="mask_folder", root=str(tmp_path), **named)  # type: ignore[arg-type]
        source = open_source(options)
        assert (source.info.class_names, source.info.palette, source.info.shape) == (
            CLASS_NAMES,
            PALETTE,
            (3, 256, 256),
        )
        stored = load(source, options)
        parts = opened(options).parts
        for part, found in ((parts.train, stored.train), (parts.test, stored.test)):
            for place, item in enumerate(part):
                number = int(Path(item.name).stem)
                np.testing.assert_array_equal(found.images[place], wanted.images[number])
                np.testing.assert_array_equal(found.targets[place], wanted.targets[number])
