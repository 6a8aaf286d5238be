"""The classifier as people write it on their first day: torchvision's data set, a DataLoader, a loop.

    python -m bench.plain_fashion ROOT [--epochs 10] [--images 54000] [--until 0.9]

ROOT holds FashionMNIST/raw. A tenth of the 60,000 training images is left aside. Nothing but the training steps is
counted; with ``--until`` the test images are looked at after each epoch, and training stops once so many are right.
"""

import argparse

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

from bench.clock import Laps, print_result

Loader = DataLoader[tuple[Tensor, Tensor]]


def make_network() -> nn.Sequential:
    """The report's classifier: 113,386 parameters."""
    stages: list[nn.Module] = []
    for channels in (1, 32):
        stages += [nn.Conv2d(channels, 32, kernel_size=3), nn.ReLU(), nn.MaxPool2d(2)]
    head = [nn.Flatten(), nn.Linear(800, 128), nn.ReLU(), nn.Linear(128, 10)]
    return nn.Sequential(*stages, *head)


def read(root: str, train: bool) -> datasets.FashionMNIST:
    """Items are an image, float32 (1, 28, 28) of -1 to 1, and its label."""
    scale = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    return datasets.FashionMNIST(root, train=train, download=True, transform=scale)


def train_once(net: nn.Module, optimizer: torch.optim.Optimizer, batches: Loader) -> None:
    """One epoch."""
    criterion = nn.CrossEntropyLoss()
    net.train()
    for x, y in batches:
        loss = criterion(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def accuracy(net: nn.Module, batches: Loader) -> float:
    """Share of images whose label is found."""
    net.eval()
    right = seen = 0
    for x, y in batches:
        right += int((net(x).argmax(dim=1) == y).sum())
        seen += len(y)
    return right / seen


def main() -> None:
    """Train and test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--images", type=int, default=54_000, help="training images an epoch")
    parser.add_argument("--workers", type=int, default=0, help="processes of the DataLoader")
    parser.add_argument("--until", type=float, help="stop at this test accuracy")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    everything = read(options.root, train=True)
    chosen = torch.randperm(len(everything))[: len(everything) * 9 // 10][: options.images]
    images = Subset(everything, chosen.tolist())
    train = DataLoader(images, options.batch_size, shuffle=True, num_workers=options.workers)
    test = DataLoader(read(options.root, train=False), batch_size=1000, num_workers=options.workers)
    net = make_network()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

    laps, tests, found = Laps(), Laps(), []
    for epoch in range(1, options.epochs + 1):
        laps.start()
        train_once(net, optimizer, train)
        laps.lap()
        if options.until or epoch == options.epochs:
            tests.start()
            found.append(accuracy(net, test))
            tests.lap()
        if options.until and found[-1] >= options.until:
            break
    print_result(
        **laps.report(len(images)),
        test_accuracy=found[-1],
        test_accuracies=found,
        test_seconds=tests.seconds,
        test_cpu_seconds=tests.cpu_seconds,
    )


if __name__ == "__main__":
    main()
