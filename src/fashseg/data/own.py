"""Data sets from outside the package: what their functions give is looked at before it is used."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fashseg.data.info import Arrays, DataInfo, UInt8Array
from fashseg.data.splits import IntArray
from fashseg.errors import UserError
from fashseg.plugins import calling
from fashseg.register import Own

MOST_CLASSES = 255  # labels are kept in a byte


class OwnData:
    """The functions of a registered data set, each with a look at what it gives.

    Args:
        name: of the data set.
        own: as it was registered.
    """

    def __init__(self, name: str, own: Own) -> None:
        self.name, self.own = name, own
        self.info = DataInfo(name, str(own.task), (), (0, 0, 0), (), ())
        self._counted: tuple[Arrays, Arrays] | None = None

    def describe(self, options: Any) -> DataInfo:
        """The facts.

        Raises:
            UserError: they do not fit together, or the function fails.
        """
        with calling("data", self.name):
            info = self.own.call("describe", options)
        if not isinstance(info, DataInfo):
            raise self._error(f"describe gave {type(info).__name__}, and not a DataInfo", "Return a DataInfo.")
        info = replace(info, name=self.name)
        with calling("data", self.name):  # of numbers that are none
            means, deviations = (tuple(float(number) for number in numbers) for numbers in (info.mean, info.std))
            shape = tuple(int(side) for side in info.shape)
            names = tuple(str(label) for label in info.class_names)
        if info.task != self.own.task:
            raise self._error(f"describe says task={info.task}, it is registered for {self.own.task}", "Say the same.")
        if not 1 <= len(names) <= MOST_CLASSES:
            raise self._error(f"describe names {len(names)} classes", f"Name 1 to {MOST_CLASSES} in class_names.")
        if len(shape) != 3 or min(shape) < 1:
            raise self._error(f"describe says shape={shape}", "It is (channels, height, width) of an image.")
        if not len(means) == len(deviations) == shape[0] or not min(deviations) > 0:
            raise self._error(
                f"describe says mean={means} and std={deviations} for {shape[0]} channels",
                "Give a number for each channel, of pixel values from 0 to 255, std above 0.",
            )
        self.info = replace(info, class_names=names, shape=shape, mean=means, std=deviations)
        return self.info

    def read(self, options: Any) -> tuple[Arrays, Arrays]:
        """Training set, validation images included, and test set.

        Raises:
            UserError: they are not as they have to be, or the function fails.
        """
        counted, self._counted = self._counted, None
        return counted or self._read(options)

    def counts(self, options: Any) -> tuple[int, int]:
        """Number of images of both; they are read for it where no function counts them."""
        if "counts" in self.own.parts:
            with calling("data", self.name):
                train, test = self.own.call("counts", options)
                return int(train), int(test)
        self._counted = self._read(options)
        return len(self._counted[0].images), len(self._counted[1].images)

    def others(self) -> Mapping[str, Any]:
        """The functions that a data set may do without."""
        parts = {name: part for name, part in self.own.parts.items() if name in ("inputs", "groups", "split")}
        return {**parts, "split": self._split} if parts.get("split") else parts

    def _split(self, options: Any, images: int) -> tuple[IntArray, IntArray] | None:
        found: tuple[IntArray, IntArray] | None = self.own.call("split", options, images)
        if found is not None and options.fold is not None:
            # Whether it looks at the fold nobody knows: the same images might validate each time.
            raise self._error(
                f"its function split holds out images, and data.fold={options.fold} others",
                "Leave data.fold out; or have split return None where options.fold is set.",
            )
        return found

    def _read(self, options: Any) -> tuple[Arrays, Arrays]:
        with calling("data", self.name):
            (train_images, train_targets), (test_images, test_targets) = self.own.call("read", options)
        return self._arrays("training", train_images, train_targets), self._arrays("test", test_images, test_targets)

    def _arrays(self, part: str, images: Any, targets: Any) -> Arrays:
        info = self.info
        count = len(images) if isinstance(images, np.ndarray) and images.ndim else 0
        pixels = self._array(f"{part} images", images, (count, *info.shape), "uint8")
        sides = info.shape[1:] if info.task == "segmentation" else ()
        labels = self._array(f"{part} targets", targets, (count, *sides), "of whole numbers")
        if not count:
            raise self._error(f"read gave no {part} images", "Have at least one.")
        if labels.min() < 0 or labels.max() > 255:
            raise self._error(
                f"the {part} targets have values from {labels.min()} to {labels.max()}",
                f"They are label values from 0 to {len(info.class_names) - 1}.",
            )
        return Arrays(np.ascontiguousarray(pixels), np.ascontiguousarray(labels.astype(np.uint8, copy=False)))

    def _array(self, what: str, array: Any, shape: tuple[int, ...], kind: str) -> UInt8Array:
        fits = isinstance(array, np.ndarray) and (
            array.dtype == np.uint8 if kind == "uint8" else array.dtype.kind in "iu"
        )
        if not fits or array.shape != shape:
            found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
            raise self._error(
                f"read gave {what} as {found}", f"They have to be a NumPy array, {kind}, of shape {shape}."
            )
        checked: UInt8Array = array
        return checked

    def _error(self, what: str, way_out: str) -> UserError:
        return UserError(f"data={self.name}: {what}.", way_out)
