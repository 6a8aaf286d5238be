"""``segnet`` in the fastest plain loop: what the project is held against.

    python -m bench.fastest_facade ROOT [--epochs 2] [--batches N]

Counted is all from before the first batch to the last score. The average precision is that of the project's function.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from bench.fast_loop import Defaults, run
from fashseg import config as cfg
from fashseg.metrics.average_precision import DEFAULT_BINS, average_precision_from_histogram, score_histogram
from fashseg.metrics.prediction import predicted_labels

DEFAULTS = Defaults(
    model=cfg.SegNet("segnet"),
    data="facade",
    split="published",  # as the plain script's: 800 images train, 106 validate
    batch_size=4,
    eval_batch_size=8,
    eval_train=13,
    weight_decay=1e-5,
)
CLASSES = 5
Ranking = Literal["logits", "softmax"]


class PixelScores:
    """Loss, counts of truth by prediction, and the histograms of both average precisions."""

    def __init__(self) -> None:
        self.counts = torch.zeros(CLASSES**2, dtype=torch.int64)
        self.histograms: dict[Ranking, Tensor | None] = dict.fromkeys(get_args(Ranking))
        self.loss, self.images = 0.0, 0

    def add(self, logits: Tensor, targets: Tensor, loss: Tensor) -> None:
        """A batch."""
        self.counts = self.counts.to(logits.device)
        self.counts += torch.bincount((targets * CLASSES + predicted_labels(logits)).flatten(), minlength=CLASSES**2)
        for ranking, out in self.histograms.items():
            self.histograms[ranking] = score_histogram(logits, targets, CLASSES, DEFAULT_BINS, ranking, out=out)
        self.loss += float(loss) * len(targets)
        self.images += len(targets)

    def read(self) -> str:
        """Loss, share of right pixels, overlap, and both means of average precision."""
        table = self.counts.reshape(CLASSES, CLASSES)
        right = table.diagonal()
        overlap = (right / (table.sum(0) + table.sum(1) - right)).nanmean()
        means = [average_precision_from_histogram(h).nanmean() for h in self.histograms.values() if h is not None]
        return (
            f"loss {self.loss / self.images:.4f}, accuracy {right.sum() / table.sum():.4f}, IoU {overlap:.4f}, "
            f"average precision {means[0]:.4f} by logits, {means[1]:.4f} by softmax"
        )


def main(words: Sequence[str] | None = None) -> None:
    """Train and score."""
    run(DEFAULTS, PixelScores, words, __doc__)


if __name__ == "__main__":
    main()
