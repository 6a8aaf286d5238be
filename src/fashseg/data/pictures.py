"""Reading pictures that may be anything: any size, kind of pixels and orientation, damaged, or no picture at all.

Imports no torch.
"""

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from fashseg.data.reading import read_at_most

Result = TypeVar("Result")

MOST_PIXELS = 250_000_000
MOST_BYTES = 2**30
# Those that hold pixels alone. Pillow knows more, of which one starts an interpreter (EPS) and some have no mark by
# which they are told from text.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF", "ICO")
SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".avif", ".ico"),
    )
)

_OPENING = threading.Lock()
_TURNED = range(2, 9)  # values of the EXIF tag: mirrored, turned, or both
_WHITE = (255, 255, 255)


class BadPictureError(Exception):
    """What is wrong with a picture; reads on from its name."""


@dataclass(frozen=True)
class Picture:
    """A picture upright, as one would see it.

    Attributes:
        image: of Pillow's mode ``L`` or ``RGB``; where it is transparent, white shows through.
        opacity: of Pillow's mode ``L``, 255 where nothing shows through; None where that is everywhere.
        name: what it is called.
    """

    image: Image.Image
    opacity: Image.Image | None = None
    name: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.height, self.image.width


def read_picture(path: str | Path) -> Picture:
    """The picture in a file, of an animation the first frame.

    Raises:
        BadPictureError: it can't be read, is no picture, is damaged, or has more than `MOST_PIXELS` pixels.
    """
    return read_with(path, lambda image: opened_picture(image, str(path)))


def read_with(path: str | Path, take: Callable[[Image.Image], Result]) -> Result:
    """What ``take`` makes of the picture in a file, which is closed afterwards.

    Raises:
        BadPictureError: as `read_picture`.
    """
    try:
        data = read_at_most(path, MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        raise BadPictureError("does not exist") from None
    except IsADirectoryError:
        raise BadPictureError("is a folder") from None
    except OSError as error:
        raise BadPictureError(f"can't be read: {error.strerror}") from error
    except ValueError as error:  # a zero byte in its name
        raise BadPictureError(f"can't be read: {error}") from error
    return decode_with(data, take)


def decode_picture(data: bytes, name: str = "") -> Picture:
    """The picture in the bytes of a file.

    Raises:
        BadPictureError: as `read_picture`.
    """
    return decode_with(data, lambda image: opened_picture(image, name))


def decode_with(data: bytes, take: Callable[[Image.Image], Result]) -> Result:
    """What ``take`` makes of the picture in the bytes of a file.

    Raises:
        BadPictureError: as `read_picture`.
    """
    return _taken(BytesIO(data), take)


def _taken(file: BinaryIO, take: Callable[[Image.Image], Result]) -> Result:
    if not file.read(1):
        raise BadPictureError("is empty")
    file.seek(0)
    try:
        # What Pillow warns of, such as a damaged tag, does not concern the pixels; those it raises for.
        with _open(file) as image:
            return take(image)
    except BadPictureError:
        raise
    except UnidentifiedImageError:
        raise BadPictureError(f"is no picture of a known format ({', '.join(FORMATS)})") from None
    except MemoryError:
        raise BadPictureError("does not fit into memory") from None
    except Exception as error:  # on damaged files Pillow raises nearly anything
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise BadPictureError(f"is damaged or incomplete: {reason}") from error


def head_of(path: Path, take: Callable[[Image.Image], Result]) -> Result:
    """What ``take`` makes of a picture that is opened and not decoded.

    Raises:
        OSError: the file can't be opened.
        BadPictureError: it is no picture, or its head is damaged.
    """
    with path.open("rb") as file:
        return _taken(file, take)


def _open(file: BinaryIO) -> Image.Image:
    """Open with a limit of our own: Pillow's warns of photographs of today, and is one for the whole process."""
    with _OPENING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(file, formats=FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = before
    if image.width * image.height > MOST_PIXELS:
        raise BadPictureError(f"has {image.width:,}×{image.height:,} pixels, more than {MOST_PIXELS:,}")
    return image


def as_picture(image: Image.Image | npt.NDArray[Any], name: str = "") -> Picture:
    """A picture of Pillow's, or of pixels (H, W), (H, W, 3) or (H, W, 4), uint8; it is copied.

    Raises:
        BadPictureError: it has no pixels, or is of a kind that can't be shown.
    """
    if not isinstance(image, Image.Image):
        image = _of_pixels(image)
    picture = opened_picture(image, name)
    return replace(picture, image=picture.image.copy()) if picture.image.im is image.im else picture


def opened_picture(image: Image.Image, name: str = "") -> Picture:
    """A picture that nobody else has, such as one out of a file: its pixels are not copied, but where they must be.

    Raises:
        BadPictureError: as `as_picture`.
    """
    if not image.width or not image.height:
        raise BadPictureError("has no pixels")
    image = _upright(_plain(image))
    if "A" not in image.getbands():
        return Picture(image, None, name)
    opacity = image.getchannel("A")
    if opacity.getextrema()[0] == 255:
        return Picture(image.convert("L" if image.mode == "LA" else "RGB"), None, name)
    shown = Image.new("RGB", image.size, _WHITE)
    shown.paste(image.convert("RGB"), mask=opacity)
    return Picture(shown.convert("L") if image.mode == "LA" else shown, opacity, name)


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF tag says; without the file that it came out of, whose bytes are then free."""
    if image.getexif().get(ExifTags.Base.Orientation, 1) in _TURNED:
        return ImageOps.exif_transpose(image)
    return image._new(image.im)  # what copy() does with a copy of the pixels


def _of_pixels(pixels: npt.NDArray[Any]) -> Image.Image:
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise BadPictureError(
            f"is an array of {pixels.dtype} {pixels.shape}; uint8 (H, W), (H, W, 3) or (H, W, 4) is needed"
        )
    if 0 in pixels.shape:
        raise BadPictureError("has no pixels")
    return Image.fromarray(pixels)


def _plain(image: Image.Image) -> Image.Image:
    """The same in one of the modes L, LA, RGB, RGBA, 8 bits a channel."""
    image.load()
    if image.mode.startswith("I") or image.mode == "F":
        image = _with_tags_of(image, Image.fromarray(_eight_bits(np.asarray(image))))
    see_through = "transparency" in image.info or image.mode in ("PA", "La", "RGBa")
    if image.mode in ("LA", "RGBA") or (image.mode in ("L", "RGB") and not see_through):
        return image
    if image.mode in ("1", "L", "La"):
        return image.convert("LA" if see_through else "L")
    return image.convert("RGBA" if see_through else "RGB")


def _with_tags_of(image: Image.Image, plain: Image.Image) -> Image.Image:
    plain.info.update({key: image.info[key] for key in ("exif",) if key in image.info})
    return plain


def _eight_bits(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Values of more bits: of 16, or of 32 on the smallest of the scales 1 (where they are broken numbers), 255, 65535
    and their maximum that holds them.
    """
    numbers = np.nan_to_num(values.astype(np.float32), nan=0, posinf=0, neginf=0)
    top = float(numbers.max())
    scales = [65535.0] if values.dtype.itemsize == 2 else [*([1.0] if values.dtype.kind == "f" else []), 255.0, 65535.0]
    scale = next((scale for scale in scales if top <= scale), top)
    scaled: npt.NDArray[np.uint8] = np.rint(np.clip(numbers * (255 / scale), 0, 255)).astype(np.uint8)
    return scaled
