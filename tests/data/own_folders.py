"""Tiny folders of pictures of one's own, drawn by code, in the layouts that people have."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from fashseg.data.folders.naming import voc_colours
from fashseg.data.info import UInt8Array

SHAPES = ("disc", "ring", "bar")
LABELME = ("_background_", "sky", "roof", "wall", "window", "door", "tree", "street", "car")
IGNORED = 255


def shape_picture(name: str, seed: int, side: int = 24) -> Image.Image:
    """A grey picture of one of `SHAPES`, somewhere, on noise."""
    rng = np.random.default_rng([seed, SHAPES.index(name)])
    image = Image.fromarray(rng.integers(0, 60, (side, side), np.uint8))
    x, y = (int(v) for v in rng.integers(2, side // 3, 2))
    box, light = (x, y, x + side // 2, y + side // 2), int(rng.integers(160, 250))
    draw = ImageDraw.Draw(image)
    if name == "bar":
        draw.rectangle((x, y, x + side // 6, y + side // 2), fill=light)
    else:
        draw.ellipse(box, fill=light if name == "disc" else None, outline=light, width=3)
    return image


def write_classes(root: Path, each: int = 8, parts: tuple[str, ...] = ("",), side: int = 24) -> Path:
    """A folder a class; ``parts`` are folders above, such as train and test."""
    for number, part in enumerate(parts):
        for name in SHAPES:
            folder = root / part / name
            folder.mkdir(parents=True)
            for i in range(each):
                shape_picture(name, 1000 * number + i, side).save(folder / f"{name}_{number}{i:03d}.png")
    return root


def labels(seed: int, classes: int, height: int = 24, width: int = 32) -> UInt8Array:
    """A mask of stripes and a block: each class in most of the masks, and all classes in each third of them."""
    rng = np.random.default_rng(seed)
    mask = ((np.arange(width) * classes // width + seed) % classes)[None].repeat(height, 0)
    y, x = rng.integers(0, (height // 2, width // 2))
    mask[y : y + height // 3, x : x + width // 3] = rng.integers(classes)
    return mask.astype(np.uint8)


def picture_of(mask: UInt8Array, seed: int) -> Image.Image:
    """A colour picture in which each class has its colour, with noise."""
    colours = np.random.default_rng(1).integers(30, 220, (256, 3))
    noise = np.random.default_rng(seed).integers(-25, 25, (*mask.shape, 3))
    return Image.fromarray((colours[mask] + noise).clip(0, 255).astype(np.uint8))


def coloured(mask: UInt8Array, colours: list[str]) -> Image.Image:
    """The mask as an RGB picture."""
    table = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours], np.uint8)
    return Image.fromarray(table[mask])


def with_palette(mask: UInt8Array, colours: list[str]) -> Image.Image:
    """The mask as a palette picture."""
    image = Image.fromarray(mask).convert("L")
    image.putpalette([int(c[i : i + 2], 16) for c in colours for i in (1, 3, 5)])
    return image


def write_masks(
    root: Path,
    count: int = 12,
    classes: int = 3,
    *,
    kind: str = "grey",
    images: str = "images",
    masks: str = "masks",
    border: bool = False,
    size: tuple[int, int] = (24, 32),
) -> Path:
    """Images and masks of one of the kinds grey, palette and rgb; ``border`` has some pixels count for nothing."""
    for folder in (images, masks):
        (root / folder).mkdir(parents=True)
    colours = voc_colours(256)
    for i in range(count):
        mask = labels(i, classes, *size)
        picture_of(mask, i).save(root / images / f"photo_{i:03d}.jpg", quality=95)
        if border:
            mask[:2] = IGNORED
        image = Image.fromarray(mask)
        if kind != "grey":
            image = (with_palette if kind == "palette" else coloured)(mask, colours)
        image.save(root / masks / f"photo_{i:03d}.png")
    return root


def write_labelme(root: Path, count: int = 18, *, rgb: bool = True) -> Path:
    """What LabelMe's export to VOC writes: nine classes, names in class_names.txt, masks in the colours of VOC."""
    kind = "rgb" if rgb else "palette"
    write_masks(root, count, len(LABELME), kind=kind, images="JPEGImages", masks="SegmentationClassPNG", border=True)
    (root / "class_names.txt").write_text("\n".join(LABELME) + "\n", encoding="utf-8")
    return root
