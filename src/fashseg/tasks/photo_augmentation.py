"""Changes that leave a photograph a photograph: another distance, stance, light and colour, on whole batches."""

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from fashseg import config as cfg


def moved_to(device: torch.device, drawn: Tensor) -> Tensor:
    """Without waiting for a GPU to be through with the step before."""
    return drawn.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else drawn.to(device)


def warped(options: cfg.Photo, images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Each image with a size, a stretch, a turn and a place of its own; what lies outside is the mirrored inside.

    Where only a share of them is warped, the others have a place of their own alone, by whole pixels.

    Args:
        options: how much.
        images: (N, C, H, W).
        targets: (N,), which stay, or masks (N, H, W), which are changed alike.
        generator: fixes what is drawn, on the CPU.

    Returns:
        Images in float32, and targets.
    """
    theta = moved_to(images.device, _maps(options, len(images), images.shape[-2:], generator))
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    moved = F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    if targets.ndim == 3:
        masks = targets[:, None].float()  # exact: label values are small whole numbers
        masks = F.grid_sample(masks, grid, mode="nearest", padding_mode="reflection", align_corners=False)
        targets = masks[:, 0].to(targets.dtype)
    return moved, targets


def _maps(options: cfg.Photo, count: int, size: tuple[int, ...], generator: Generator) -> Tensor:
    """(N, 2, 3): from a place in the new image to the one it is taken from, both from -1 to 1."""

    def drawn() -> Tensor:
        return 2 * torch.rand(count, generator=generator) - 1

    zoom = torch.exp(drawn() * math.log(options.scale))
    stretch = torch.exp(drawn() * math.log(options.stretch) / 2)
    angle = drawn() * math.radians(options.angle)
    right, down = (drawn() * 2 * options.shift for _ in range(2))
    sine, cosine = angle.sin(), angle.cos()
    aspect = size[0] / size[1]  # a turn is one of pixels
    rows = [
        torch.stack([cosine * zoom * stretch, -sine * zoom * aspect, right], dim=-1),
        torch.stack([sine * zoom / aspect, cosine * zoom / stretch, down], dim=-1),
    ]
    maps = torch.stack(rows, dim=1)
    if options.warp_probability == 1:
        return maps
    moves = [(move * side / 2).round() * 2 / side for move, side in ((right, size[1]), (down, size[0]))]
    moved = torch.cat([torch.eye(2).expand(count, 2, 2), torch.stack(moves, dim=1)[:, :, None]], dim=2)
    are_warped = torch.rand(count, generator=generator) < options.warp_probability
    return torch.where(are_warped[:, None, None], maps, moved)


def recoloured(options: cfg.Photo, images: Tensor, generator: Generator) -> Tensor:
    """Each image with brightness, contrast, saturation and a balance of the channels of its own.

    Args:
        options: how much.
        images: (N, C, H, W), float, values of 0 to 255.
        generator: fixes what is drawn, on the CPU.
    """
    count, channels = images.shape[:2]

    def factors(share: float, number: int = 1) -> Tensor:
        drawn = 1 + share * (2 * torch.rand(count, number, 1, 1, generator=generator) - 1)
        return moved_to(images.device, drawn)

    brightness, contrast = factors(options.light), factors(options.light)
    saturation, balance = factors(options.colour), factors(options.colour / 2, channels)
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    images = (images - middle) * contrast + middle * brightness
    grey = images.mean(dim=1, keepdim=True)
    return ((grey + (images - grey) * saturation) * balance).clamp(0, 255)
