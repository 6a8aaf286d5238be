"""Runs that were stopped within an epoch go on as if they had not been: the same weights, table and scores."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from amounts import SLOW
from conftest import TINY_CNN, TINY_SEGNET, Command, assert_two_lines, results_of, table, weights
from fashseg.callbacks.history import History
from fashseg.callbacks.within_epoch import SaveWithinEpoch
from fashseg.files import hold
from fashseg.tasks import Task

Function = Callable[..., Any]


def at_call(patch: pytest.MonkeyPatch, owner: type, name: str, number: int, action: Function) -> None:
    """Do something when a method is called for the ``number``-th time, before it runs."""
    function, calls = getattr(owner, name), []

    def watched(*args: Any, **kwargs: Any) -> Any:
        calls.append(None)
        if len(calls) == number:
            action()
        return function(*args, **kwargs)

    patch.setattr(owner, name, watched)


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def assert_same(one: Path, other: Path) -> None:
    assert table(one) == table(other)
    for name in ("best", "last"):
        first, second = weights(one, name), weights(other, name)
        assert all(torch.equal(first[key], second[key]) for key in first)
    first, second = results_of(one), results_of(other)
    for key in ("val", "test", "epochs_run"):
        assert first[key] == second[key]


MOMENTS = {
    "within the first epoch": (Task, "training_step", 2),
    "in the last step of an epoch": (Task, "training_step", 3),
    "within the second epoch": (Task, "training_step", 5),
    "in validation": (Task, "validation_step", 1),
    "in the second validation, of training images": (Task, "validation_step", 4),
    "at an epoch's end": (History, "on_train_epoch_end", 1),
    "at the last epoch's end": (History, "on_train_epoch_end", 3),
}


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("moment", "steps_per_call"),
    [(moment, calls) for number, moment in enumerate(MOMENTS) for calls in ((1, 2) if SLOW else (1 + number % 2,))],
)
def test_a_run_that_is_terminated_goes_on(
    run: Command,
    trained_once: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    steps_per_call: int,
) -> None:
    batch = 100 if steps_per_call == 1 else 50  # three calls an epoch, the last one of fewer images
    words = ("epochs=3", f"batch_size={batch}", "augment=flip", "scheduler=cosine", "page=false")
    words = (*words, f"trainer.steps_per_call={steps_per_call}", "eval_train=1")
    whole = trained_once("cnn", *words)
    with monkeypatch.context() as patch:
        at_call(patch, *MOMENTS[moment], terminate)
        stopped = run("train", *TINY_CNN, *words, "hydra.run.dir=part")
    assert stopped.status == 143, stopped.err
    assert "stopping after this step" in stopped.err
    assert f"resume={tmp_path / 'part'}" in stopped.err
    assert results_of(tmp_path / "part")["status"] == "interrupted"
    resumed = run("train", "resume=part")
    assert resumed.status == 0, resumed.err
    assert_same(whole, tmp_path / "part")
    assert results_of(tmp_path / "part")["resumed"] == 1


def test_saved_every_so_often_a_run_loses_little(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_options: tuple[str, ...]
) -> None:
    words = (*tiny_options, "trainer.steps_per_call=1", "augment=flip", "logger=none", "checkpoint.every_seconds=1e-9")
    assert run("train", *words, "hydra.run.dir=whole").status == 0

    class Killed(BaseException):
        pass

    def kill() -> None:
        raise Killed

    with monkeypatch.context() as patch:
        at_call(patch, Task, "training_step", 2, kill)
        with pytest.raises(Killed):
            run("train", *words, "hydra.run.dir=part")
    saved = torch.load(tmp_path / "part" / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 1
    assert run("train", "resume=part").status == 0
    assert_same(tmp_path / "whole", tmp_path / "part")


def test_a_run_that_never_came_to_a_checkpoint_begins_anew(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (*TINY_CNN, "logger=none", "checkpoint.every_seconds=null")
    assert run("train", *words, "hydra.run.dir=whole").status == 0
    with monkeypatch.context() as patch:
        at_call(patch, SaveWithinEpoch, "on_train_start", 1, terminate)
        stopped = run("train", *words, "hydra.run.dir=part")
    assert stopped.status == 143
    assert "nothing was trained yet" in stopped.err
    assert run("train", "resume=part").status == 0
    assert_same(tmp_path / "whole", tmp_path / "part")


def test_a_second_signal_stops_at_once(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    at_call(monkeypatch, Task, "training_step", 1, lambda: (terminate(), terminate()))
    stopped = run("train", *TINY_CNN, "hydra.run.dir=r", "logger=none")
    assert stopped.status == 143
    assert not Path("r/checkpoints/last.ckpt").exists()


def test_slurm_ends_a_run_by_its_own_signal(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SLURM_NTASKS": "1", "SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "mine"}.items():
        monkeypatch.setenv(name, value)
    at_call(monkeypatch, Task, "training_step", 1, lambda: signal.raise_signal(signal.SIGUSR1))
    stopped = run("train", *TINY_CNN, "hydra.run.dir=r", "logger=none")
    assert stopped.status == 128 + signal.SIGUSR1
    assert "interrupted by SIGUSR1" in stopped.err
    assert Path("r/checkpoints/last.ckpt").exists()
    assert {path.name for path in Path("r").rglob("*.ckpt")} == {"last.ckpt"}, "and Lightning saves nothing beside it"


def test_a_converged_run_trains_no_more(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = (*TINY_SEGNET, "epochs=5", "callbacks.convergence.threshold=1000", "logger=none")
    assert run("train", *words, "hydra.run.dir=whole").status == 0
    with monkeypatch.context() as patch:
        at_call(patch, Task, "test_step", 1, terminate)
        assert run("train", *words, "hydra.run.dir=part").status == 143
    assert run("train", "resume=part").status == 0
    assert len(table(tmp_path / "part")) == 2
    assert_same(tmp_path / "whole", tmp_path / "part")


def test_auto_goes_on_with_the_newest_unfinished_run_of_the_same_options(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (*TINY_CNN, "logger=none", "resume=auto")
    with monkeypatch.context() as patch:
        at_call(patch, Task, "training_step", 1, terminate)
        first = run("train", *words)
    assert first.status == 143
    assert "a new one begins" in first.out
    (folder,) = (tmp_path / "outputs" / "cnn").iterdir()
    other = run("train", *words, "optimizer.lr=0.01")
    assert other.status == 0
    assert "a new one begins" in other.out, "other options are another run"
    again = run("train", *words)
    assert again.status == 0
    assert f"goes on with {folder.relative_to(tmp_path)}" in again.out
    assert results_of(folder)["status"] == "finished"
    assert "a new one begins" in run("train", *words).out, "a finished run is not gone on with"


def test_auto_keeps_to_the_folder_that_is_named(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    words = (*TINY_CNN, "logger=none", "resume=auto", "hydra.run.dir=mine")
    with monkeypatch.context() as patch:
        at_call(patch, Task, "validation_step", 1, terminate)
        assert run("train", *words).status == 143
    assert run("train", *words).status == 0
    assert results_of(Path("mine"))["resumed"] == 1
    assert_two_lines(run("train", *words), "mine holds a run already")


@pytest.mark.usefixtures("trained")
def test_what_is_changed_on_the_way_is_said(run: Command) -> None:
    resumed = run("train", "resume=r", "epochs=3", "checkpoint.every_seconds=7")
    assert "goes on with epochs=3 (was 2)" in resumed.out
    assert "goes on with checkpoint.every_seconds=7" in resumed.out
    assert resumed.status == 0


@pytest.mark.usefixtures("trained")
def test_two_processes_do_not_train_in_one_folder(run: Command) -> None:
    with hold(Path("r/.lock")):
        assert_two_lines(run("train", "resume=r", "epochs=3"), "another process trains in r")


@pytest.mark.usefixtures("trained")
def test_a_run_whose_process_is_gone_is_interrupted(run: Command) -> None:
    from fashseg.run import RunFolder

    folder = RunFolder("r")
    folder.update_results(status="running")
    assert folder.read_results()["status"] == "interrupted"
    with folder.hold():
        assert folder.read_results()["status"] == "running"
    assert "interrupted" in run("compare", "r").out
    assert run("train", "resume=r").status == 0


@pytest.mark.usefixtures("undrawn")
@pytest.mark.usefixtures("trained")
def test_a_finished_run_that_lacks_its_page_makes_it(run: Command) -> None:
    before = results_of(Path("r"))
    assert_two_lines(run("train", "resume=r"), "is finished")
    assert run("train", "resume=r", "page=true").status == 0
    assert Path("r/report.html").exists()
    assert results_of(Path("r"))["test"] == before["test"]
    assert_two_lines(run("train", "resume=r"), "is finished")
