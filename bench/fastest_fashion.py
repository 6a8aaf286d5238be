"""``cnn`` in the fastest plain loop: what the project is held against.

    python -m bench.fastest_fashion ROOT [--epochs 2] [--batches N]

Counted is all from before the first batch to the last score.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from bench.fast_loop import Defaults, run
from fashseg import config as cfg
from fashseg.metrics.prediction import predicted_labels

DEFAULTS = Defaults(
    model=cfg.CNN("cnn"),
    data="fashion_mnist",
    split="random",
    batch_size=64,
    eval_batch_size=500,
    eval_train=12,
)
CLASSES = 10


class ClassScores:
    """Loss, and all else from the counts of truth by prediction."""

    def __init__(self) -> None:
        self.counts = torch.zeros(CLASSES**2, dtype=torch.int64)
        self.loss = 0.0

    def add(self, logits: Tensor, targets: Tensor, loss: Tensor) -> None:
        """A batch."""
        self.counts = self.counts.to(logits.device)
        self.counts += torch.bincount(targets * CLASSES + predicted_labels(logits), minlength=CLASSES**2)
        self.loss += float(loss) * len(targets)

    def read(self) -> str:
        """Loss, accuracy, and accuracy of the worst class."""
        table = self.counts.reshape(CLASSES, CLASSES)
        images, right = table.sum(), table.diagonal()
        worst = (right / table.sum(1)).nan_to_num(1).min()
        return f"loss {self.loss / images:.4f}, accuracy {right.sum() / images:.4f}, worst class {worst:.3f}"


def main(words: Sequence[str] | None = None) -> None:
    """Train and score."""
    run(DEFAULTS, ClassScores, words, __doc__)


if __name__ == "__main__":
    main()
