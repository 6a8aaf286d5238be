"""Several steps in one call of Lightning's loop are the steps of Lightning's own loop."""

import functools
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import TINY_CNN, TINY_SEGNET, Command, results_of, table, weights
from fashseg import config as cfg
from fashseg import engine
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.errors import UserError
from fashseg.tasks import graphed

# Every way in which one step could depend on how many are taken at once.
HARD = (
    "augment=flip",
    "scheduler=one_cycle",
    "trainer.gradient_clip=0.5",
    "optimizer.weight_decay=1e-4",
    "logger=none",
)


@pytest.mark.parametrize("precision", ["32", "bf16"])
@pytest.mark.parametrize(
    ("options", "steps"), [(TINY_CNN, 5), (TINY_CNN, 2), (TINY_SEGNET, 3)], ids=["cnn 5", "cnn 2", "segnet 3"]
)
def test_weights_are_those_of_lightnings_own_loop(
    run: Command, tmp_path: Path, options: tuple[str, ...], steps: int, precision: str
) -> None:
    for name, value in (("own", 1), ("many", steps)):
        words = [*options, *HARD, f"trainer.precision={precision}", f"trainer.steps_per_call={value}"]
        outcome = run("train", *words, f"hydra.run.dir={name}")
        assert outcome.status == 0, outcome.err
    own, many = (weights(tmp_path / name) for name in ("own", "many"))
    assert own.keys() == many.keys()
    assert all(torch.equal(own[name], many[name]) for name in own)
    assert table(tmp_path / "own") == table(tmp_path / "many")
    own_end, many_end = (
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True) for name in ("own", "many")
    )
    assert own_end["global_step"] == many_end["global_step"] > 0
    assert results_of(tmp_path / "own")["test"] == results_of(tmp_path / "many")["test"]


@pytest.mark.parametrize("options", [TINY_CNN, TINY_SEGNET], ids=["cnn", "segnet"])
def test_recorded_steps_are_the_steps(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """All of a run's way on a GPU but the recording itself, which a call of the function stands in for."""
    words = [*options, "scheduler=one_cycle", "augment=flip_shift", "trainer.gradient_clip=0.5", "logger=none"]
    assert run("train", *words, "hydra.run.dir=plain").status == 0
    recorded = []

    def record(step: Any) -> Any:
        recorded.append(step)
        return step

    stand_in = functools.partial(graphed.GraphedStep, record=record, warm_up=lambda step: step())
    monkeypatch.setattr("fashseg.tasks.stepping.GraphedStep", stand_in)
    monkeypatch.setattr("fashseg.experiment.graphed", lambda _: True)
    monkeypatch.setattr(graphed, "WARM_UP", 1)
    outcome = run("train", *words, "hydra.run.dir=recorded")
    assert outcome.status == 0, outcome.err
    assert len(recorded) == 1
    plain, replayed = (weights(tmp_path / name) for name in ("plain", "recorded"))
    for name in plain:
        torch.testing.assert_close(replayed[name], plain[name])
    rates, expected = (
        [float(row["learning_rate"]) for row in table(tmp_path / name)] for name in ("recorded", "plain")
    )
    assert rates == pytest.approx(expected)


@pytest.mark.parametrize(
    ("before", "after"), [("null", "1"), ("1", "null")], ids=["to Lightning's", "from Lightning's"]
)
def test_a_run_goes_on_in_the_other_loop_as_if_it_were_one(
    run: Command, tmp_path: Path, before: str, after: str
) -> None:
    words = [*TINY_CNN, "augment=flip", "logger=none"]  # what is flipped goes by the number of the step
    assert run("train", *words, "hydra.run.dir=whole").status == 0
    assert run("train", *words, "epochs=1", f"trainer.steps_per_call={before}", "hydra.run.dir=parts").status == 0
    outcome = run("train", "resume=parts", "epochs=2", f"trainer.steps_per_call={after}")
    assert outcome.status == 0, outcome.err
    whole, parts = (
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True) for name in ("whole", "parts")
    )
    assert parts["global_step"] == whole["global_step"] > 0
    assert all(torch.equal(parts["state_dict"][name], value) for name, value in whole["state_dict"].items())


def test_a_recording_would_keep_a_momentum_that_cycles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fashseg.engine.accelerator", lambda _: "gpu")
    words = ["experiment=speedrun_gpu", "trainer.accelerator=auto"]
    assert engine.graphed(check(cfg.Train, compose("train", words)))
    with pytest.raises(UserError, match="cycle_momentum=false"):
        engine.graphed(check(cfg.Train, compose("train", [*words, "scheduler.cycle_momentum=true"])))


def test_more_steps_than_there_are(run: Command, tmp_path: Path) -> None:
    outcome = run("train", *TINY_CNN, "trainer.steps_per_call=1000", "hydra.run.dir=r")
    assert outcome.status == 0, outcome.err
    assert results_of(tmp_path / "r")["epochs_run"] == 2


def test_compiling_is_the_same_function(run: Command, tmp_path: Path) -> None:
    torch._dynamo.utils.counters.clear()
    for name, value in (("eager", "false"), ("compiled", "true")):
        words = [*TINY_CNN, "logger=tensorboard", "epochs=1", "trainer.precision=32", f"trainer.compile={value}"]
        outcome = run("train", *words, f"hydra.run.dir={name}")
        assert outcome.status == 0, outcome.err
    graphs = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    assert graphs == 1, "neither what is scored nor the smaller last batch of an epoch is compiled"
    eager, compiled = (weights(tmp_path / name) for name in ("eager", "compiled"))
    assert eager.keys() == compiled.keys(), "a compiled run's checkpoint loads like any other"
    for name in eager:
        torch.testing.assert_close(eager[name], compiled[name], rtol=1e-3, atol=1e-4)
    assert "TensorBoard lacks" not in (tmp_path / "compiled" / "run.log").read_text(encoding="utf-8")


def test_compiling_without_a_compiler(run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = run("train", *TINY_CNN, "trainer.compile=true")
    assert outcome.status == 2
    assert "needs a C++ compiler" in outcome.err
    assert "trainer.compile=auto" in outcome.err
