"""The classifier in the style of the common Lightning templates: a DataLoader, and a metric logged at every step.

    python -m bench.lightning_fashion ROOT [--epochs 1] [--images 54000]

ROOT holds FashionMNIST/raw. Counted is all of ``Trainer.fit``, which here has no validation.
"""

import argparse
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, random_split
from torchmetrics import Accuracy, Metric

from bench.clock import Laps, print_result
from bench.epoch_clock import EpochClock
from bench.plain_fashion import make_network, read

Batch = tuple[Tensor, Tensor]


class LitClassifier(pl.LightningModule):
    """Network, loss, and an accuracy for each part."""

    def __init__(self, lr: float = 1e-3) -> None:
        super().__init__()
        self.lr = lr
        self.network = make_network()
        self.criterion = nn.CrossEntropyLoss()
        self.train_acc: Metric = Accuracy(task="multiclass", num_classes=10)
        self.test_acc: Metric = Accuracy(task="multiclass", num_classes=10)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.network(x)
        return logits

    def _shared(self, part: str, batch: Batch, metric: Metric) -> Tensor:
        x, y = batch
        logits = self(x)
        loss: Tensor = self.criterion(logits, y)
        metric(logits, y)
        for name, value in ((f"{part}/loss", loss), (f"{part}/acc", metric)):
            self.log(name, value, on_step=False, on_epoch=True, prog_bar=True)
        return loss

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of a batch."""
        return self._shared("train", batch, self.train_acc)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Scores of a batch."""
        self._shared("test", batch, self.test_acc)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(self.parameters(), lr=self.lr)


def main() -> None:
    """Fit and test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--images", type=int, default=54_000, help="training images an epoch")
    parser.add_argument("--workers", type=int, default=0, help="processes of the DataLoader")
    options = parser.parse_args()

    pl.seed_everything(0)
    everything: Any = read(options.root, train=True)
    count = min(options.images, len(everything) * 9 // 10)
    images, _ = random_split(everything, (count, len(everything) - count))
    train = DataLoader(images, options.batch_size, shuffle=True, num_workers=options.workers)
    test = DataLoader(read(options.root, train=False), options.batch_size, num_workers=options.workers)
    laps = Laps()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=options.epochs,
        callbacks=[EpochClock(laps)],
        logger=False,
        enable_checkpointing=False,
    )
    model = LitClassifier()
    laps.start()
    trainer.fit(model, train)
    laps.lap()
    (scores,) = trainer.test(model, test, verbose=False)
    print_result(**laps.report(count), test_accuracy=scores["test/acc"])


if __name__ == "__main__":
    main()
