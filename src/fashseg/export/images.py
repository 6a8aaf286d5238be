"""Images to compare on: of the data set that the model was trained on, where it is at hand."""

import os
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from fashseg import config as cfg
from fashseg.checking import check, check_choice
from fashseg.data.info import DataInfo
from fashseg.data.module import ImageDataModule
from fashseg.data.source import Source
from fashseg.data.sources import SOURCES
from fashseg.data_place import set_place
from fashseg.errors import UserError
from fashseg.export.quiet import quiet
from fashseg.files import in_full
from fashseg.run import RunFolder
from fashseg.text import counted, listed

MOST_IMAGES = 100
_DRAWN_IMAGES = 10
_MOST_VALUES = 1 << 25  # of all images together


def comparison_images(info: DataInfo, run: str | None, root: str | None) -> tuple[Tensor, str]:
    """Images, and what they are.

    Args:
        info: of the data set of the model.
        run: the run folder, whose configuration says where its data is.
        root: folder that holds the data sets; None takes the run's own, or the usual one.

    Returns:
        (N, C, H, W), uint8, and words for a reader.
    """
    count = max(2, min(MOST_IMAGES, _MOST_VALUES // (info.shape[0] * info.shape[1] * info.shape[2])))
    try:
        options = _data_options(info, run, root)
        if isinstance(options, cfg.Synthetic):
            return _drawn(options.name, min(count, _DRAWN_IMAGES))
        images, words = _real_images(options, count)
        if tuple(images.shape[1:]) != info.shape:
            raise UserError("its images have another size than those of the model.", "")
        return images, words
    except (UserError, OSError) as error:
        reason = error.what if isinstance(error, UserError) else str(error)
    like = next((name for name, source in SOURCES.items() if _is_like(source, info)), None)
    images, words = _drawn(like, min(count, _DRAWN_IMAGES)) if like else _noise(info, min(count, _DRAWN_IMAGES))
    return images, f"{words}: the images of {info.name} are not at hand ({reason.rstrip('.')})"


def _is_like(source: Source, info: DataInfo) -> bool:
    return source.info.synthetic and (source.info.task, source.info.shape) == (info.task, info.shape)


def _data_options(info: DataInfo, run: str | None, root: str | None) -> cfg.Data:
    """How the data set is read; nothing is downloaded for a comparison."""
    if run is not None:
        composed = RunFolder(in_full("run", run)).read_config()
        if root is not None:
            set_place(composed, root)
        options: cfg.Data = check(cfg.Train, composed).data
    else:
        options = check_choice("data", {"name": info.name, "root": root or _usual_root()})
    fetching: Any = {"download": False} if hasattr(options, "download") else {}
    return replace(options, **fetching)


def _usual_root() -> str:
    return os.environ.get("FASHSEG_DATA", "data")


def _real_images(options: cfg.Data, count: int) -> tuple[Tensor, str]:
    """Validation images from all over, and training images where they are too few; test images are left alone."""
    with quiet():
        data = ImageDataModule(options)
        data.setup()
    found: list[Tensor] = []
    words: list[str] = []
    for name, kind in (("val", "validation image"), ("train", "training image")):
        part = data.part(name)
        if number := min(count - sum(len(images) for images in found), len(part)):
            found.append(part.raw(part.rows(part.spread(number)))[0])
            words.append(counted(number, kind))
    return torch.cat(found), f"{listed(words)} of {options.name}"


def _drawn(name: str, count: int) -> tuple[Tensor, str]:
    source = SOURCES[name]
    assert source.pieces is not None
    pieces, _ = source.pieces(cfg.Synthetic(name=name, train_images=count, test_images=1))
    images = torch.cat([torch.from_numpy(piece.images) for piece in pieces])
    return images, f"{counted(len(images), 'image')} of {name}"


def _noise(info: DataInfo, count: int) -> tuple[Tensor, str]:
    """Coarse and fine noise around the mean of the data set."""
    channels, height, width = info.shape
    numbers = torch.Generator().manual_seed(0)
    coarse = torch.randn(count, channels, 4, 4, generator=numbers)
    fine = torch.randn(count, channels, height, width, generator=numbers)
    mean, std = (torch.tensor(values).reshape(1, -1, 1, 1) for values in (info.mean, info.std))
    noise = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear") + 0.5 * fine
    return (mean + std * noise).clamp(0, 255).to(torch.uint8), f"{counted(count, 'image')} of noise"
