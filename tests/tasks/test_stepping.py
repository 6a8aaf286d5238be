"""Several steps in one call of Lightning's loop are the steps of Lightning's own loop."""

from pathlib import Path

import pytest
import torch

from conftest import TINY_CNN, TINY_SEGNET, Command, results_of, table, weights

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


def test_more_steps_than_there_are(run: Command, tmp_path: Path) -> None:
    outcome = run("train", *TINY_CNN, "trainer.steps_per_call=1000", "hydra.run.dir=r")
    assert outcome.status == 0, outcome.err
    assert results_of(tmp_path / "r")["epochs_run"] == 2


def test_compiling_is_the_same_function(run: Command, tmp_path: Path) -> None:
    for name, value in (("eager", "false"), ("compiled", "true")):
        words = [*TINY_CNN, "epochs=1", "trainer.precision=32", f"trainer.compile={value}", f"hydra.run.dir={name}"]
        outcome = run("train", *words, "logger=none")
        assert outcome.status == 0, outcome.err
    eager, compiled = (weights(tmp_path / name) for name in ("eager", "compiled"))
    assert eager.keys() == compiled.keys(), "a compiled run's checkpoint loads like any other"
    for name in eager:
        torch.testing.assert_close(eager[name], compiled[name], rtol=1e-3, atol=1e-4)


def test_compiling_without_a_compiler(run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = run("train", *TINY_CNN, "trainer.compile=true")
    assert outcome.status == 2
    assert "needs a C++ compiler" in outcome.err
    assert "trainer.compile=auto" in outcome.err
