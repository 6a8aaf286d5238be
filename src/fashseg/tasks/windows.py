"""Windows of images that are larger than what a network is trained on."""

import torch
from torch import Tensor

from fashseg.tasks.photo_augmentation import moved_to


def random_windows(images: Tensor, targets: Tensor, size: tuple[int, int], seed: int) -> tuple[Tensor, Tensor]:
    """A window of each image and the same of its mask, each place with equal chance; unchanged if it has the size.

    Args:
        images: (N, C, H, W).
        targets: (N, H, W).
        size: height and width, at most those of the images.
        seed: fixes what is drawn.
    """
    room = [have - want for have, want in zip(images.shape[-2:], size, strict=True)]
    if not any(room):
        return images, targets
    # Not the seed that augmentation has, which would draw the same numbers; another in its lower 32 bits, for PyTorch's
    # generator takes no others.
    generator = torch.Generator().manual_seed(seed + 2**30)
    drawn = torch.stack([torch.randint(most + 1, (len(images),), generator=generator) for most in room])
    rows, columns = moved_to(images.device, drawn)
    each = torch.arange(len(images), device=images.device)
    windows = images.unfold(2, size[0], 1).unfold(3, size[1], 1)[each, :, rows, columns]
    return windows, targets.unfold(1, size[0], 1).unfold(2, size[1], 1)[each, rows, columns]
