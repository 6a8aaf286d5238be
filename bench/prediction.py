"""Images to labels: the project's `predict` against a plain loop, both with the same weights.

    python -m bench.prediction {project,plain} {cnn,segnet} ROOT [--images N]

Images are uint8 in memory on both sides, and the label of each image, or pixel, is made. The plain loop is what people
write: for ``cnn`` torchvision's data set and a DataLoader with batches of 1,000, for ``segnet`` one image at a time.
The first pass over a tenth of the images is not counted.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

from bench import plain_facade, plain_fashion
from bench.clock import Laps, print_result

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "cnn": plain_fashion.make_network,
    "segnet": plain_facade.make_network,
}
SHOWN = 10_000  # labels that are shown, so that both sides can be compared


def read(model: str, root: Path, count: int) -> Tensor:
    """The first test images (N, C, H, W), uint8."""
    if model == "cnn":
        images: Tensor = datasets.FashionMNIST(str(root), train=False).data[:count]
        return images[:, None]
    paths = sorted((root / "facade" / "test_dev").glob("*.jpg"))[:count]
    return torch.from_numpy(np.stack([np.array(Image.open(path)) for path in paths]).transpose(0, 3, 1, 2).copy())


def plain_cnn(net: nn.Module, root: Path) -> Callable[[int], Tensor]:
    """From a number of images to their labels."""
    scale = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.2860,), (0.3530,))])
    test = datasets.FashionMNIST(str(root), train=False, transform=scale)

    @torch.no_grad()
    def label(count: int) -> Tensor:
        batches: Any = DataLoader(Subset(test, range(count)), batch_size=1000)
        return torch.cat([net(x).argmax(1) for x, _ in batches])

    return label


def plain_segnet(net: nn.Module, images: Tensor) -> Callable[[int], Tensor]:
    """From a number of images to the labels of their pixels."""

    @torch.no_grad()
    def label(count: int) -> Tensor:
        return torch.cat([net(image[None].float() / 128 - 1).argmax(1) for image in images[:count]])

    return label


def project(model: str, net: nn.Module, images: Tensor) -> Callable[[int], Tensor]:
    """As `plain_cnn` and `plain_segnet`, by the project."""
    from bench import fastest_facade, fastest_fashion
    from fashseg import config as cfg
    from fashseg.data.sources import SOURCES
    from fashseg.engine import set_up_process
    from fashseg.metrics.prediction import predicted_labels
    from fashseg.scoring import predict
    from fashseg.tasks import build_task

    defaults = fastest_fashion.DEFAULTS if model == "cnn" else fastest_facade.DEFAULTS
    set_up_process(0)
    data = cfg.CHOICES["data"][defaults.data](defaults.data)
    parts: Any = {"optimizer": cfg.Adam("adam"), "scheduler": cfg.Scheduler("none"), "augment": cfg.Augment("none")}
    task = build_task(cfg.Train(model=defaults.model, data=data, **parts), SOURCES[defaults.data].info)
    with torch.no_grad():
        for mine, theirs in zip(task.model.parameters(), net.parameters(), strict=True):
            mine.copy_(theirs)

    def label(count: int) -> Tensor:
        logits = predict(task, images[:count], defaults.eval_batch_size)
        return torch.cat([predicted_labels(batch) for batch in logits])

    return label


@torch.no_grad()
def _spread_labels(net: nn.Module) -> None:
    """Fresh weights give one label to nearly everything; without their means, and without biases, they do not."""
    for parameter in net.parameters():
        others = tuple(range(1, parameter.ndim))
        parameter.sub_(parameter.mean(others, keepdim=True) if others else parameter.clone())


def main() -> None:
    """Label and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("side", choices=("project", "plain"))
    parser.add_argument("model", choices=tuple(NETWORKS))
    parser.add_argument("root", type=Path)
    parser.add_argument("--images", type=int, default=10**6, help="at most so many")
    options = parser.parse_args()

    torch.manual_seed(0)
    net = NETWORKS[options.model]()
    net.eval()
    _spread_labels(net)
    images = read(options.model, options.root, options.images)
    if options.side == "project":
        label = project(options.model, net, images)
    else:
        label = plain_cnn(net, options.root) if options.model == "cnn" else plain_segnet(net, images)
    label(-(-len(images) // 10))
    laps = Laps()
    labels = label(len(images))
    laps.lap()
    shown = labels.flatten()[:: max(1, labels.numel() // SHOWN)].tolist()
    print_result(**laps.report(len(images)), labels="".join(map(str, shown)))


if __name__ == "__main__":
    main()
