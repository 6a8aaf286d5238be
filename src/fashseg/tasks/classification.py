"""One class an image."""

from typing import Any

from torchmetrics import Metric
from torchmetrics.classification import MulticlassConfusionMatrix

from fashseg.metrics.confusion import per_class_accuracy
from fashseg.metrics.totals import Totals
from fashseg.tasks.base import Scores, Task


class ClassificationTask(Task):
    """Cross-entropy over images; scored by accuracy, also class by class, and the confusion matrix."""

    main_score = "accuracy"

    def make_meters(self) -> dict[str, Metric]:
        """Accuracy by class is read off the confusion matrix."""
        confusion = MulticlassConfusionMatrix(len(self.info.class_names), validate_args=False)
        return {"totals": Totals(), "confusion": confusion}

    def read_meters(self, values: dict[str, Any]) -> Scores:
        """``loss``; ``accuracy``; ``accuracy_per_class`` by name, the share of a class's images that is recognised,
        nan where it has none; ``confusion_matrix`` with a row for each truth.
        """
        totals, confusion = values["totals"], values["confusion"]
        return {
            "loss": totals["loss"].item(),
            "accuracy": totals["accuracy"].item(),
            "accuracy_per_class": self.info.named(per_class_accuracy(confusion).tolist()),
            "confusion_matrix": confusion.tolist(),
        }

    def by_class(self, scores: Scores) -> tuple[str, dict[str, float]]:
        """Accuracy."""
        return "accuracy", scores["accuracy_per_class"]
