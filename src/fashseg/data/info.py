"""What a data set tells the rest of the project about itself."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

UInt8Array = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class DataInfo:
    """A data set in numbers; enough to build a model for it and to prepare new images the same way.

    Attributes:
        name: the data set's name, as in ``data=NAME``.
        task: ``classification`` or ``segmentation``.
        class_names: names by label value, 0 first.
        shape: channels, height and width of an image.
        mean: per channel, subtracted from pixel values of 0 to 255.
        std: per channel, then divided by.
        palette: ``#RRGGBB`` by label value; empty where the data set has no colours of its own.
        synthetic: drawn by code, not photographed; said wherever results are shown.
        fit: how a picture of another size or kind becomes an image of ``shape``. ``stretch``: resized to it, whatever
            its sides; ``cover``: resized until it covers it, its middle kept; ``contain``: resized until it fits, the
            rest filled with the mean; ``garment``: as Fashion-MNIST was made; ``scale``, for segmentation: resized
            until its short side has ``short_side`` pixels, of which images are windows.
        short_side: pixels; None where ``fit`` is another.
        ignore: value of the pixels of a mask that count for nothing; None where all count.
    """

    name: str
    task: str
    class_names: tuple[str, ...]
    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    palette: tuple[str, ...] = ()
    synthetic: bool = False
    fit: str = "stretch"
    short_side: int | None = None
    ignore: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, strings and numbers only, so that a checkpoint holding it loads with ``weights_only=True``."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "DataInfo":
        """The inverse of :meth:`to_dict`."""
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**fields)

    def named(self, values: Iterable[float]) -> dict[str, float]:
        """Values of all classes, by their names."""
        return dict(zip(self.class_names, values, strict=True))


class Arrays(NamedTuple):
    """Images and their truth, as read from disk or drawn.

    Attributes:
        images: (N, C, H, W), uint8.
        targets: (N,) label values for classification, (N, H, W) for segmentation; uint8.
    """

    images: UInt8Array
    targets: UInt8Array
