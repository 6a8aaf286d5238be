"""Augmentation of whole training batches, on the device they are on."""

import torch
import torch.nn.functional as F
from torch import Tensor

from fashseg import config as cfg
from fashseg.tasks.photo_augmentation import moved_to, recoloured, warped


def augment(
    options: cfg.Augment, images: Tensor, targets: Tensor, seed: int, outside: int = 0
) -> tuple[Tensor, Tensor]:
    """A changed batch.

    Args:
        options: what to do.
        images: (N, C, H, W), values of 0 to 255.
        targets: (N,) or (N, H, W); masks are changed along with their images.
        seed: fixes what is drawn, so that a step can be repeated.
        outside: label of what comes into a mask from outside.
    """
    if not isinstance(options, cfg.Flip):
        return images, targets
    generator = torch.Generator().manual_seed(seed)
    mirrored = moved_to(images.device, torch.rand(len(images), generator=generator) < options.probability)
    images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
    if targets.ndim == 3:
        targets = torch.where(mirrored[:, None, None], targets.flip(-1), targets)
    if isinstance(options, cfg.Photo):
        images, targets = warped(options, images, targets, generator)
        images = recoloured(options, images, generator)
    if isinstance(options, cfg.FlipShift):
        drawn = torch.randint(2 * options.shift + 1, (2, len(images)), generator=generator)
        moves = moved_to(images.device, drawn)
        images = _shifted(images, moves, options.shift)
        if targets.ndim == 3:
            targets = _shifted(targets[:, None], moves, options.shift, outside)[:, 0]
    if isinstance(options, cfg.Garment):
        images = _erased(images, options.erase, generator)
    return images, targets


def variants(options: cfg.Augment) -> int | None:
    """In how many ways an image may come; None where there is no end of them."""
    if not isinstance(options, cfg.Flip):
        return 1
    if isinstance(options, cfg.Photo) or options.mixes or (isinstance(options, cfg.Garment) and options.erase):
        return None
    ways = 2 * options.shift + 1 if isinstance(options, cfg.FlipShift) else 1
    return ways**2 * (1 if options.probability in (0, 1) else 2)


def _shifted(images: Tensor, moves: Tensor, most: int, outside: int = 0) -> Tensor:
    """Each image moved by ``moves`` (2, N), down and right, from 0 to ``2 * most``, where ``most`` stays in place."""
    size = images.shape[-2:]
    windows = (
        F.pad(images, (most,) * 4, value=outside).unfold(2, size[0], 1).unfold(3, size[1], 1)
    )  # (N, C, moves, moves, H, W)
    rows, columns = 2 * most - moves
    return windows[torch.arange(len(images), device=images.device), :, rows, columns]


def _erased(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """A black square on each image, whose middle may be anywhere (DeVries and Taylor, "Cutout", 2017)."""
    height, width = images.shape[-2:]
    drawn = torch.rand(2, len(images), 1, generator=generator) * torch.tensor([height, width])[:, None, None]
    middles = moved_to(images.device, drawn)
    rows, columns = (torch.arange(size, device=images.device) + 0.5 for size in (height, width))
    in_rows, in_columns = ((places - middles[i]).abs() < side / 2 for i, places in enumerate((rows, columns)))
    square = in_rows[:, None, :, None] & in_columns[:, None, None, :]
    return images.masked_fill(square, 0)
