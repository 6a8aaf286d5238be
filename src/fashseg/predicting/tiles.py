"""A large image labelled in tiles that overlap, blended so that none can be seen, a band of rows at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fashseg.data.info import UInt8Array

Network = Callable[[Tensor], Tensor]
"""(N, C, H, W) to logits (N, classes, H, W), float32 on the CPU; values of 0 to 255."""

Window = Callable[[int, int, int, int], UInt8Array]
"""From top, left, bottom and right to the pixels (C, bottom - top, right - left) of an image."""


@dataclass(frozen=True)
class Tiling:
    """How an image is cut.

    Attributes:
        tile: pixels of the side of a tile, at most; images that are no larger are labelled in one piece.
        overlap: pixels that neighbours share, at least.
        divisor: the network takes multiples of it alone.
        at_once: tiles in a batch.
    """

    tile: int = 384
    overlap: int = 96
    divisor: int = 2
    at_once: int = 1


@dataclass(frozen=True)
class _Cuts:
    """One side of an image in tiles.

    Attributes:
        starts: of the tiles, multiples of the divisor, so that pooling sees the same squares as in the whole image.
        length: of each.
        weights: one (length,) for each tile; they add up to 1 at every pixel.
    """

    starts: list[int]
    length: int
    weights: list[Tensor]


def bands(network: Network, window: Window, height: int, width: int, tiling: Tiling) -> Iterator[tuple[int, Tensor]]:
    """Logits of an image from top to bottom.

    Args:
        network: see `Network`.
        window: see `Window`.
        height: of the image.
        width: of the image.
        tiling: see `Tiling`.

    Yields:
        First row of a band, and its logits (classes, rows, width), float32 on the CPU; the bands follow without a gap.
    """
    down, across = _cut(height, tiling), _cut(width, tiling)
    below: Tensor | None = None  # what the tiles above have left for the rows of the next ones
    ends = [*down.starts[1:], height]
    for top, end, weights in zip(down.starts, ends, down.weights, strict=True):
        band = _row_of_tiles(network, window, (top, height, width), down.length, across, tiling.at_once)
        if len(down.starts) > 1:
            band *= weights[:, None]
        if below is not None:
            band[:, : below.shape[1]] += below
        below = band[:, end - top :].clone() if end < height else None
        yield top, band[:, : end - top]
        del band  # or there were two of them while the next one is made


def _row_of_tiles(
    network: Network, window: Window, place: tuple[int, int, int], length: int, across: _Cuts, at_once: int
) -> Tensor:
    """Blended logits (classes, length, width) of the tiles beside each other; ``place`` is top, height and width."""
    top, height, width = place
    band: Tensor | None = None
    for first in range(0, len(across.starts), at_once):
        starts = across.starts[first : first + at_once]
        images = [_padded(window, top, left, length, across.length, height, width) for left in starts]
        logits = network(torch.from_numpy(np.stack(images)))
        if len(across.starts) == 1:
            return logits[0, :, :, :width]
        if band is None:
            band = logits.new_zeros(logits.shape[1], length, across.starts[-1] + across.length)
        for i, left in enumerate(starts):
            band[:, :, left : left + across.length] += logits[i] * across.weights[first + i]
    assert band is not None
    return band[:, :, :width]


def _padded(window: Window, top: int, left: int, tall: int, wide: int, height: int, width: int) -> UInt8Array:
    """A tile; what it has beyond the image is the image mirrored."""
    bottom, right = min(top + tall, height), min(left + wide, width)
    pixels = window(top, left, bottom, right)
    missing = (tall - (bottom - top), wide - (right - left))
    if not any(missing):
        return pixels
    return np.pad(pixels, ((0, 0), (0, missing[0]), (0, missing[1])), mode="reflect")


def _cut(side: int, tiling: Tiling) -> _Cuts:
    divisor = tiling.divisor
    padded = -(-side // divisor) * divisor
    tile = max(divisor, -(-tiling.tile // divisor) * divisor)
    if padded <= tile:
        return _Cuts([0], padded, [torch.ones(padded)])
    overlap = min(-(-tiling.overlap // divisor) * divisor, tile - divisor)
    count = -(-(padded - tile) // (tile - overlap)) + 1
    # Evenly: the overlaps are as large as this number of tiles allows.
    starts = [round(i * (padded - tile) / (count - 1) / divisor) * divisor for i in range(count)]
    return _Cuts(starts, tile, _weights(starts, tile, padded))


def _weights(starts: list[int], tile: int, side: int) -> list[Tensor]:
    """Raised cosines over what neighbours share, 1 in between, divided by their sum."""
    total = torch.zeros(side, dtype=torch.float64)
    weights = []
    for i, start in enumerate(starts):
        weight = torch.ones(tile, dtype=torch.float64)
        if i:
            rise = starts[i - 1] + tile - start
            weight[:rise] *= _rise(rise)
        if i + 1 < len(starts):
            fall = start + tile - starts[i + 1]
            weight[tile - fall :] *= _rise(fall).flip(0)
        weights.append(weight)
        total[start : start + tile] += weight
    return [(w / total[s : s + tile]).float() for s, w in zip(starts, weights, strict=True)]


def _rise(count: int) -> Tensor:
    """From nearly 0 to nearly 1, never either."""
    return torch.sin((torch.arange(count, dtype=torch.float64) + 0.5) / count * (torch.pi / 2)) ** 2
