"""Runs with averaged weights: what is scored and kept is the average, and what is trained never knows."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from amounts import SLOW
from conftest import TINY_CNN, Command, assert_two_lines, page_of, results_of, table, weights
from fashseg.callbacks.history import History
from fashseg.tasks import ClassificationTask, Task
from fashseg.tasks.averaging import Average

# A network with normalisation, whose buffers are averaged, too; 270 images, so that an epoch's last step is smaller.
WORDS = (
    *(word for word in TINY_CNN if word != "model=cnn"),
    *("model=vgg", "model.widths=[4,4]", "model.convs=[1,1]", "model.hidden=8"),
    *("batch_size=50", "augment=flip", "scheduler=cosine", "eval_train=1"),
)
EMA = "callbacks.ema.decay=0.8"
RAW = "current_model_state"


def checkpoint(folder: Path, name: str = "last") -> dict[str, Any]:
    content: dict[str, Any] = torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)
    return content


def assert_equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def plain(trained_once: Callable[..., Path]) -> Path:
    return trained_once("cnn", *WORDS, "page=false")


@pytest.fixture(scope="module")
def averaged(trained_once: Callable[..., Path]) -> Path:
    """By the Stepper, four steps a call."""
    return trained_once("cnn", *WORDS, EMA, "trainer.steps_per_call=4", "page=true")


def test_what_is_trained_is_the_same_without(plain: Path, averaged: Path) -> None:
    assert_equal(checkpoint(averaged)[RAW], weights(plain))
    for one, other in zip(table(plain), table(averaged), strict=True):
        assert one["train_loss_running"] == other["train_loss_running"]
        assert one["train_loss"] != other["train_loss"], "on fixed weights, which are averaged ones"
        assert one["val_loss"] != other["val_loss"]
    assert (results_of(plain)["ema_decay"], results_of(averaged)["ema_decay"]) == (None, 0.8)


def test_lightnings_own_loop_comes_to_the_same_average(
    run: Command, averaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And to that which is computed by hand from the weights behind every step."""
    behind: list[dict[str, Tensor]] = []
    function = Average.follow

    def watched(self: Average, step: int) -> None:
        behind.append({name: value.double() for name, value in self.network.state_dict().items()})
        function(self, step)

    monkeypatch.setattr(Average, "follow", watched)
    outcome = run("train", *WORDS, EMA, "trainer.steps_per_call=1", "hydra.run.dir=own")
    assert outcome.status == 0, outcome.err
    for name in ("best", "last"):
        for state in ("state_dict", RAW):
            assert_equal(checkpoint(tmp_path / "own", name)[state], checkpoint(averaged, name)[state])
    assert table(tmp_path / "own") == table(averaged)
    assert len(behind) == checkpoint(averaged)["global_step"] == 12
    mean = behind[0]  # of the initial weights a billionth is left
    for step, now in enumerate(behind, 1):
        share = min(0.8, step / (step + 9))
        mean = {name: share * mean[name] + (1 - share) * now[name] for name in now}
    found = checkpoint(averaged)["state_dict"]
    for name, value in mean.items():
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(found[f"model.{name}"].double(), value, rtol=1e-4, atol=1e-5)


def test_everything_that_uses_the_run_has_the_average(run: Command, averaged: Path) -> None:
    results, best = results_of(averaged), checkpoint(averaged, "best")
    for part in ("val", "test"):
        assert run("evaluate", f"run={averaged}", f"split={part}").status == 0
        scored = (averaged / f"evaluate_{part}_best.json").read_text(encoding="utf-8")
        assert f'"loss": {results[part]["loss"]}' in scored
    rows = table(averaged)
    assert f"{results['val']['loss']:.9g}" in [row["val_loss"] for row in rows]
    task = ClassificationTask.load_from_checkpoint(averaged / "checkpoints" / "best.ckpt", weights_only=True)
    assert_equal(dict(task.state_dict()), best["state_dict"])
    assert run("export", f"run={averaged}", "format=safetensors").status == 0
    (file,) = (averaged / "export").glob("*.safetensors")
    for name, value in load_file(file).items():
        assert torch.equal(value, best["state_dict"][f"model.{name}"])
    page = page_of(averaged)
    assert "exponential moving average over the steps up to then (callbacks.ema.decay=0.8)" in page
    assert "the other two of their average" in page


