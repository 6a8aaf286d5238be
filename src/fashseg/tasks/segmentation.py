"""One class a pixel."""

from typing import Any

from torch import Tensor
from torchmetrics import Metric

from fashseg.metrics.average_precision import HistogramAveragePrecision, bins_for
from fashseg.metrics.confusion import PixelConfusionMatrix, accuracy, intersection_over_union, mean_of_present
from fashseg.metrics.totals import Totals
from fashseg.tasks.base import Scores, Task


class SegmentationTask(Task):
    """Cross-entropy over pixels; scored by average precision over all pixels of all images, but for those that count
    for nothing.

    The published figures rank pixels by the raw logit of a class, so this is the main score; ranking by softmax gives
    other figures for the same weights and is reported beside it.
    """

    main_score = "average_precision"

    def make_meters(self) -> dict[str, Metric]:
        """All in constant memory, however many images there are."""
        classes, ignore = len(self.info.class_names), self.info.ignore
        bins = bins_for(classes)
        return {
            "totals": Totals(ignore),
            "logits": HistogramAveragePrecision(classes, "logits", bins, ignore),
            "softmax": HistogramAveragePrecision(classes, "softmax", bins, ignore),
            "confusion": PixelConfusionMatrix(classes, ignore_index=ignore),
        }

    def read_meters(self, values: dict[str, Any]) -> Scores:
        """``loss``; ``average_precision``, ``average_precision_softmax`` and ``iou`` by name, each with its ``mean``
        over the classes that are there; ``pixel_accuracy`` and ``confusion_matrix`` with a row for each truth.
        """
        return {
            "loss": values["totals"]["loss"].item(),
            "average_precision": self._with_mean(values["logits"]),
            "average_precision_softmax": self._with_mean(values["softmax"]),
            "pixel_accuracy": accuracy(values["confusion"]).item(),
            "iou": self._with_mean(intersection_over_union(values["confusion"], self.info.ignore)),
            "confusion_matrix": values["confusion"].tolist(),
        }

    def _with_mean(self, values: Tensor) -> dict[str, float]:
        return {**self.info.named(values.tolist()), "mean": mean_of_present(values).item()}

    def by_class(self, scores: Scores) -> tuple[str, dict[str, float]]:
        """Average precision by logits."""
        return "average_precision", {k: v for k, v in scores["average_precision"].items() if k != "mean"}
