"""The framework changes nothing: the same weights and batches give the losses of a plain PyTorch loop."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Callback
from torch import nn

from amounts import SLOW, amount
from fashseg import config as cfg
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.engine import build_trainer
from fashseg.scoring import build_data
from fashseg.tasks import build_task

pytestmark = pytest.mark.sampled
STEPS = {"cnn": 50, "segnet": amount(10, 50)}  # half a second each of segnet's, in both loops


class Losses(Callback):
    def __init__(self) -> None:
        self.values: list[float] = []

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.values.append(outputs["loss"].item())


@pytest.mark.parametrize(
    "words",
    [
        ["model=cnn", "data=synthetic_fashion", "data.train_images=4000", "data.test_images=10"],
        ["model=segnet", "data=synthetic_facade", "data.train_images=230", "data.test_images=2"],
        ["experiment=report_cnn"],
        pytest.param(["experiment=report_segnet"], marks=pytest.mark.skipif(not SLOW, reason="make test-slow")),
    ],
    ids=["cnn", "segnet", "cnn on real data", "segnet on real data"],
)
def test_steps_give_the_losses_of_a_plain_loop(words: list[str], request: pytest.FixtureRequest) -> None:
    if "real" in request.node.name:
        root: Path = request.getfixturevalue("real_data")
        words = [*words, f"data.root={root}"]
    steps = STEPS["cnn" if "cnn" in request.node.name else "segnet"]
    fixed = ["trainer.precision=32", "trainer.accelerator=cpu", f"trainer.limit_batches={steps}", "eval_train=false"]
    run = check(cfg.Train, compose("train", [*words, *fixed]))
    data = build_data(run)
    data.setup()
    torch.manual_seed(0)
    task = build_task(run, data.info)
    plain = copy.deepcopy(task.model).to(memory_format=torch.contiguous_format)

    losses = Losses()
    trainer = build_trainer(run.trainer, callbacks=[losses], quiet=True)
    trainer.fit(task, datamodule=data)
    assert len(losses.values) == steps

    mean = torch.tensor(data.info.mean).view(1, -1, 1, 1)
    std = torch.tensor(data.info.std).view(1, -1, 1, 1)
    optimizer = torch.optim.Adam(plain.parameters(), lr=1e-3, weight_decay=run.optimizer.weight_decay)
    expected = []
    for (images, targets), _ in zip(data.train_dataloader(), range(steps), strict=False):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(plain((images.float() - mean) / std), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        expected.append(loss.item())
    worst = max(abs(a - b) for a, b in zip(losses.values, expected, strict=True))
    print(f"largest difference over {steps} steps: {worst:.2e}")
    assert worst < 1e-5
    assert expected[-1] < expected[0], "the loop must have learned, or equality says nothing"
