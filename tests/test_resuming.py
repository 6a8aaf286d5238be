"""Runs that are stopped, and go on as if they had not been."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from amounts import SLOW
from conftest import TINY_CNN, Command, assert_two_lines, results_of, table, weights
from fashseg.composing import parse
from fashseg.resuming import resumed_config
from fashseg.run import RunFolder


def test_a_run_goes_on_as_if_it_had_never_been_stopped(
    run: Command, tmp_path: Path, tiny_options: tuple[str, ...]
) -> None:
    assert run("train", *tiny_options, "epochs=3", "hydra.run.dir=whole", "augment=flip").status == 0
    assert run("train", *tiny_options, "epochs=2", "hydra.run.dir=part", "augment=flip").status == 0
    resumed = run("train", "resume=part", "epochs=3")
    assert resumed.status == 0, resumed.err
    assert table(tmp_path / "whole") == table(tmp_path / "part")
    first, second = weights(tmp_path / "whole"), weights(tmp_path / "part")
    assert all(torch.equal(first[key], second[key]) for key in first)
    whole, part = results_of(tmp_path / "whole"), results_of(tmp_path / "part")
    assert whole["test"] == part["test"]
    assert part["resumed"] == 1


def test_no_digit_of_double_precision_is_lost_on_the_way(run: Command, tmp_path: Path) -> None:
    """With averaged weights, for these are kept beside those that are trained."""
    words = (*TINY_CNN, "model.hidden=8", "trainer.precision=64", "callbacks.ema.decay=0.9", "eval_train=false")
    assert run("train", *words, "logger=tensorboard", "hydra.run.dir=whole").status == 0
    assert run("train", *words, "epochs=1", "hydra.run.dir=part").status == 0
    resumed = run("train", "resume=part", "epochs=2")
    assert resumed.status == 0, resumed.err
    whole, part = (
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True) for name in ("whole", "part")
    )
    for state in ("state_dict", "current_model_state"):
        assert all(torch.equal(value, part[state][key]) for key, value in whole[state].items())
    assert results_of(tmp_path / "whole")["multiply_adds"] > 0
    assert "ERROR" not in (tmp_path / "whole" / "run.log").read_text(encoding="utf-8"), "the network as a graph"


@pytest.mark.usefixtures("trained")
def test_resume_refuses_what_would_not_be_the_same_run(run: Command) -> None:
    assert_two_lines(run("train", "resume=r"), "finished", "epochs=")
    assert_two_lines(run("train", "resume=r", "epochs=3", "optimizer.lr=0.1"), "optimizer.lr=0.001", "resume keeps it")
    assert_two_lines(run("train", "resume=r", "epochs=3", "model=segnet"), "model=cnn", "resume keeps it")
    for word in ("trainer.limit_batches=3", "trainer.overfit_batches=1"):
        assert_two_lines(run("train", "resume=r", "epochs=3", word), "batches=null, and resume keeps it", "but no ")
    for word, names in (
        ("callbacks=default", "callbacks.NAME=VALUE, NAME being one of convergence, progress."),
        ("trainer=cpu", "trainer.NAME=VALUE, NAME being one of accelerator, "),
    ):
        assert_two_lines(run("train", "resume=r", "epochs=3", word), "of which single options may change", names)
    word = "experiment=report_cnn"
    assert_two_lines(run("train", "resume=r", word), word, "goes on with its own options", "Leave it out")
    folder = RunFolder(Path("r"))
    folder.update_results(overrides=[word, "~optimizer.momentum"])
    said_again = parse([word, "~optimizer.momentum", "epochs=3"])
    assert resumed_config(folder, said_again).epochs == 3
    log = Path("r/run.log").read_bytes()
    assert_two_lines(run("train", *TINY_CNN, "hydra.run.dir=r"), "holds a run already")
    assert Path("r/run.log").read_bytes() == log
    Path("r/checkpoints/last.ckpt").unlink()
    assert_two_lines(run("train", "resume=r", "epochs=3"), "last.ckpt does not exist")


@pytest.mark.usefixtures("trained")
def test_resume_that_fails_leaves_the_run_as_it_was(run: Command, tmp_path: Path) -> None:
    before = {name: (tmp_path / "r" / name).read_bytes() for name in ("config.yaml", "results.json", "metrics.csv")}
    assert_two_lines(run("train", "resume=r", "epochs=3", "trainer.accelerator=mps"), "finds no such device")
    (tmp_path / "r" / "checkpoints" / "last.ckpt").write_bytes(b"broken")
    assert_two_lines(run("train", "resume=r", "epochs=3"), "last.ckpt can't be loaded")
    assert before == {name: (tmp_path / "r" / name).read_bytes() for name in before}
    assert_two_lines(run("train", "resume="), "no run folder")


def test_a_renamed_run_keeps_its_best_weights(run: Command, tmp_path: Path) -> None:
    assert run("train", *TINY_CNN, "epochs=3", "hydra.run.dir=whole").status == 0
    assert run("train", *TINY_CNN, "epochs=2", "hydra.run.dir=before").status == 0
    (tmp_path / "before").rename(tmp_path / "after")
    assert run("train", "resume=after", "epochs=3").status == 0
    assert results_of(tmp_path / "after")["val"] == results_of(tmp_path / "whole")["val"]
    first, second = weights(tmp_path / "whole", "best"), weights(tmp_path / "after", "best")
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_a_damaged_checkpoint_is_named(run: Command) -> None:
    assert run("train", *TINY_CNN, "hydra.run.dir=r", "trainer.limit_batches=2").status == 0
    Path("r/checkpoints/best.ckpt").write_bytes(Path("r/checkpoints/best.ckpt").read_bytes()[:1000])
    assert_two_lines(run("evaluate", "run=r"), "best.ckpt can't be loaded")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_with_the_command_to_go_on(tmp_path: Path, number: int, status: int) -> None:
    words = [word for word in TINY_CNN if not word.startswith("epochs")]
    command = [sys.executable, "-m", "fashseg.train", *words, "epochs=10000", "hydra.run.dir=r"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "r" / "checkpoints" / "last.ckpt").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status, errors
    assert f"resume={tmp_path / 'r'}" in errors
    assert results_of(tmp_path / "r")["status"] == "interrupted"
    assert weights(tmp_path / "r")


def test_a_signal_ends_a_grid_and_says_what_of_it_did_not_begin(tmp_path: Path) -> None:
    words = [word for word in TINY_CNN if not word.startswith("epochs")]
    command = [sys.executable, "-m", "fashseg.train", "-m", *words, "epochs=10000", "seed=1,2,3", "hydra.sweep.dir=g"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "g" / "0" / "checkpoints" / "last.ckpt").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert f"resume={tmp_path / 'g' / '0'}" in errors
    assert "its last 2 jobs did not begin" in errors


@pytest.mark.sampled
@pytest.mark.parametrize("seconds", [0.15, 1, 2, 3] if SLOW else [0.15, 2])
def test_a_signal_before_training_leaves_no_traceback(tmp_path: Path, seconds: float) -> None:
    command = [sys.executable, "-m", "fashseg.train", *TINY_CNN, "epochs=10000"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    process.terminate()
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (143, -signal.SIGTERM), errors
    assert "Traceback" not in errors
