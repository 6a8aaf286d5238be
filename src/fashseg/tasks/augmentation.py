"""Augmentation of whole training batches, on the device they are on."""

import torch
from torch import Tensor

from fashseg import config as cfg


def augment(options: cfg.Augment, images: Tensor, targets: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """A changed batch.

    Args:
        options: what to do.
        images: (N, C, H, W).
        targets: (N,) or (N, H, W); masks are changed along with their images.
        seed: fixes what is drawn, so that a step can be repeated.
    """
    if not isinstance(options, cfg.Flip):
        return images, targets
    generator = torch.Generator().manual_seed(seed)
    mirrored = (torch.rand(len(images), generator=generator) < options.probability).to(images.device)
    images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
    if targets.ndim == 3:
        targets = torch.where(mirrored[:, None, None], targets.flip(-1), targets)
    return images, targets
