"""Several trackers of one run: each has its options, scores, pictures and files, read back from where it keeps them."""

import csv
import json
from pathlib import Path

import pytest

from conftest import TINY_CNN, Command, results_of, table
from fashseg.callbacks import pictures
from loggers.tracked import (
    empty_store,
    made_store,
    mlflow_files,
    mlflow_history,
    mlflow_runs,
    nobody_logged_in,
    store,
    wandb_config,
    wandb_records,
    wandb_rows,
)

__all__ = ["empty_store", "made_store", "nobody_logged_in"]


def test_each_tracker_has_all_of_a_run(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "SHARE", 100.0)  # tiny runs have no time for pictures
    words = ("logger=[csv,mlflow,wandb]", "logger.tags=[first]", "logger.pictures_every=1", "notes='<b>mine</b>'")
    outcome = run("train", *TINY_CNN, "page=true", "hydra.run.dir=r", "optimizer.lr=0.002", *words)
    assert outcome.status == 0, outcome.err
    assert outcome.err == ""
    assert f"mlflow ui --backend-store-uri {store()}" in outcome.out
    folder = tmp_path / "r"
    results, rows = results_of(folder), table(folder)
    assert not (folder / "tensorboard").exists()
    in_mlflow(folder, results, rows)
    in_wandb(folder, results, rows)
    in_csv(folder, results, rows)
    assert "WARNING fashseg" not in (folder / "run.log").read_text(encoding="utf-8")


def in_mlflow(folder: Path, results: dict, rows: list) -> None:  # type: ignore[type-arg]
    (found,) = mlflow_runs(store())
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "r"
    assert found.data.params["optimizer.lr"] == "0.002"
    assert "data.root" not in found.data.params
    tags = found.data.tags
    assert tags["run_folder"] == str(folder)
    assert tags["version.torch"] == results["versions"]["torch"]
    assert tags["mlflow.note.content"] == "<b>mine</b>"
    assert "first" in tags
    if results["git"]:
        assert tags["git.commit"] == results["git"]["commit"]
    for metric in ("train/loss", "val/loss", "val/accuracy", "train/loss_running", "learning_rate"):
        values = [value for _, value in mlflow_history(store(), found, metric)]
        assert values == pytest.approx([float(row[metric.replace("/", "_")]) for row in rows]), metric
    assert found.data.metrics["final/test"] == results["test"]["accuracy"]
    assert found.data.metrics["final_test/T-shirt/top"] == results["test"]["accuracy_per_class"]["T-shirt/top"]
    names = {"config.yaml", "results.json", "metrics.csv", "run.log", "report.html", "images"}
    assert mlflow_files(store(), found) == names
    shown = " ".join(mlflow_files(store(), found, "images"))
    for tag in ("val~samples", "val~confusion_matrix", "filters", "test~samples", "test~confusion_matrix"):
        assert tag in shown
    assert (folder.parent / "outputs" / "mlartifacts").is_dir()


def in_wandb(folder: Path, results: dict, rows: list) -> None:  # type: ignore[type-arg]
    records = wandb_records(folder / "wandb")
    begun = next(record.run for record in records if record.HasField("run"))
    assert begun.run_id == json.loads((folder / "trackers.json").read_text(encoding="utf-8"))["wandb"]["id"]
    assert (begun.project, begun.display_name, list(begun.tags)) == ("fashseg", "r", ["first"])
    config = wandb_config(records)
    assert config["optimizer.lr"] == 0.002
    assert config["version.torch"] == results["versions"]["torch"]
    logged = wandb_rows(records)
    assert [row["val/loss"] for row in logged if "val/loss" in row] == pytest.approx(
        [float(row["val_loss"]) for row in rows]
    )
    assert any("val/samples/filenames" in row for row in logged)
    steps = [-(-results["images"]["train"] // 64) * epoch for epoch in (1, 2)]
    assert [row["trainer/global_step"] for row in logged if "val/loss" in row] == steps
    assert any(row.get("final/test") == results["test"]["accuracy"] for row in logged)
    (kept,) = (folder / "wandb").glob("offline-run-*/files")
    sent = {item.path for record in records for item in record.files.files}
    for name, theirs in (("results.json",) * 2, ("report.html",) * 2, ("config.yaml", "fashseg_config.yaml")):
        assert theirs in sent
        assert (kept / theirs).read_bytes() == (folder / name).read_bytes()
        assert not (kept / theirs).is_symlink()
    assert "config.yaml" not in sent, "wandb has one of its own"


def in_csv(folder: Path, results: dict, rows: list) -> None:  # type: ignore[type-arg]
    with (folder / "csv" / "metrics.csv").open(encoding="utf-8") as file:
        *epochs, last = csv.DictReader(file)
    assert [float(row["val/loss"]) for row in epochs] == pytest.approx([float(row["val_loss"]) for row in rows])
    assert float(last["final/test"]) == results["test"]["accuracy"]


@pytest.mark.usefixtures("empty_store")
def test_jobs_of_a_sweep_are_runs_of_one_group(run: Command) -> None:
    words = [word for word in TINY_CNN if not word.startswith("epochs")]
    outcome = run("train", "-m", *words, "epochs=1", "seed=0,1", "logger=mlflow", "hydra.sweep.dir=mine")
    assert outcome.status == 0, outcome.err
    runs = mlflow_runs(store())
    assert [found.info.run_name for found in runs] == ["mine/0", "mine/1"]
    assert {found.data.tags["sweep"] for found in runs} == {"mine"}
    assert [found.data.params["seed"] for found in runs] == ["0", "1"]


def test_only_the_first_of_several_processes_has_trackers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fashseg.checking import check
    from fashseg.composing import compose
    from fashseg.config import Train
    from fashseg.ranks.places import OURS
    from fashseg.run import RunFolder
    from fashseg.trackers.running import Trackers

    monkeypatch.chdir(tmp_path)
    options = check(Train, compose("train", ["logger=[csv,mlflow]"]))
    monkeypatch.setenv(OURS, "1/2")
    with Trackers(options, RunFolder(tmp_path / "r")) as trackers:
        trackers.start({}, {})
    assert not trackers.opened
    assert not list(tmp_path.iterdir())


def test_wandb_that_nobody_has_asked_before_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import wandb

    from fashseg.config import Logger
    from fashseg.trackers.wandb_run import WandbRun

    wandb.teardown()
    monkeypatch.setattr("wandb.errors.term._silent", False)  # as in a new process
    monkeypatch.setattr("wandb.errors.term._printed_messages", set())
    tracker = WandbRun(Logger(wandb=True, wandb_mode="offline"), "r", None, tmp_path)
    tracker.start({}, {}, {})
    tracker.end("finished", {}, [], 0)
    assert not tracker.failed
    assert capfd.readouterr() == ("", "")
