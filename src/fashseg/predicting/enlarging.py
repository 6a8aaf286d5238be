"""Logits of a scaled image at the size of its picture, a strip of rows at a time."""

import math
from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

Band = tuple[int, Tensor]
_ROUNDING = 1e-6  # of a row
_MOST_NUMBERS = 2**20  # in a strip of results: 4 MiB


def resized(bands: Iterable[Band], height: int, size: tuple[int, int]) -> Iterator[Band]:
    """Bring bands of rows to another size; as ``interpolate(..., mode="bilinear")`` of all of them, but for rounding.

    Args:
        bands: first row and values (C, rows, width), from top to bottom without a gap.
        height: rows of all of them.
        size: height and width of the result.

    Yields:
        The same of the result.
    """
    tall, wide = size
    done = 0
    kept: Tensor | None = None  # the last two rows: between them and the next band there are rows of the result
    for top, band in bands:
        rows = band if kept is None else torch.cat([kept, band], dim=1)
        last = top + band.shape[1] - 1
        first = last + 1 - rows.shape[1]
        kept = rows[:, -2:].clone()
        # Row y of the result lies at (y + 1/2) height / tall - 1/2 of the source: those above the last row are due.
        due = max(done, math.ceil((last + 0.5) * tall / height - 0.5 - _ROUNDING)) if last < height - 1 else tall
        step = max(1, _MOST_NUMBERS // (band.shape[0] * wide))
        for start in range(done, due, step):
            yield start, _strip(rows, first, (start, min(due, start + step)), (height, tall, wide))
        done = due
        del band, rows  # or there were two of them while the next one is made


def _strip(rows: Tensor, first: int, span: tuple[int, int], sizes: tuple[int, int, int]) -> Tensor:
    """Rows ``span`` of the result, from source rows of which ``first`` is the first one at hand."""
    height, tall, wide = sizes
    place = ((torch.arange(*span, dtype=torch.float64) + 0.5) * height / tall - 0.5).clamp(0, height - 1)
    above = place.floor().long()
    below = (above + 1).clamp(max=height - 1)
    share = (place - above).float()[None, :, None]
    start, end = int(above[0]), int(below[-1]) + 1
    part = rows[:, start - first : end - first]
    part = F.interpolate(part[None], (end - start, wide), mode="bilinear", align_corners=False)[0]
    return torch.lerp(part[:, above - start], part[:, below - start], share)
