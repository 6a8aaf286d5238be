"""The metrics of a scored part: each is told of a batch what it counts, and all are read at the end."""

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import MulticlassConfusionMatrix

from fashseg.metrics.prediction import predicted_labels
from fashseg.metrics.totals import Totals


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
