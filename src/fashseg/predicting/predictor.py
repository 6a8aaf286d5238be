"""A trained model on pictures of any size: classes of whole pictures, or of each of their pixels."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from fashseg.data.info import DataInfo, UInt8Array
from fashseg.errors import UserError
from fashseg.metrics.prediction import predicted_labels
from fashseg.models import divisor
from fashseg.network import averaged_over_flips
from fashseg.predicting.enlarging import Band, resized
from fashseg.predicting.fitting import channels, fit, mode_of, scaled, size_seen
from fashseg.predicting.garment import Done, Wishes
from fashseg.predicting.pictures import Picture, as_picture, read_picture
from fashseg.predicting.tiles import Tiling, bands
from fashseg.trained import Trained

AnyPicture = Picture | Image.Image | npt.NDArray[Any] | str | Path

_AUTOCAST = {"bf16": torch.bfloat16, "16": torch.float16}
_ROWS = 64  # that are labelled at once: what that takes beside the logits is small
_AT_ONCE = 50  # images that the network is given on the CPU: what it makes of more does not fit into caches


@dataclass(frozen=True)
class Classified:
    """What pictures were taken for.

    Attributes:
        probabilities: (N, classes), float32.
        done: what was done to each picture before.
    """

    probabilities: npt.NDArray[np.float32]
    done: list[Done]


@dataclass(frozen=True)
class Segmented:
    """A picture with a class for each of its pixels.

    Attributes:
        mask: (H, W) of the picture, uint8, the label of each pixel.
        shares: part of the picture by class name; they add up to 1.
        scaled: height and width of what the network saw.
    """

    mask: UInt8Array
    shares: dict[str, float]
    scaled: tuple[int, int]


class Predictor:
    """A model ready for pictures; files, images of Pillow's and arrays of pixels are all taken.

    Args:
        trained: the model.
        device: where to compute.
        precision: ``32``, as training scores; ``bf16`` and ``16`` mixed, or ``64``.
        batch_size: pictures that are classified at once.

    Raises:
        UserError: the model does not take pictures.
    """

    def __init__(
        self, trained: Trained, device: str | torch.device = "cpu", *, precision: str = "32", batch_size: int = 500
    ) -> None:
        mode_of(trained.info)
        network = trained.network
        self.network = network.to(device, torch.float64) if precision == "64" else network.to(device)
        self.trained, self.device, self.batch_size = trained, torch.device(device), batch_size
        self.autocast = _AUTOCAST.get(precision)

    @property
    def info(self) -> DataInfo:
        """The data set that the model was trained on."""
        return self.trained.info

    def fit(self, picture: AnyPicture, wishes: Wishes | None = None) -> tuple[UInt8Array, Done]:
        """The image (C, H, W) that a classifier sees of a picture, and what was done to it.

        Raises:
            BadPictureError: it can't be read.
        """
        return fit(_picture(picture), self.info, wishes or Wishes())

    def classify(
        self, pictures: Sequence[AnyPicture], *, invert: bool | None = None, trim: bool | None = None, tta: bool = False
    ) -> Classified:
        """Probabilities of each class for each picture.

        Args:
            pictures: of any sizes.
            invert: for garments: exchange dark and light; None where the picture is dark on light.
            trim: for garments: cut to the object and make the rest black; None where the background is uniform.
            tta: average with the mirrored picture.

        Raises:
            BadPictureError: one can't be read.
            UserError: the model is no classifier.
        """
        self._require("classification")
        fitted = [self.fit(picture, Wishes(invert, trim)) for picture in pictures]
        if not fitted:
            return Classified(np.zeros((0, len(self.info.class_names)), np.float32), [])
        images = np.stack([image for image, _ in fitted])
        return Classified(self.probabilities(images, tta=tta), [done for _, done in fitted])

    def probabilities(self, images: UInt8Array, *, tta: bool = False) -> npt.NDArray[np.float32]:
        """Probabilities (N, classes) of images (N, C, H, W) that have been fitted."""
        at_once = min(self.batch_size, _AT_ONCE) if self.device.type == "cpu" else self.batch_size
        batches = torch.split(torch.from_numpy(np.ascontiguousarray(images)), at_once)
        return torch.cat([self._logits(batch, tta).softmax(1) for batch in batches]).numpy()

    def segment(
        self,
        picture: AnyPicture,
        *,
        short_side: int | str = "auto",
        tile: int = 384,
        overlap: int = 96,
        tta: bool = False,
        progress: Callable[[float], object] = lambda _share: None,
    ) -> Segmented:
        """The class of each pixel.

        Args:
            picture: of any size.
            short_side: pixels that its short side has for the network: a number, ``native`` for its own, or ``auto``
                to fit the picture as those were that the model was trained on.
            tile: pixels of the side of the windows that a larger image is labelled in.
            overlap: pixels that neighbouring windows share, at least; less than ``tile``.
            tta: average with the mirrored picture.
            progress: is told the share that is done.

        Raises:
            BadPictureError: it can't be read.
            UserError: the model labels no pixels.
        """
        self._require("segmentation")
        seen = _picture(picture)
        height, width = seen.size
        image = seen.image if seen.image.mode == mode_of(self.info) else seen.image.convert(mode_of(self.info))
        size = self._size(seen.size, short_side)
        small = image if size == seen.size else image.resize(size[::-1], Image.Resampling.BICUBIC)
        tiling = Tiling(tile, overlap, divisor(self.network.model), 1 if self.device.type == "cpu" else 8)

        def window(top: int, left: int, bottom: int, right: int) -> UInt8Array:
            return channels(small.crop((left, top, right, bottom)), self.info)

        found: Iterator[Band] = bands(lambda x: self._logits(x, tta), window, *size, tiling)
        if size != seen.size:
            found = resized(found, size[0], seen.size)
        mask = np.empty((height, width), np.uint8)
        counts = np.zeros(len(self.info.class_names), np.int64)
        with torch.inference_mode():
            for top, logits in found:
                for first, rows in zip(count(top, _ROWS), torch.split(logits, _ROWS, 1), strict=False):
                    part = mask[first : first + rows.shape[1]]
                    part[:] = predicted_labels(rows[None])[0].numpy()
                    counts += np.bincount(part.ravel(), minlength=len(counts))
                progress((top + logits.shape[1]) / height)
                del logits, rows  # the memory of the next ones
        shares = (counts / mask.size).tolist()
        return Segmented(mask, self.info.named(shares), size)

    def _size(self, size: tuple[int, int], short_side: int | str) -> tuple[int, int]:
        if short_side == "auto":
            return size_seen(size, self.info)
        return size if short_side == "native" else scaled(size, int(short_side) / min(size))

    def _logits(self, images: Tensor, tta: bool) -> Tensor:
        """Logits in float32 on the CPU; with ``tta`` those of the image and its mirror image averaged."""
        with torch.inference_mode(), self._precision():
            images = images.to(self.device)
            logits = averaged_over_flips(self._plainly, images) if tta else self._plainly(images)
        return logits.cpu()

    def _plainly(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images)
        return logits.float()

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        return torch.autocast(self.device.type, self.autocast) if self.autocast else contextlib.nullcontext()

    def _require(self, task: str) -> None:
        if self.info.task != task:
            noun = {"classification": "a classifier", "segmentation": "a segmenter"}
            raise UserError(
                f"{self.trained.name} is {noun[self.info.task]}, {noun[task]} is needed.", "Name another model."
            )


def _picture(picture: AnyPicture) -> Picture:
    if isinstance(picture, Picture):
        return picture
    return read_picture(picture) if isinstance(picture, (str, Path)) else as_picture(picture)