MOMENTS = {
    "within an epoch": (Task, "training_step", 2),
    "in validation": (Task, "validation_step", 1),
    "at an epoch's end": (History, "on_train_epoch_end", 1),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("steps", [1, 4])
def test_a_run_that_is_terminated_goes_on(
    run: Command, averaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, steps: int
) -> None:
    if steps == 1 and moment == "at an epoch's end":
        return  # no other than in the Stepper
    owner, name, number = MOMENTS[moment]
    function, calls = getattr(owner, name), []

    def watched(*args: Any, **kwargs: Any) -> Any:
        calls.append(None)
        if len(calls) == number:
            signal.raise_signal(signal.SIGTERM)
        return function(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, watched)
        stopped = run("train", *WORDS, EMA, f"trainer.steps_per_call={steps}", "hydra.run.dir=part")
    assert stopped.status == 143, stopped.err
    resumed = run("train", "resume=part")
    assert resumed.status == 0, resumed.err
    for state in ("state_dict", RAW):
        assert_equal(checkpoint(tmp_path / "part")[state], checkpoint(averaged)[state])
        assert_equal(checkpoint(tmp_path / "part", "best")[state], checkpoint(averaged, "best")[state])
    assert table(tmp_path / "part") == table(averaged)
    assert results_of(tmp_path / "part")["test"] == results_of(averaged)["test"]


def test_resume_keeps_the_average_as_it_was_begun(run: Command, plain: Path, averaged: Path) -> None:
    refused = run("train", f"resume={plain}", "epochs=3", EMA)
    assert_two_lines(refused, "callbacks.ema.decay=null, and resume keeps it", "callbacks.convergence.*")
    for word in ("callbacks.ema.decay=null", "callbacks.ema.decay=0.9"):
        assert_two_lines(run("train", f"resume={averaged}", "epochs=3", word), "callbacks.ema.decay=0.8, and resume")
    assert_two_lines(run("train", *WORDS, "callbacks.ema=0.9"), "callbacks.ema.decay")
    assert_two_lines(run("train", *WORDS, EMA, "trainer=fsdp", "trainer.devices=2"), "trainer.strategy=fsdp", "ddp")


def test_steps_that_are_left_out_leave_the_average_finite_and_the_same_in_both_loops(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Task.loss_of
    for steps in (1, 4):
        count = iter(range(1, 100))

        def loss_of(self: Task, *args: Tensor, count: Any = count) -> tuple[Tensor, Tensor]:
            loss, logits = function(self, *args)
            return (loss * float("nan") if next(count) in (3, 7) else loss), logits

        monkeypatch.setattr(Task, "loss_of", loss_of)
        words = (*WORDS, EMA, "on_nan=skip", f"trainer.steps_per_call={steps}", f"hydra.run.dir=s{steps}")
        outcome = run("train", *words)
        assert outcome.status == 0, outcome.err
        assert results_of(tmp_path / f"s{steps}")["skipped_steps"] == 2
    one, many = (checkpoint(tmp_path / name) for name in ("s1", "s4"))
    for state in ("state_dict", RAW):
        assert_equal(one[state], many[state])
        assert all(value.isfinite().all() for value in one[state].values())


@pytest.mark.skipif(not SLOW, reason="make test-slow")
def test_two_processes_have_one_average(tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    words = [word for word in WORDS if not word.startswith(("batch_size", "augment"))]
    words += ["trainer.devices=2", "batch_size=25", "checkpoint.every_seconds=1e-9"]
    for name, option in (("plain", "notes=none"), ("averaged", EMA)):
        command = [sys.executable, "-m", "fashseg.train", *words, option, f"hydra.run.dir={name}"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
    assert_equal(checkpoint(tmp_path / "averaged")[RAW], weights(tmp_path / "plain"))
    ours, theirs = (weights(tmp_path / name) for name in ("averaged", "plain"))
    assert not torch.equal(ours["model.0.weight"], theirs["model.0.weight"])
    # What a validation has seen, in which each process has its own buffers at first, is what was saved.
    seen = [float(row["val_loss"]) for row in table(tmp_path / "averaged")]
    assert results_of(tmp_path / "averaged")["val"]["loss"] in [pytest.approx(loss, rel=1e-6) for loss in seen]
