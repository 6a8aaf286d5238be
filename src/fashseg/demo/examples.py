"""Small pictures to click: test images where the data is at hand, else drawn ones."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from fashseg.data.facade_pictures import SIDE
from fashseg.data.fashion_mnist import FOLDER, parse_idx
from fashseg.data.info import DataInfo, UInt8Array
from fashseg.data.reading import read_at_most
from fashseg.data.synthetic_facade import draw_facades
from fashseg.data.synthetic_fashion import draw_garments
from fashseg.predicting.pictures import BadPictureError, read_picture

_FACADES = (13, 40, 44)  # of the test images
_GARMENTS = (0, 2, 8)
_MOST_BYTES = 2**26  # of the file of garments
_PHOTOGRAPH = 280  # pixels of the sides of a garment that is shown as on a photograph


@dataclass(frozen=True)
class Example:
    """One picture.

    Attributes:
        path: of its file.
        task: of the models that it is for.
        drawn: by code.
    """

    path: Path
    task: str
    drawn: bool


def make_examples(infos: Sequence[DataInfo], root: Path, folder: Path) -> list[Example]:
    """Write examples for models of facades and of garments; for other models there are none.

    Args:
        infos: what the models were trained on.
        root: folder that holds the data sets; what is not there, or damaged, is drawn.
        folder: where the files are written.
    """
    made: list[Example] = []
    if any(is_for(info, "segmentation") for info in infos):
        made += _written(_facades(root), draw_facades(len(_FACADES), seed=3).images, "segmentation", folder)
    if any(is_for(info, "classification") for info in infos):
        made += _written(_garments(root), draw_garments(len(_GARMENTS), seed=3).images, "classification", folder)
    return made


def is_for(info: DataInfo, task: str) -> bool:
    """Whether the examples of a task are what a model knows."""
    return info.task == task and (info.fit == "garment" if task == "classification" else "facade" in info.name)


def _written(found: list[Image.Image], drawn: UInt8Array, task: str, folder: Path) -> Iterator[Example]:
    pictures = found or [_as_image(image) for image in drawn]
    for number, picture in enumerate(pictures):
        if task == "classification" and number:  # the first one as it is, the others dark on white and larger
            size = (_PHOTOGRAPH, _PHOTOGRAPH)
            picture = ImageOps.expand(ImageOps.invert(picture).resize(size, Image.Resampling.BICUBIC), 20, 255)
        noun = "facade" if task == "segmentation" else "garment"
        path = folder / f"{noun}_{number + 1}.png"
        picture.save(path)
        yield Example(path, task, not found)


def _as_image(pixels: UInt8Array) -> Image.Image:
    return Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))


def _facades(root: Path) -> list[Image.Image]:
    try:
        paths = [root / "facade" / "test_dev" / f"eecs442_{number:04d}.jpg" for number in _FACADES]
        pictures = [read_picture(path).image for path in paths]
    except BadPictureError:
        return []
    return pictures if all(picture.size == (SIDE, SIDE) for picture in pictures) else []


def _garments(root: Path) -> list[Image.Image]:
    """The file is read as far as it is needed."""
    count = max(_GARMENTS) + 1
    try:
        packed = read_at_most(root / FOLDER / "t10k-images-idx3-ubyte.gz", _MOST_BYTES)
        with gzip.open(BytesIO(packed)) as file:
            header, pixels = file.read(16), file.read(count * 28 * 28)
        images = parse_idx(header[:4] + count.to_bytes(4, "big") + header[8:] + pixels, 3)
    except (OSError, ValueError, EOFError, gzip.BadGzipFile, zlib.error):
        return []
    return [Image.fromarray(images[number]) for number in _GARMENTS]
