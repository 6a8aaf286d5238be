"""The segmenter as people write it on their first day: pictures decoded into one float tensor, a loop over slices.

    python -m bench.plain_facade ROOT [--epochs 30] [--images 800] [--test-images 114]

ROOT holds facade/{train,test_dev}/eecs442_NNNN.{jpg,png}. The first 800 pairs train, the other 106 validate. Counted
are the training steps alone.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from sklearn.metrics import average_precision_score
from torch import Tensor, nn

from bench.clock import Laps, print_result

CLASSES = 5


def make_network() -> nn.Sequential:
    """The report's segmenter: 38,501 parameters."""
    down = [nn.Conv2d(3, 32, kernel_size=3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    middle = [nn.Conv2d(32, 64, kernel_size=3, padding=1), nn.ReLU()]
    up = [nn.ConvTranspose2d(64, 32, kernel_size=3, stride=2), nn.Conv2d(32, CLASSES, kernel_size=2)]
    return nn.Sequential(*down, *middle, *up)


def read_pairs(folder: Path, count: int) -> tuple[Tensor, Tensor]:
    """The first pairs of a folder, fewer where it has fewer: images (N, 3, H, W) of -1 to 1 and labels (N, H, W)."""
    photographs = sorted(folder.glob("*.jpg"))[:count]
    pixels = np.stack([np.array(Image.open(path)) for path in photographs])
    labels = np.stack([np.array(Image.open(path.with_suffix(".png"))) for path in photographs])
    x = torch.tensor(pixels, dtype=torch.float32).permute(0, 3, 1, 2).contiguous()
    return x / 128 - 1, torch.tensor(labels, dtype=torch.long)


def train_once(net: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor, batch_size: int) -> float:
    """One epoch; returns the mean loss of its batches."""
    criterion = nn.CrossEntropyLoss()
    losses: list[float] = []
    for chosen in torch.split(torch.randperm(len(x)), batch_size):
        optimizer.zero_grad()
        loss = criterion(net(x[chosen]), y[chosen])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def predict(net: nn.Module, x: Tensor) -> Tensor:
    """Logits (N, 5, H, W), image by image."""
    return torch.cat([net(image[None]) for image in x])


def average_precision(scores: Tensor, y: Tensor) -> list[float]:
    """Of each class over all pixels, by scikit-learn."""
    columns = scores.movedim(1, 0).flatten(1).numpy()
    truth = y.flatten().numpy()
    return [float(average_precision_score(truth == label, column)) for label, column in enumerate(columns)]


def main() -> None:
    """Train, validate after each epoch, and where asked for test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--images", type=int, default=800, help="training images an epoch")
    parser.add_argument("--val-images", type=int, default=106, help="0 validates on none")
    parser.add_argument("--test-images", type=int, default=0, help="0 tests on none")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    x, y = read_pairs(options.root / "facade" / "train", 800 + options.val_images)
    count = min(options.images, 800, len(x))
    net = make_network()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=1e-5)
    laps, found = Laps(), dict[str, Any]()
    for _ in range(options.epochs):
        laps.start()
        found["train_loss"] = train_once(net, optimizer, x[:count], y[:count], options.batch_size)
        laps.lap()
        if options.val_images and len(x) > 800:
            found["val_loss"] = nn.functional.cross_entropy(predict(net, x[800:]), y[800:]).item()
    if options.test_images:
        x, y = read_pairs(options.root / "facade" / "test_dev", options.test_images)
        logits = predict(net, x)
        found["average_precision"] = average_precision(logits, y)
        found["average_precision_softmax"] = average_precision(logits.softmax(1), y)
    print_result(**laps.report(count), **found)


if __name__ == "__main__":
    main()
