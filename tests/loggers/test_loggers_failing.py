"""A tracker that fails ends no run, and no secret is written anywhere."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import TINY_CNN, Command, results_of
from fashseg.tasks import Task
from fashseg.trackers.secrets import redact_logs, redacted
from loggers.tracked import (
    empty_store,
    made_store,
    mlflow_files,
    mlflow_history,
    mlflow_runs,
    mlflow_server,
    nobody_logged_in,
    store,
    wandb_records,
    wandb_rows,
)

__all__ = ["empty_store", "made_store", "nobody_logged_in"]

SECRET = "correct-horse-battery"


def test_a_server_that_dies_in_the_middle_ends_no_run_and_no_password_is_kept(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (tmp_path / "store").mkdir()
    with mlflow_server(tmp_path / "store") as (host, process):
        plain = Task.training_step

        def without_server(task: Task, *batch: object) -> object:
            if task.current_epoch == 1:
                process.kill()
                process.wait()
            return plain(task, *batch)  # type: ignore[arg-type]

        monkeypatch.setattr(Task, "training_step", without_server)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://somebody:{SECRET}@{host}")
        outcome = run("train", *TINY_CNN, "epochs=3", "hydra.run.dir=r", "logger=mlflow")
    assert outcome.status == 0, outcome.err
    assert results_of(tmp_path / "r")["status"] == "finished"
    first, *others = outcome.err.splitlines()
    assert first.startswith("MLflow can't be written to, and the run goes on: ")
    assert len(others) <= 1  # the end was tried once more
    for path in (tmp_path / "r").rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    assert SECRET not in outcome.out + outcome.err
    (found,) = mlflow_runs(f"sqlite:///{tmp_path}/store/server.db")
    assert found.info.status == "RUNNING"
    assert "val/loss" in found.data.metrics
    assert not mlflow_files(f"sqlite:///{tmp_path}/store/server.db", found)


@pytest.mark.usefixtures("empty_store")
def test_what_could_not_be_sent_is_sent_at_the_end(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from fashseg.trackers.mlflow_run import MLflowRun

    plain, calls = MLflowRun._log_metrics, []

    def unlucky(tracker: MLflowRun, values: dict[str, float], step: int | None) -> None:
        calls.append(step)
        if len(calls) == 1:
            raise ConnectionError("no route to host")
        plain(tracker, values, step)

    monkeypatch.setattr(MLflowRun, "_log_metrics", unlucky)
    outcome = run("train", *TINY_CNN, "hydra.run.dir=r", "logger=mlflow")
    assert outcome.status == 0
    assert "no route to host" in outcome.err
    assert "MLflow has all of it now" in outcome.out
    (found,) = mlflow_runs(store())
    assert len(mlflow_history(store(), found, "val/loss")) == 2
    assert found.info.status == "FINISHED"


@pytest.mark.usefixtures("empty_store")
def test_names_that_mlflow_does_not_take_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fashseg.config import Logger
    from fashseg.trackers.mlflow_run import MLflowRun

    monkeypatch.chdir(tmp_path)
    uri = store()
    tracker = MLflowRun(Logger(mlflow_uri=uri), "r")
    tracker.start({}, {}, {})
    names = ["a/../b", "a/b", "ä", "ö", "/", ".", "x" * 300, "x" * 301, "tab\tnew\nline", "a//b", " "]
    tracker.log_metrics({name: float(i) for i, name in enumerate(names)}, 1)
    tracker.end("finished", {}, [], 1)
    (found,) = mlflow_runs(uri)
    assert sorted(found.data.metrics.values()) == list(map(float, range(len(names))))


def test_secrets_are_taken_out_of_texts_and_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    assert redacted(f"key {SECRET} at postgresql+psycopg://me:pw@host/db?x=1") == (
        "key *** at postgresql+psycopg://***@host/db?x=1"
    )
    assert redacted("https://host/a@b") == "https://host/a@b"
    handler = logging.FileHandler(tmp_path / "log")
    logging.getLogger().addHandler(handler)
    try:
        redact_logs()
        try:
            raise ValueError(f"refused {SECRET}")
        except ValueError:
            logging.getLogger("urllib3").warning("retry %s", f"http://u:{SECRET}@h/", exc_info=True)
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    text = (tmp_path / "log").read_text(encoding="utf-8")
    assert SECRET not in text
    assert "Traceback" in text
    assert "retry http://***@h/" in text


def test_wandb_that_does_not_answer_leaves_the_run_on_disk(tmp_path: Path) -> None:
    """In a process of its own, for wandb keeps whom it has logged in."""
    variables = {"WANDB_API_KEY": "a" * 40, "WANDB_BASE_URL": "http://127.0.0.1:9", "NO_PROXY": "*"}
    command = [sys.executable, "-m", "fashseg.train", *TINY_CNN, "epochs=1", "logger=wandb", "hydra.run.dir=r"]
    environment = {**os.environ, **variables}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("Weights & Biases: 127.0.0.1 does not answer on port 9")
    assert wandb_rows(wandb_records(tmp_path / "r" / "wandb"))
    command.append("logger.wandb_mode=online")
    command[command.index("hydra.run.dir=r")] = "hydra.run.dir=s"
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 2
    assert "127.0.0.1 does not answer on port 9" in done.stderr
    assert not (tmp_path / "s").exists()
