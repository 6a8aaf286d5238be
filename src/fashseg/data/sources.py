"""The data sets by name: what each tells about itself, how it is read, and how validation images are held out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashseg import config as cfg
from fashseg.data import facade, fashion_mnist, synthetic_facade, synthetic_fashion
from fashseg.data.info import Arrays, DataInfo
from fashseg.data.splits import IntArray, group_split, published_split, random_split


@dataclass(frozen=True)
class Source:
    """One data set.

    Attributes:
        info: facts that hold before anything is read.
        read: from the options to training set (validation images included) and test set.
        groups: what each training image shows, for ``split=building``; None where images are unrelated.
    """

    info: DataInfo
    read: Callable[[Any], tuple[Arrays, Arrays]]
    groups: Callable[[], Sequence[str]] | None = None


def split_indices(source: Source, options: cfg.Data, images: int) -> tuple[IntArray, IntArray]:
    """Indices of the training and of the validation images among the first ``images`` of the training set."""
    if options.split == "published":
        return published_split(images)
    if options.split == "building":
        assert source.groups is not None
        return group_split(source.groups(), options.val_share, options.split_seed)
    return random_split(images, options.val_share, options.split_seed)


def shared_groups(source: Source, train: IntArray, val: IntArray) -> int | None:
    """How many validation images show something that training images show too; None where nobody knows."""
    if source.groups is None:
        return None
    groups = source.groups()
    trained = {groups[i] for i in train}
    return sum(groups[i] in trained for i in val)


def _read_fashion_mnist(options: cfg.FashionMNIST) -> tuple[Arrays, Arrays]:
    mirrors = (*options.mirrors, *fashion_mnist.MIRRORS)
    return fashion_mnist.read_fashion_mnist(Path(options.root).expanduser(), mirrors, options.download)


def _read_facade(options: cfg.Facade) -> tuple[Arrays, Arrays]:
    return facade.read_facade(Path(options.root).expanduser())


def _draw(draw: Callable[[int, int], Arrays]) -> Callable[[cfg.Synthetic], tuple[Arrays, Arrays]]:
    def read(options: cfg.Synthetic) -> tuple[Arrays, Arrays]:
        # Seeds are told apart by parity, so that no test image of one seed is a training image of another.
        return draw(options.train_images, 2 * options.draw_seed), draw(options.test_images, 2 * options.draw_seed + 1)

    return read


_SEGMENTS: dict[str, Any] = {
    "task": "segmentation",
    "class_names": facade.CLASS_NAMES,
    "shape": (3, 256, 256),
    "mean": facade.MEAN,
    "std": facade.STD,
    "palette": facade.PALETTE,
}
_GARMENTS: dict[str, Any] = {
    "task": "classification",
    "class_names": fashion_mnist.CLASS_NAMES,
    "shape": (1, 28, 28),
    "mean": fashion_mnist.MEAN,
    "std": fashion_mnist.STD,
}

SOURCES: dict[str, Source] = {
    "fashion_mnist": Source(DataInfo(name="fashion_mnist", **_GARMENTS), _read_fashion_mnist),
    "facade": Source(DataInfo(name="facade", **_SEGMENTS), _read_facade, lambda: facade.buildings("train")),
    "synthetic_fashion": Source(
        DataInfo(name="synthetic_fashion", synthetic=True, **_GARMENTS), _draw(synthetic_fashion.draw_garments)
    ),
    "synthetic_facade": Source(
        DataInfo(name="synthetic_facade", synthetic=True, **_SEGMENTS), _draw(synthetic_facade.draw_facades)
    ),
}
