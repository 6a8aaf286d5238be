"""The data sets by name."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import PIL

from fashseg import config as cfg
from fashseg.data import cmp_facade, facade, fashion_mnist
from fashseg.data.facade_manifest import Pair
from fashseg.data.folds import common_folds
from fashseg.data.info import Arrays, DataInfo
from fashseg.data.own import OwnData
from fashseg.data.source import Inputs, Source
from fashseg.data.splits import IntArray
from fashseg.errors import UserError
from fashseg.files import in_full
from fashseg.register import OWN, Own


def open_source(options: cfg.Data) -> Source:
    """The data set of these options, with all facts about it.

    Raises:
        UserError: its folder does not hold what it must.
    """
    own = OWN.get(("data", options.name))
    source = _own(options.name, own) if own else SOURCES[options.name]
    return replace(source, info=source.describe(options)) if source.describe else source


def _own(name: str, own: Own) -> Source:
    """A data set from outside the package, for one set of options."""
    data = OwnData(name, own)
    others = {"inputs": None, **data.others()}
    return Source(data.info, data.read, counts=data.counts, describe=data.describe, **others)


def _root(options: cfg.Data) -> Path:
    return in_full("data.root", options.root).absolute()


def _fashion_mnist() -> Source:
    def read(options: cfg.FashionMNIST) -> tuple[Arrays, Arrays]:
        mirrors = (*options.mirrors, *fashion_mnist.MIRRORS)
        return fashion_mnist.read_fashion_mnist(_root(options), mirrors, options.download)

    def inputs(options: cfg.FashionMNIST) -> Inputs:
        files = [_root(options) / fashion_mnist.FOLDER / name for name in fashion_mnist.FILES]
        return Inputs({"root": str(_root(options))}, files, "1")

    return Source(DataInfo(name="fashion_mnist", **_GARMENTS), read, inputs, lambda _: (60_000, 10_000))


def _facade() -> Source:
    def pairs(options: cfg.Facade) -> list[Pair]:
        return facade.pairs_of(_root(options), options.partial)

    def read(options: cfg.Facade) -> tuple[Arrays, Arrays]:
        return facade.read_facade(_root(options), partial=options.partial)

    def inputs(options: cfg.Facade) -> Inputs:
        files = facade.files(_root(options), options.partial)
        return Inputs({"root": str(_root(options))}, files, f"1, Pillow {PIL.__version__}")

    def counts(options: cfg.Facade) -> tuple[int, int]:
        train = sum(pair.split == "train" for pair in pairs(options))
        return train, len(pairs(options)) - train

    def groups(options: cfg.Facade) -> Sequence[str]:
        return facade.buildings("train", pairs(options))

    def split(options: cfg.Facade, images: int) -> tuple[IntArray, IntArray] | None:
        if options.fold is not None and options.split == "random":
            return common_folds(options, images, None)
        if options.split == "published" and images != facade.COUNTS[0]:
            raise UserError(
                f"data.split=published needs all {facade.COUNTS[0]} training images; here are {images} of them.",
                "Choose data.split=building.",
            )
        return None

    return Source(
        DataInfo(name="facade", **_SEGMENTS), read, inputs, counts, groups=groups, split=split, complete=facade.COUNTS
    )


def _cmp_facade() -> Source:
    def plan(options: cfg.CMPFacade) -> cmp_facade.Plan:
        return cmp_facade.plan(_root(options), options.partial)

    def read(options: cfg.CMPFacade) -> tuple[Arrays, Arrays]:
        return cmp_facade.read_cmp_facade(_root(options), options.classes, plan(options))

    def inputs(options: cfg.CMPFacade) -> Inputs:
        words = {"root": str(_root(options)), "classes": options.classes}
        return Inputs(words, cmp_facade.files(_root(options), plan(options)), f"1, Pillow {PIL.__version__}")

    def describe(options: cfg.CMPFacade) -> DataInfo:
        names, colours, _ = cmp_facade.LABELS[options.classes]
        return DataInfo(name="cmp_facade", **_SEGMENTS | {"class_names": names, "palette": colours})

    return Source(
        DataInfo(name="cmp_facade", **_SEGMENTS),
        read,
        inputs,
        counts=lambda options: plan(options).counts,
        groups=lambda options: plan(options).groups,
        describe=describe,
        kept=(3, cmp_facade.SQUARE, cmp_facade.SQUARE),
        complete=cmp_facade.COUNTS,
    )


def _drawn(info: DataInfo, function: str, parts: str, piece: int) -> Source:
    """A data set that a function of the module of its name draws, at most ``piece`` images at a time."""

    def draw(count: int, seed: int, first: int = 0) -> Arrays:
        arrays: Arrays = getattr(import_module(f"fashseg.data.{info.name}"), function)(count, seed, first)
        return arrays

    def seeds(options: cfg.Synthetic) -> tuple[int, int]:
        # Told apart by parity, so that no test image of one seed is a training image of another.
        return 2 * options.draw_seed, 2 * options.draw_seed + 1

    def counts(options: cfg.Synthetic) -> tuple[int, int]:
        return options.train_images, options.test_images

    def read(options: cfg.Synthetic) -> tuple[Arrays, Arrays]:
        train, test = map(draw, counts(options), seeds(options))
        return train, test

    def in_pieces(count: int, seed: int) -> Iterator[Arrays]:
        return (draw(min(piece, count - first), seed, first) for first in range(0, count, piece))

    def pieces(options: cfg.Synthetic) -> tuple[Iterator[Arrays], Iterator[Arrays]]:
        train, test = map(in_pieces, counts(options), seeds(options))
        return train, test

    def inputs(options: cfg.Synthetic) -> Inputs:
        code = sorted(path for pattern in (parts, f"{info.name}.py") for path in Path(__file__).parent.glob(pattern))
        words = {"train_images": options.train_images, "test_images": options.test_images, "seed": options.draw_seed}
        return Inputs(words, code, f"1, Pillow {PIL.__version__}, NumPy {np.__version__}")

    return Source(info, read, inputs, counts, pieces)


def _in_folders(name: str) -> Source:
    """A data set of one's own; what finds and decodes it is loaded where it is used."""

    def function(verb: str) -> Callable[[Any], Any]:
        return lambda options: getattr(import_module("fashseg.data.folders.source"), verb)(options)

    def split(options: cfg.OwnData, images: int) -> tuple[IntArray, IntArray]:
        sides: tuple[IntArray, IntArray] = import_module("fashseg.data.folders.source").split(options, images)
        return sides

    info = DataInfo(name, cfg.TASKS["data"][name], (), (0, 0, 0), (), ())
    return Source(
        info,
        function("read"),
        function("inputs"),
        function("counts"),
        by_pieces=function("by_pieces"),
        groups=function("groups"),
        describe=function("describe"),
        split=split,
        found=function("said"),
    )


