"""A picture of any size as an image of the shape that a model takes, by ``DataInfo.fit``."""

import numpy as np
from PIL import Image, ImageOps

from fashseg.data.info import DataInfo, UInt8Array
from fashseg.errors import UserError
from fashseg.predicting.garment import Done, Wishes, fit_garment
from fashseg.predicting.pictures import Picture, inside

MOST_ENLARGED = 2**22  # pixels that a smaller picture is enlarged to, at most: a line of 1×5000 is no 286×1,430,000
_MODES = {1: "L", 3: "RGB"}
_SMOOTH = Image.Resampling.BICUBIC


def fit(picture: Picture, info: DataInfo, wishes: Wishes) -> tuple[UInt8Array, Done]:
    """An image for a classifier.

    Args:
        picture: of any size.
        info: what the model was trained on.
        wishes: for garments, what is to be done to them.

    Returns:
        uint8 (C, H, W) of ``info.shape``, and what was done.
    """
    _, height, width = info.shape
    if info.fit == "garment":
        image, done = fit_garment(picture, height, width, wishes)
        return channels(image, info), done
    image = picture.image.convert(mode_of(info))
    size = (width, height)
    if image.size == size:
        pass
    elif info.fit == "stretch":
        image = image.resize(size, _SMOOTH)
    elif info.fit == "contain":
        image = _contain(image, info)
    else:
        image = ImageOps.fit(image, size, _SMOOTH)
    return channels(image, info), Done()


def size_seen(size: tuple[int, int], info: DataInfo) -> tuple[int, int]:
    """Height and width that a segmenter is given a picture in, so that things are as large as in training.

    As training fits pictures, but with all of it: nothing is cut off that ``cover`` would, nor a border added.
    """
    (height, width), (_, trained_height, trained_width) = size, info.shape
    if info.fit == "stretch":
        return trained_height, trained_width
    factors = {
        "scale": (info.short_side or min(size)) / min(size),
        "cover": max(trained_height / height, trained_width / width),
        "contain": min(trained_height / height, trained_width / width),
    }
    return scaled(size, factors.get(info.fit, 1.0))


def scaled(size: tuple[int, int], factor: float) -> tuple[int, int]:
    """Height and width times a factor, but not enlarged without end."""
    pixels = size[0] * size[1]
    factor = min(factor, (max(MOST_ENLARGED, pixels) / pixels) ** 0.5)
    height, width = (max(1, round(side * factor)) for side in size)
    return height, width


def mode_of(info: DataInfo) -> str:
    """Pillow's mode of the images that a model takes.

    Raises:
        UserError: its images are no pictures.
    """
    if info.shape[0] not in _MODES:
        raise UserError(
            f"the model takes images of {info.shape[0]} channels, pictures have 1 or 3.",
            "Call its network from Python: task(images) of fashseg.trained.load_trained.",
        )
    return _MODES[info.shape[0]]


def channels(image: Image.Image, info: DataInfo) -> UInt8Array:
    """The pixels as uint8 (C, H, W), grey or colour as the model takes them."""
    if image.mode != mode_of(info):
        image = image.convert(mode_of(info))
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _contain(image: Image.Image, info: DataInfo) -> Image.Image:
    size = info.shape[2], info.shape[1]
    small = inside(image, size, _SMOOTH)
    mean = tuple(round(value) for value in info.mean)
    canvas = Image.new(image.mode, size, mean if len(mean) > 1 else mean[0])
    canvas.paste(small, ((size[0] - small.width) // 2, (size[1] - small.height) // 2))
    return canvas
