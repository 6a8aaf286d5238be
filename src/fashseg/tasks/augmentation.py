"""Augmentation of whole training batches, on the device they are on."""

import torch
import torch.nn.functional as F
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
    mirrored = _moved_to(images.device, torch.rand(len(images), generator=generator) < options.probability)
    images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
    if targets.ndim == 3:
        targets = torch.where(mirrored[:, None, None], targets.flip(-1), targets)
    if isinstance(options, cfg.FlipShift):
        drawn = torch.randint(2 * options.shift + 1, (2, len(images)), generator=generator)
        moves = _moved_to(images.device, drawn)
        images = _shifted(images, moves, options.shift)
        targets = _shifted(targets[:, None], moves, options.shift)[:, 0] if targets.ndim == 3 else targets
    return images, targets


def _moved_to(device: torch.device, drawn: Tensor) -> Tensor:
    """Without waiting for a GPU to be through with the step before."""
    return drawn.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else drawn.to(device)


def _shifted(images: Tensor, moves: Tensor, most: int) -> Tensor:
    """Each image moved by ``moves`` (2, N), down and right, from 0 to ``2 * most``, where ``most`` stays in place."""
    size = images.shape[-2:]
    windows = F.pad(images, (most,) * 4).unfold(2, size[0], 1).unfold(3, size[1], 1)  # (N, C, moves, moves, H, W)
    rows, columns = 2 * most - moves
    return windows[torch.arange(len(images), device=images.device), :, rows, columns]