def _streaming() -> Source:
    """A data set in chunks; what reads it is loaded where it is used."""

    def function(verb: str) -> Callable[[Any], Any]:
        return lambda options: getattr(import_module("fashseg.data.streaming.source"), verb)(options)

    def read(options: cfg.Streaming) -> tuple[Arrays, Arrays]:
        raise UserError(
            f"data.url={options.url} is in chunks, and is not read as a whole.", "Use the data set that it is made of."
        )

    return Source(
        DataInfo("streaming", "", (), (0, 0, 0), (), ()),
        read,
        inputs=None,
        counts=function("counts"),
        describe=function("describe"),
        found=function("said"),
        opened=function("opened"),
    )


_SEGMENTS: dict[str, Any] = {
    "task": "segmentation",
    "class_names": facade.CLASS_NAMES,
    "shape": (3, 256, 256),
    "mean": facade.MEAN,
    "std": facade.STD,
    "palette": facade.PALETTE,
    "fit": "scale",
    "short_side": facade.SHORT_SIDE,
}
_GARMENTS: dict[str, Any] = {
    "task": "classification",
    "class_names": fashion_mnist.CLASS_NAMES,
    "shape": (1, 28, 28),
    "mean": fashion_mnist.MEAN,
    "std": fashion_mnist.STD,
    "fit": "garment",
}

SOURCES: dict[str, Source] = {
    "fashion_mnist": _fashion_mnist(),
    "facade": _facade(),
    "cmp_facade": _cmp_facade(),
    "synthetic_fashion": _drawn(
        DataInfo(name="synthetic_fashion", synthetic=True, **_GARMENTS), "draw_garments", "_garment_*.py", 5000
    ),
    "synthetic_facade": _drawn(
        DataInfo(name="synthetic_facade", synthetic=True, **_SEGMENTS), "draw_facades", "_facade_*.py", 16
    ),
    "image_folder": _in_folders("image_folder"),
    "mask_folder": _in_folders("mask_folder"),
    "streaming": _streaming(),
}
