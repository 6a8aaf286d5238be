"""A run that is stopped, fails, or goes on is the same run in its trackers."""

import csv
import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import TINY_CNN, Command
from fashseg.tasks import Task
from loggers.tracked import empty_store, made_store, mlflow_history, mlflow_runs, nobody_logged_in, store

__all__ = ["empty_store", "made_store", "nobody_logged_in"]
pytestmark = pytest.mark.usefixtures("empty_store")


def test_a_run_that_was_stopped_goes_on_in_its_trackers(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Task.training_step

    def stopped(task: Task, *batch: object) -> object:
        if task.current_epoch == 1:
            signal.raise_signal(signal.SIGTERM)
        return plain(task, *batch)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Task, "training_step", stopped)
        outcome = run("train", *TINY_CNN, "epochs=3", "hydra.run.dir=r", "logger=[csv,mlflow,wandb]")
    assert outcome.status == 143
    (found,) = mlflow_runs(store())
    assert found.info.status == "KILLED"
    kept = json.loads((tmp_path / "r" / "trackers.json").read_text(encoding="utf-8"))
    outcome = run("train", "resume=r", "trainer.gradient_clip=5")
    assert outcome.status == 0, outcome.err
    assert json.loads((tmp_path / "r" / "trackers.json").read_text(encoding="utf-8")) == kept
    (found,) = mlflow_runs(store())
    assert found.info.status == "FINISHED"
    assert found.data.tags["changed.trainer.gradient_clip"] == "5.0 (was None)"
    steps = [step for step, _ in mlflow_history(store(), found, "val/loss")]
    assert len(steps) == len(set(steps)) == 3
    with (tmp_path / "r" / "csv" / "metrics.csv").open(encoding="utf-8") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1", "2", ""]
    parts = {path.name.rpartition("-")[2] for path in (tmp_path / "r" / "wandb").glob("offline-run-*")}
    assert parts == {kept["wandb"]["id"]}


def test_a_run_that_fails_says_so(run: Command) -> None:
    outcome = run("train", *TINY_CNN, "optimizer.lr=1e30", "hydra.run.dir=r", "logger=mlflow")
    assert outcome.status == 1
    (found,) = mlflow_runs(store())
    assert found.info.status == "FAILED"


@pytest.mark.parametrize("content", ['{"mlflow": {"run_id": "0123456789abcdef0123456789abcdef"}}', '{"mlflow": 1}'])
def test_a_run_that_the_store_has_no_longer_begins_there_anew(
    run: Command, trained_once: Callable[[str], Path], tmp_path: Path, content: str
) -> None:
    shutil.copytree(trained_once("cnn"), tmp_path / "r")
    (tmp_path / "r" / "trackers.json").write_text(content, encoding="utf-8")
    outcome = run("train", "resume=r", "epochs=3", "logger.mlflow=true", "page=false")
    assert outcome.status == 0, outcome.err
    assert outcome.err == ""
    (found,) = mlflow_runs(store())
    assert len(mlflow_history(store(), found, "val/loss")) == 1
