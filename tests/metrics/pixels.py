"""Scored pixels, and what scikit-learn makes of them."""

from typing import Any

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from torch import Tensor, nn

from fashseg.metrics.average_precision import Ranking, average_precision_from_histogram, score_histogram

RANKINGS: tuple[Ranking, ...] = ("logits", "softmax")


def by_scikit_learn(logits: Tensor, targets: Tensor, ranking: Ranking) -> Tensor:
    """Average precision (C,) over all pixels; nan for absent classes."""
    scores = logits.float() if ranking == "logits" else logits.float().softmax(1)
    hits = [(targets == c).flatten() for c in range(logits.shape[1])]
    values = [
        average_precision_score(hit, scores[:, c].flatten()) if hit.any() else np.nan for c, hit in enumerate(hits)
    ]
    return torch.tensor(values, dtype=torch.float64)


def ours(logits: Tensor, targets: Tensor, ranking: Ranking = "logits", **settings: Any) -> Tensor:
    histogram = score_histogram(logits, targets, logits.shape[1], ranking=ranking, **settings)
    return average_precision_from_histogram(histogram)


def segmentation(*shape: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Logits (N, C, *) that tell something about labels (N, *) of unequal shares."""
    generator = torch.Generator().manual_seed(seed)
    targets = (torch.rand(shape[0], *shape[2:], generator=generator) ** 2 * shape[1]).long()
    spread = torch.linspace(0.5, 2, shape[1]).view(1, -1, *[1] * len(shape[2:]))
    noise = torch.randn(shape, generator=generator) * spread
    return noise + nn.functional.one_hot(targets, shape[1]).movedim(-1, 1), targets
