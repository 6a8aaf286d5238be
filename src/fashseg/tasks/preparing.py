"""From a batch of the data set to what a training step is taken on, in the order in which it is done."""

import contextlib
from collections.abc import Iterator

import torch

from fashseg import config as cfg
from fashseg.data.arrays import Batch
from fashseg.data.info import DataInfo
from fashseg.tasks.augmentation import augment
from fashseg.tasks.mixing import mixed
from fashseg.tasks.teaching import Teacher
from fashseg.tasks.windows import random_windows


def prepare(batch: Batch, augmentation: cfg.Augment, info: DataInfo, seed: int, teacher: Teacher | None) -> Batch:
    """A training batch: windows of images larger than the network's, augmentation, mixing, the answers of a teacher.

    The same in each precision of a step, see `_in_float32`; answers are computed in that of the step.

    Args:
        batch: images (N, C, H, W) and int64 targets.
        augmentation: its options.
        info: of the data set.
        seed: fixes what is drawn.
        teacher: whose answers take the place of the targets.
    """
    images, targets = batch
    with _in_float32(images.device):
        if images.shape[1:] != info.shape:
            images, targets = random_windows(images, targets, info.shape[1:], seed)
        images, targets = augment(augmentation, images, targets, seed=seed, outside=info.ignore or 0)
        images, targets = mixed(augmentation, images, targets, len(info.class_names), seed)
    return images, targets if teacher is None else teacher.targets(images, targets)


@contextlib.contextmanager
def _in_float32(device: torch.device) -> Iterator[None]:
    """Within a step Lightning has other types be used, where it trains in others.

    Mixed precision would round the places that pixels are taken from, by half a pixel and more of an image of 256. In
    double precision other numbers would be drawn, of a type that does not go with images.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_default_dtype(before)
