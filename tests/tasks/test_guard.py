"""Losses that are not finite: in every kind of loop they end the run, or are left out and counted."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from conftest import TINY_CNN, TINY_SEGNET, Command, results_of, table, weights
from fashseg import config as cfg
from fashseg.tasks import Task
from fashseg.tasks.guard import DeferredGuard
from fashseg.tasks.optimizers import build_optimizer

Loss = Callable[..., tuple[Tensor, Tensor]]


def nan_at(patch: pytest.MonkeyPatch, *bad_steps: int) -> None:
    """Make the loss of these training steps nan, as an overflow in the network would."""
    function, steps = Task.loss_of, []

    def loss_of(self: Task, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        loss, logits = function(self, images, targets)
        if self.training:
            steps.append(None)
            if len(steps) in bad_steps:
                loss = loss * float("nan")
        return loss, logits

    patch.setattr(Task, "loss_of", loss_of)


WORDS = (*TINY_CNN, "batch_size=50", "logger=none", "hydra.run.dir=r", "checkpoint.every_seconds=1e-9")


@pytest.mark.parametrize("steps_per_call", [1, 2, 8])
def test_the_run_ends_and_says_where(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps_per_call: int
) -> None:
    words = (*WORDS, f"trainer.steps_per_call={steps_per_call}")
    with monkeypatch.context() as patch:
        nan_at(patch, 9)
        ended = run("train", *words)
    assert ended.status == 1
    assert len(ended.err.splitlines()) == 2, ended.err
    assert "step 9 (epoch 2)" in ended.err
    assert "is nan" in ended.err
    results = results_of(tmp_path / "r")
    assert results["status"] == "failed"
    record = results["not_finite"]
    assert (record["step"], record["epoch"], record["gradient_norm"]) == (9, 2, "nan")
    whole = (*words, "hydra.run.dir=whole")
    assert run("train", *whole).status == 0
    from fashseg.data.module import ImageDataModule

    data = ImageDataModule(cfg.Synthetic("synthetic_fashion", train_images=300, test_images=60), batch_size=50)
    data.setup()
    loader = data.train_dataloader()
    loader.sampler.set_epoch(1)
    assert record["images"] == loader.rows()[2].tolist(), "the third of six batches of the second epoch"
    assert all(values.isfinite().all() for values in weights(tmp_path / "r").values()), "the last good state is kept"
    assert run("train", "resume=r").status == 0, "and what was no fault of the data does not come again"
    first, second = weights(tmp_path / "r"), weights(tmp_path / "whole")
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("steps_per_call", [1, 8])
def test_steps_are_left_out_and_counted(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps_per_call: int
) -> None:
    words = [word for word in WORDS if word != "model=cnn"]
    words += ["model=vgg", "model.hidden=16", "on_nan=skip", f"trainer.steps_per_call={steps_per_call}"]
    with monkeypatch.context() as patch:
        nan_at(patch, 2, 8, 9)
        ended = run("train", *words)
    assert ended.status == 0, ended.err
    assert results_of(tmp_path / "r")["skipped_steps"] == 3
    assert "step 8 is left out" in (tmp_path / "r" / "run.log").read_text(encoding="utf-8")
    assert all(values.isfinite().all() for values in weights(tmp_path / "r").values()), (
        "normalisation has not seen them"
    )
    assert all("nan" not in row.values() for row in table(tmp_path / "r"))
    assert "3 steps" in ended.out
    assert run("report", "run=r").status == 0
    assert "Left out: 3 steps of training" in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")


def test_a_run_of_which_every_step_is_left_out_ends(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    nan_at(monkeypatch, *range(1, 100))
    ended = run("train", *WORDS, "on_nan=skip")
    assert ended.status == 1
    assert "no step of epoch 1" in ended.err


def test_segmentation_that_diverges_is_said(run: Command) -> None:
    ended = run("train", *TINY_SEGNET, "optimizer=sgd", "optimizer.lr=1e30", "hydra.run.dir=r")
    assert ended.status == 1
    assert "training diverged in step" in ended.err


@pytest.mark.parametrize("on_nan", ["stop", "skip"])
def test_processes_that_train_together_agree(tmp_path: Path, on_nan: str) -> None:
    """The loss is nan in the second of two processes alone."""
    plugin = tmp_path / "plugin.py"
    plugin.write_text(
        "from fashseg.register import Loss, register_loss\n"
        "from fashseg.tasks import Task\n"
        "register_loss('unused', Loss, lambda options, ignore: None)\n"
        "function = Task.loss_of\n"
        "def loss_of(self, images, targets):\n"
        "    loss, logits = function(self, images, targets)\n"
        "    bad = self.training and self.global_rank == 1 and self.global_step == 3\n"
        "    return (loss * float('nan') if bad and not self.guard.skipped else loss), logits\n"
        "Task.loss_of = loss_of\n"
    )
    words = (*WORDS, "trainer.devices=2", f"on_nan={on_nan}", f"plugins=[{plugin}]")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "fashseg.train", *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    results = results_of(tmp_path / "r")
    if on_nan == "skip":
        assert done.returncode == 0, done.stderr
        assert results["skipped_steps"] == 1
    else:
        assert done.returncode == 1
        assert "training diverged in step 4" in done.stderr
        assert len(done.stderr.splitlines()) == 2, "said once"
        assert results["not_finite"]["step"] == 4


@pytest.mark.parametrize("options", [cfg.Adam("adam", lr=0.1), cfg.Adam("adamw", lr=0.1), cfg.SGD("sgd", lr=0.1)])
def test_without_waiting_weights_freeze_at_the_first_bad_step(options: cfg.Optimizer) -> None:
    """How a GPU does it; a fused optimizer on the CPU does the same."""
    parameter = nn.Parameter(torch.ones(3))
    optimizer = build_optimizer(options, [parameter])
    guard = DeferredGuard(optimizer, torch.device("cpu"))

    def step(loss: float) -> None:
        guard.look(torch.tensor(loss))
        parameter.grad = torch.full((3,), loss)
        optimizer.step()

    for loss in (1.0, 2.0):
        step(loss)
    assert guard.first_bad() is None
    step(3.0)
    good = parameter.detach().clone()
    for loss in (float("inf"), 1.0, float("nan")):
        step(loss)
    assert torch.equal(parameter, good)
    assert guard.first_bad() == 1, "of those since the last look"


def test_deferred_to_the_end_of_a_call_the_error_is_the_same(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fashseg.tasks import stepping

    monkeypatch.setattr(stepping, "waits_for_no_one", lambda _: False)
    function = Task.loss_of

    def loss_of(self: Task, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        loss, logits = function(self, images, targets)
        bad = self.training and bool((images.sum() == marked).all())
        return (loss * float("inf") if bad else loss), logits

    from fashseg.data.module import ImageDataModule

    data = ImageDataModule(cfg.Synthetic("synthetic_fashion", train_images=300, test_images=60), batch_size=50)
    data.setup()
    third = data.train_dataloader().rows()[2]
    marked = data.part("train").raw(third)[0].sum()
    monkeypatch.setattr(Task, "loss_of", loss_of)
    ended = run("train", *WORDS, "trainer.steps_per_call=8")
    assert ended.status == 1, ended.err
    record = results_of(tmp_path / "r")["not_finite"]
    assert (record["step"], record["images"]) == (3, third.tolist())
