"""The metrics of a scored part: each is told of a batch what it counts, and all are read at the end."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import MulticlassConfusionMatrix

from fashseg.metrics.prediction import predicted_labels
from fashseg.metrics.totals import Totals
from fashseg.ranks.group import any_of


def update(meters: Iterable[Metric], loss: Tensor, logits: Tensor, targets: Tensor) -> None:
    """Count a batch.

    Args:
        meters: of one part.
        loss: mean cross-entropy of the batch.
        logits: (N, classes) or (N, classes, H, W).
        targets: (N,) or (N, H, W).
    """
    predicted = predicted_labels(logits)
    for meter in meters:
        if isinstance(meter, Totals):
            meter.update(loss, logits, targets, predicted)
        elif isinstance(meter, MulticlassConfusionMatrix):
            meter.update(predicted, targets)
        else:
            meter.update(logits.detach(), targets)


def read(meters: Mapping[str, Metric]) -> dict[str, Any]:
    """What they have come to, by name; they count anew from here on."""
    values = {name: meter.compute() for name, meter in meters.items()}
    for meter in meters.values():
        meter.reset()
    return values


def read_training(running: Totals, fixed: Totals, device: torch.device) -> dict[str, float]:
    """Loss and accuracy of the epoch's training images by the names they are logged by; both count anew then.

    Args:
        running: counted while the weights moved.
        fixed: counted with those that the epoch has led to, where that is asked for.
        device: of the process.
    """
    row: dict[str, float] = {}
    for name, totals in (("train/{}_running", running), ("train/{}", fixed)):
        if any_of(totals.update_called, device):
            row |= {name.format(key): value.item() for key, value in totals.compute().items()}
        totals.reset()
    return row
