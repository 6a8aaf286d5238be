"""From a batch of the data set to what a training step is taken on, in the order in which it is done."""

import torch

from fashseg import config as cfg
from fashseg.data.arrays import Batch
from fashseg.data.info import DataInfo
from fashseg.tasks.augmentation import augment
from fashseg.tasks.mixing import mixed
from fashseg.tasks.windows import random_windows


def prepare(batch: Batch, augmentation: cfg.Augment, info: DataInfo, seed: int) -> Batch:
    """A training batch: windows of images that are larger than the network's, augmentation, mixing.

    In full precision, also within a step of mixed precision, which would round where pixels are taken from: to half a
    pixel and more of an image of 256.

    Args:
        batch: images (N, C, H, W) and int64 targets.
        augmentation: its options.
        info: of the data set.
        seed: fixes what is drawn.
    """
    images, targets = batch
    with torch.autocast(images.device.type, enabled=False):
        if images.shape[1:] != info.shape:
            images, targets = random_windows(images, targets, info.shape[1:], seed)
        images, targets = augment(augmentation, images, targets, seed=seed, outside=info.ignore or 0)
        return mixed(augmentation, images, targets, len(info.class_names), seed)
