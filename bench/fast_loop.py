"""The fastest plain loop we can write with the settings of the project's defaults: what Lightning and Hydra may cost.

Network, readers and the formulas of the scores are the project's; everything around them is plain code. Images stay
uint8 in memory and are gathered by index; training is in bfloat16 where the hardware has it, channels last, with the
fused Adam; freed memory is kept and denormals are flushed. After each epoch the validation images, and as many
training images as the project takes, are scored in float32, and a line is printed. On a GPU a step is a CUDA graph.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from bench.clock import Laps, print_result
from fashseg import config as cfg
from fashseg.data.arrays import ArrayDataset
from fashseg.data.module import ImageDataModule
from fashseg.devices import keep_freed_memory, precision
from fashseg.metrics.prediction import predicted_labels
from fashseg.models import build_model
from fashseg.tasks.optimizers import look_for_no_gpu

Step = Callable[[Tensor], None]


class Scores(Protocol):
    """Adds up what an epoch's scores are read from."""

    def add(self, logits: Tensor, targets: Tensor, loss: Tensor) -> None:
        """A batch."""

    def read(self) -> str:
        """All scores in some words."""


class Totals:
    """Loss and accuracy alone."""

    def __init__(self) -> None:
        self.loss = self.hits = self.images = self.predictions = 0.0

    def add(self, logits: Tensor, targets: Tensor, loss: Tensor) -> None:
        """A batch."""
        self.loss += float(loss) * len(targets)
        self.hits += float((predicted_labels(logits) == targets).sum())
        self.images += len(targets)
        self.predictions += targets.numel()

    def read(self) -> str:
        """In words."""
        return f"loss {self.loss / self.images:.4f}, accuracy {self.hits / self.predictions:.4f}"


class Defaults(NamedTuple):
    """The project's defaults for a model; a test holds them against conf/."""

    model: cfg.Model
    data: str
    split: str
    batch_size: int
    eval_batch_size: int
    eval_train: int
    weight_decay: float = 0.0
    lr: float = 1e-3


def read_options(defaults: Defaults, words: Sequence[str] | None, description: str | None) -> argparse.Namespace:
    """What both scripts can be told."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root")
    parser.add_argument("--data", default=defaults.data)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=defaults.batch_size)
    parser.add_argument("--batches", type=int, help="at most so many of each set, as trainer.limit_batches")
    parser.add_argument("--split", default=defaults.split)
    parser.add_argument("--val-share", type=float, help="share of the training images that validates")
    parser.add_argument("--eval-train", type=int, default=defaults.eval_train, help="batches on fixed weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args(words)


def run(defaults: Defaults, scores: Callable[[], Scores], words: Sequence[str] | None, description: str | None) -> None:
    """Train, score after each epoch, and print the result.

    Args:
        defaults: of the model.
        scores: makes what a set of images is scored with.
        words: in place of the command line's.
        description: of the script.
    """
    options = read_options(defaults, words, description)
    keep_freed_memory()
    torch.set_flush_denormal(True)
    torch.manual_seed(options.seed)
    device = torch.device(options.device)
    data, parts = _read(defaults, options, device)
    train = parts["train"]
    net = build_model(defaults.model, data.info.shape, len(data.info.class_names))
    net.to(device=device)
    net.to(memory_format=torch.channels_last)
    loss_sum, hits = torch.zeros((), device=device), torch.zeros((), dtype=torch.int64, device=device)
    mean, std = (torch.tensor(values, device=device).reshape(1, -1, 1, 1) for values in (data.info.mean, data.info.std))

    def batch(part: ArrayDataset, rows: Tensor) -> tuple[Tensor, Tensor]:
        images = part.images.index_select(0, rows).to(torch.float32, memory_format=torch.channels_last)
        return images.sub_(mean).div_(std), part.targets.index_select(0, rows).long()

    def score(part: ArrayDataset, meter: Scores) -> str:
        net.eval()
        with torch.inference_mode():
            for rows in torch.split(part.indices, defaults.eval_batch_size):
                images, targets = batch(part, rows)
                logits = net(images)
                meter.add(logits, targets, nn.functional.cross_entropy(logits, targets))
        net.train()
        return meter.read()

    optimizer = torch.optim.Adam(
        net.parameters(), defaults.lr, weight_decay=defaults.weight_decay, fused=True, capturable=device.type == "cuda"
    )
    if device.type == "cpu":
        look_for_no_gpu(optimizer)
    bf16 = precision(cfg.Trainer(accelerator="gpu" if device.type == "cuda" else "cpu")) == "bf16"

    def step(rows: Tensor) -> None:
        images, targets = batch(train, rows)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16, cache_enabled=False):
            logits = net(images)
            loss = nn.functional.cross_entropy(logits, targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        loss_sum.add_(loss.detach(), alpha=len(rows))
        hits.add_((predicted_labels(logits) == targets).sum())

    full_step = _graph(step, train.indices[: options.batch_size]) if device.type == "cuda" else step
    images = min(len(train), (options.batches or len(train)) * options.batch_size)
    per_image = math.prod(train.targets.shape[1:])
    laps = Laps()
    for epoch in range(1, options.epochs + 1):
        order = train.indices[torch.randperm(len(train.indices)).to(device)]
        for rows in torch.split(order, options.batch_size)[: options.batches]:
            (full_step if len(rows) == options.batch_size else step)(rows)
        text = [
            f"epoch {epoch}: loss {loss_sum.item() / images:.4f}, accuracy {hits.item() / images / per_image:.4f}",
            f"val: {score(parts['val'], scores())}",
            f"train, fixed: {score(parts['train_fixed'], Totals())}",
        ]
        loss_sum.zero_()
        hits.zero_()
        laps.lap()
        print(*text, f"{laps.seconds[-1]:.1f} s", sep=" | ", flush=True)
    print_result(**laps.report(images), precision="bf16" if bf16 else "32", text=text[1])


def _read(
    defaults: Defaults, options: argparse.Namespace, device: torch.device
) -> tuple[ImageDataModule, dict[str, ArrayDataset]]:
    kind: Any = cfg.CHOICES["data"][options.data]
    # The split is one of the data set's own.
    split: dict[str, Any] = {"split": options.split if options.data == defaults.data else "random"}
    if options.val_share:
        split["val_share"] = options.val_share
    data = ImageDataModule(
        kind(name=options.data, root=options.root, **split),
        eval_batch_size=defaults.eval_batch_size,
        eval_train=options.eval_train,
    )
    data.setup()
    most = options.batches and options.batches * defaults.eval_batch_size
    parts = {name: data.part(name).first(most) for name in ("val", "train_fixed")}
    return data, {name: part.to(device) for name, part in {**parts, "train": data.part("train")}.items()}


def _graph(step: Step, rows: Tensor) -> Step:
    """One step as a CUDA graph. The three steps that it takes first train, which is no matter here."""
    rows = rows.clone()
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step(rows)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step(rows)

    def replay(chosen: Tensor) -> None:
        rows.copy_(chosen)
        graph.replay()

    return replay
