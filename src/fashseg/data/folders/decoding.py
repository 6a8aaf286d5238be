"""From picture files to arrays: every image of one size and kind, with its class or its mask."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from fashseg.data.folders.items import Item
from fashseg.data.folders.masks import MaskReader, name_the_others
from fashseg.data.info import Arrays, UInt8Array
from fashseg.data.pictures import BadPictureError, read_picture
from fashseg.errors import UserError
from fashseg.text import counted

Box = tuple[int, int, int, int]

_PIECE = 512  # images that are decoded at once, where all do not fit in memory


@dataclass(frozen=True)
class Plan:
    """What images become.

    Attributes:
        root: paths are below it.
        shape: channels, height, width.
        fit: as ``data.fit``.
        names: classes of images, by label value; empty where there are masks.
        masks: reads them; None where there are none.
    """

    root: Path
    shape: tuple[int, int, int]
    fit: str
    names: tuple[str, ...] = ()
    masks: MaskReader | None = None


def decode_sets(plan: Plan, train: Sequence[Item], test: Sequence[Item]) -> tuple[Arrays, Arrays]:
    """Training and test set.

    Raises:
        UserError: a file is damaged, or does not fit; all are looked at, and the first one is named.
    """
    sets = [_empty(plan, items) for items in (train, test)]
    jobs = [
        (plan, item, arrays, i)
        for items, arrays in zip((train, test), sets, strict=True)
        for i, item in enumerate(items)
    ]
    with ThreadPoolExecutor() as pool:
        outcomes = list(pool.map(lambda job: _decode(*job), jobs))
    problems = [outcome for outcome in outcomes if isinstance(outcome, str)]
    if problems:
        more = f" {counted(len(problems) - 1, 'more file')} can't be used." if problems[1:] else ""
        raise UserError(
            f"{problems[0]}.{more}",
            name_the_others(problems) or "Mend or remove them; python -m fashseg.prepare with these options lists all.",
        )
    if plan.fit == "contain":
        boxes = [outcome for outcome in outcomes if not isinstance(outcome, str)]
        _fill(sets[0].images, boxes[: len(train)], fill := _mean_inside(sets[0].images, boxes))
        _fill(sets[1].images, boxes[len(train) :], fill)
    return sets[0], sets[1]


def decode_pieces(plan: Plan, items: Sequence[Item]) -> Iterator[Arrays]:
    """The same images of one set, some at a time; not for ``contain``, whose border takes a look at all of them."""
    assert plan.fit != "contain"
    for first in range(0, len(items), _PIECE):
        yield decode_sets(plan, items[first : first + _PIECE], [])[0]


def _empty(plan: Plan, items: Sequence[Item]) -> Arrays:
    target = plan.shape[1:] if plan.masks else ()
    return Arrays(np.empty((len(items), *plan.shape), np.uint8), np.empty((len(items), *target), np.uint8))


def _decode(plan: Plan, item: Item, arrays: Arrays, i: int) -> Box | str:
    """Decode into place ``i``; returns where the picture lies in the image, or what is wrong."""
    channels, height, width = plan.shape
    try:
        image = read_picture(plan.root / item.name).image
        pixels, box = fitted(image.convert("L" if channels == 1 else "RGB"), height, width, plan.fit)
    except BadPictureError as error:
        return f"{plan.root / item.name} {error}"
    arrays.images[i] = pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
    if plan.masks is None:
        arrays.targets[i] = plan.names.index(item.target)
        return box
    try:
        labels = Image.fromarray(plan.masks.read(plan.root / item.target))
        if labels.size != image.size:
            raise BadPictureError(
                f"has {labels.width}×{labels.height} pixels, its image {image.width}×{image.height}; they must be equal"
            )
    except BadPictureError as error:
        return f"{plan.root / item.target} {error}"
    fill = plan.masks.naming.ignore or 0
    arrays.targets[i] = fitted(labels, height, width, plan.fit, Image.Resampling.NEAREST, fill)[0]
    return box


def fitted(
    image: Image.Image,
    height: int,
    width: int,
    fit: str,
    filter: Image.Resampling = Image.Resampling.BICUBIC,
    fill: int = 0,
) -> tuple[UInt8Array, Box]:
    """Pixels of a picture brought to a size.

    Args:
        image: of Pillow's mode ``L`` or ``RGB``.
        height: of the result.
        width: of the result.
        fit: ``stretch``, ``cover`` or ``contain``, see `fashseg.data.info.DataInfo`.
        filter: for resizing; pictures that are made smaller are averaged.
        fill: of what ``contain`` leaves.

    Returns:
        uint8 (height, width) or (height, width, 3), and where the picture lies in it: left, top, right, bottom.
    """
    if fit == "cover":
        return np.asarray(ImageOps.fit(image, (width, height), filter)), (0, 0, width, height)
    if fit == "stretch":
        return np.asarray(image.resize((width, height), filter)), (0, 0, width, height)
    factor = min(width / image.width, height / image.height)
    inside = image.resize((max(1, round(image.width * factor)), max(1, round(image.height * factor))), filter)
    left, top = (width - inside.width) // 2, (height - inside.height) // 2
    whole = Image.new(image.mode, (width, height), fill if image.mode == "L" else (fill,) * 3)
    whole.paste(inside, (left, top))
    return np.asarray(whole), (left, top, left + inside.width, top + inside.height)


def _mean_inside(images: UInt8Array, boxes: Sequence[Box]) -> list[int]:
    """Per channel the mean of what is not border."""
    total, count = np.zeros(images.shape[1]), 0
    for image, (left, top, right, bottom) in zip(images, boxes, strict=False):
        total += image[:, top:bottom, left:right].sum((1, 2), dtype=np.int64)
        count += (bottom - top) * (right - left)
    return [round(value / count) for value in total.tolist()]


def _fill(images: UInt8Array, boxes: Sequence[Box], colour: Sequence[int]) -> None:
    for image, (left, top, right, bottom) in zip(images, boxes, strict=True):
        for channel, value in zip(image, colour, strict=True):
            channel[:top], channel[bottom:], channel[:, :left], channel[:, right:] = value, value, value, value
