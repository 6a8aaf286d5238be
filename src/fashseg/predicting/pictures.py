"""Pictures for models: see `fashseg.data.pictures`, which reads them. Imports no torch."""

from pathlib import Path

from PIL import Image

from fashseg.data.pictures import BadPictureError, Picture, as_picture, decode_picture, opened_picture, read_with
from fashseg.data.pictures import read_picture as read_whole_picture

__all__ = ["BadPictureError", "Picture", "as_picture", "decode_picture", "inside", "read_picture"]


def read_picture(path: str | Path, enough: int | None = None) -> Picture:
    """The picture in a file, of an animation the first frame.

    Args:
        path: of the file.
        enough: pixels of its sides that will do: a larger JPEG is decoded to half, a quarter or an eighth of its size,
            in a third of the time.

    Raises:
        BadPictureError: it can't be read, is no picture, is damaged, or has too many pixels.
    """
    if enough is None:
        return read_whole_picture(path)

    def take(image: Image.Image) -> Picture:
        image.draft(None, (enough, enough))
        return opened_picture(image, str(path))

    return read_with(path, take)


def inside(image: Image.Image, size: tuple[int, int], resample: Image.Resampling) -> Image.Image:
    """The image resized so that it just fits into width and height, its sides in proportion but never nothing."""
    factor = min(size[0] / image.width, size[1] / image.height)
    return image.resize((max(1, round(image.width * factor)), max(1, round(image.height * factor))), resample)
