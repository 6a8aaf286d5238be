"""One mask: its pixels as labels, whatever kind of picture it is."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from fashseg.data.folders.naming import Naming
from fashseg.data.info import UInt8Array
from fashseg.data.pictures import BadPictureError, read_with

_SHOWN = 5
_HOLDS = "holds the value"


def name_the_others(problems: Sequence[str]) -> str | None:
    """The way out where all that is wrong with masks are values above the classes that have names; None elsewhere."""
    above = [text for text in problems if _HOLDS in text]
    if not above or len(above) < len(problems):
        return None
    return (
        "Name all classes in data.class_names, or in the file that names them; or have one value count for nothing by "
        "data.ignore=VALUE."
    )


class MaskReader:
    """Reads masks of one meaning.

    Args:
        naming: what they mean.
        how: ``data.read_masks``.
    """

    def __init__(self, naming: Naming, how: str) -> None:
        self.naming, self.how = naming, how
        self.classes = len(naming.names) or 256
        self.label_of = naming.label_of() if naming.colours else None
        greys = [int(colour[1:3], 16) for colour in naming.colours if colour[1:3] == colour[3:5] == colour[5:7]]
        # Such as black and white for two classes: values that are no labels, and so colours.
        self.grey_by_colour = naming.given and any(grey >= len(naming.names) for grey in greys)

    def read(self, path: Path) -> UInt8Array:
        """Labels (H, W), upright.

        Raises:
            BadPictureError: it can't be read, or a pixel is of no class.
        """
        return read_with(path, self._labels)

    def _labels(self, image: Image.Image) -> UInt8Array:
        image.load()
        image = ImageOps.exif_transpose(image)
        if self.how == "colors" or (self.how == "auto" and self._by_colour(image)):
            return self._of_colours(image)
        return self._of_values(image)

    def _by_colour(self, image: Image.Image) -> bool:
        if image.mode == "P":
            return self.naming.given
        if image.mode in ("L", "LA"):
            return self.grey_by_colour
        return image.mode not in ("1", "I", "F") and not image.mode.startswith("I;") and self.label_of is not None

    def _of_values(self, image: Image.Image) -> UInt8Array:
        values = _values(image)
        ignore = self.naming.ignore
        wrong = (values < 0) | (values >= self.classes)
        if ignore is not None:
            wrong &= values != ignore
        if wrong.any():
            y, x = (int(i) for i in np.argwhere(wrong)[0])
            hint = "" if ignore is not None or values[y, x] != 255 else "; data.ignore=255 has it count for nothing"
            raise BadPictureError(
                f"{_HOLDS} {values[y, x]} at row {y}, column {x}; classes are 0 to {self.classes - 1}{hint}"
            )
        return np.asarray(values, np.uint8)

    def _of_colours(self, image: Image.Image) -> UInt8Array:
        if self.label_of is None:
            raise BadPictureError(f"is a mask of colours, and nothing says which class each is; {_colours_in(image)}")
        pixels = np.asarray(image.convert("RGB")).astype(np.int32)
        codes = (pixels[..., 0] << 16) | (pixels[..., 1] << 8) | pixels[..., 2]
        labels = self.label_of[codes]
        wrong = labels < 0
        if self.naming.ignore is not None and image.mode in ("P", "L") and wrong.any():
            ignored = wrong & (np.asarray(image) == self.naming.ignore)
            labels = np.where(ignored, self.naming.ignore, labels)
            wrong &= ~ignored
        if wrong.any():
            y, x = (int(i) for i in np.argwhere(wrong)[0])
            lossy = "; JPEG has blurred its colours, save masks as PNG" if image.format == "JPEG" else ""
            raise BadPictureError(
                f"holds the colour #{codes[y, x]:06X} at row {y}, column {x}, which is of no class{lossy}"
            )
        return np.asarray(labels, np.uint8)


def _values(image: Image.Image) -> npt.NDArray[np.int64]:
    if image.mode in ("1", "L", "P", "I") or image.mode.startswith("I;"):
        return np.asarray(image).astype(np.int64)
    if image.mode in ("LA", "PA", "La"):
        return np.asarray(image.getchannel(0)).astype(np.int64)
    if image.mode in ("RGB", "RGBA"):
        pixels = np.asarray(image)[..., :3]
        if (pixels == pixels[..., :1]).all():  # values, written three times
            return pixels[..., 0].astype(np.int64)
    raise BadPictureError(
        f"is a mask of colours ({image.mode}), and nothing says which class each is; {_colours_in(image)}"
    )


def _colours_in(image: Image.Image) -> str:
    pixels = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(np.int64)
    codes, counts = np.unique(pixels @ (65536, 256, 1), return_counts=True)
    common = [f"#{code:06X}" for code in codes[np.argsort(-counts, kind="stable")][:_SHOWN]]
    return f"it holds {', '.join(common)}{' and others' if len(codes) > _SHOWN else ''}"
