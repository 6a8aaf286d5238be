"""Whole runs on little synthetic data: what they leave, that they repeat, go on, and end well when they can't."""

import json
from pathlib import Path

import pytest
import torch

from conftest import TINY_CNN, Command, assert_two_lines, results_of, table, weights
from fashseg.config import TASKS
from fashseg.tasks import task_class

KEYS = {
    *(
        "status",
        "task",
        "model",
        "data",
        "seed",
        "parameters",
        "multiply_adds",
        "epochs_run",
        "train_seconds",
        "train_cpu_seconds",
    ),
    *("images_per_second", "images_per_cpu_second", "peak_memory_bytes", "versions", "git", "val", "test", "precision"),
}
SCORES = {
    "classification": {"loss", "accuracy", "accuracy_per_class", "confusion_matrix"},
    "segmentation": {
        *("loss", "average_precision", "average_precision_softmax", "pixel_accuracy", "iou", "confusion_matrix"),
    },
}


def test_a_run_leaves_what_the_contract_says(run: Command, tmp_path: Path, tiny_options: tuple[str, ...]) -> None:
    outcome = run("train", *tiny_options, "logger=tensorboard", "notes='a <b>, c'")
    assert outcome.status == 0, outcome.err
    folder = (tmp_path / "outputs" / "latest").resolve()
    model = tiny_options[0].partition("=")[2]
    assert folder.parent == tmp_path / "outputs" / model
    results = results_of(folder)
    assert set(results) >= KEYS
    assert results["status"] == "finished"
    assert results["synthetic"] is True
    assert results["notes"] == "a <b>, c"
    assert results["epochs_run"] == 2
    for part in ("val", "test"):
        assert set(results[part]) == SCORES[results["task"]]
    rows = table(folder)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert {"train_loss_running", "train_accuracy_running", "train_loss", "train_accuracy", "val_loss"} <= set(rows[0])
    assert {path.name for path in (folder / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert list((folder / "tensorboard").glob("events*"))
    assert (folder / "run.log").is_file()
    assert "on synthetic data" in outcome.out
    assert outcome.err == ""
    assert str(folder / "results.json") in outcome.out
    assert outcome.out.count("epoch ") >= 2, "plain lines where the output is no terminal"
    task = task_class(TASKS["model"][model]).load_from_checkpoint(
        folder / "checkpoints" / "best.ckpt", map_location="cpu", weights_only=True
    )
    assert task.info.name == results["data"], "a checkpoint alone is enough to build the model again"


def test_the_same_seed_gives_the_same_table_and_weights(
    run: Command, tmp_path: Path, tiny_options: tuple[str, ...]
) -> None:
    for name in ("a", "b"):
        assert run("train", *tiny_options, f"hydra.run.dir={name}", "augment=flip").status == 0
    assert run("train", *tiny_options, "hydra.run.dir=c", "augment=flip", "seed=1").status == 0
    assert table(tmp_path / "a") == table(tmp_path / "b")
    assert table(tmp_path / "a") != table(tmp_path / "c")
    first, second = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_a_sweep_is_not_mixed_with_an_older_one(run: Command) -> None:
    words = (*TINY_CNN, "epochs=1", "seed=1,2", "hydra.sweep.dir='my sweep'", "-m", "notes='[/b] x'")
    outcome = run("train", *words)
    assert outcome.status == 0
    assert outcome.out.count("1 epoch in ") == 2
    assert_two_lines(run("train", *words), "my sweep holds a sweep already")


def test_training_that_diverges_is_said(run: Command, tmp_path: Path, tiny_options: tuple[str, ...]) -> None:
    outcome = run("train", *tiny_options, "optimizer=sgd", "optimizer.lr=1e30", "hydra.run.dir=r")
    assert outcome.status == 1
    assert "training diverged" in outcome.err
    assert len(outcome.err.splitlines()) == 2
    assert results_of(tmp_path / "r")["status"] == "failed"


def test_evaluate_gives_the_scores_of_the_run(run: Command, tmp_path: Path, tiny_options: tuple[str, ...]) -> None:
    assert run("train", *tiny_options, "hydra.run.dir=r").status == 0
    results = results_of(tmp_path / "r")
    for part in ("test", "val"):
        outcome = run("evaluate", "run=r", f"split={part}")
        assert outcome.status == 0, outcome.err
        again = json.loads((tmp_path / "r" / f"evaluate_{part}_best.json").read_text(encoding="utf-8"))
        assert again[part] == results[part]
    assert run("evaluate", "run=r", "split=train", "checkpoint=last").status == 0


def test_a_grid_gives_a_folder_and_a_line_for_each_job(run: Command, tmp_path: Path) -> None:
    outcome = run("train", "-m", *TINY_CNN, "optimizer.lr=0.1,0.01,0.001,0.0001", "hydra.sweep.dir=sweep")
    assert outcome.status == 0, outcome.err
    rates = ("0.1", "0.01", "0.001", "0.0001")
    for number, rate in enumerate(rates):
        assert f"optimizer.lr={rate}" in results_of(tmp_path / "sweep" / str(number))["overrides"]
    lines = outcome.out[outcome.out.rindex("Sweep") :].splitlines()
    for number, rate in enumerate(rates):
        results = results_of(tmp_path / "sweep" / str(number))
        (line,) = [line for line in lines if f"optimizer.lr={rate} " in line]
        parts = line.split()
        assert parts[1:] == [
            f"optimizer.lr={rate}",
            "finished",
            f"{results['val']['accuracy']:.4f}",
            f"{results['test']['accuracy']:.4f}",
        ], "one line, and only the options that differ"


def test_an_option_that_the_swept_choices_alone_have_may_be_fixed(run: Command, tmp_path: Path) -> None:
    words = ("augment=flip,garment", "augment.mixup=0.2")
    outcome = run("train", "-m", *TINY_CNN, *words, "hydra.sweep.dir=sweep")
    assert outcome.status == 0, outcome.err
    for number, name in enumerate(("flip", "garment")):
        words = results_of(tmp_path / "sweep" / str(number))["overrides"]
        assert {f"augment={name}", "augment.mixup=0.2"} <= set(words), "as they were typed"


def test_a_failing_job_does_not_end_a_sweep(run: Command, tmp_path: Path) -> None:
    outcome = run("train", "-m", *TINY_CNN, "data.val_share=0.001,0.1", "hydra.sweep.dir=sweep")
    assert outcome.status == 2
    assert "data.val_share" in outcome.err
    assert results_of(tmp_path / "sweep" / "0")["status"] == "failed"
    assert results_of(tmp_path / "sweep" / "1")["status"] == "finished"


def test_data_that_is_missing_leaves_nothing_behind(run: Command, tmp_path: Path) -> None:
    outcome = run("train", "model=segnet")
    assert_two_lines(outcome, str(tmp_path / "data" / "facade"), "data=synthetic_facade")
    outcome = run("train", "model=cnn", "data.download=false")
    assert_two_lines(outcome, "train-images-idx3-ubyte.gz", "data=synthetic_fashion")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_training_stops_at_convergence_but_not_before_its_time(run: Command, tmp_path: Path) -> None:
    words = (*TINY_CNN, "epochs=6", "callbacks.convergence.threshold=1000")
    assert run("train", *words, "hydra.run.dir=a").status == 0
    assert len(table(tmp_path / "a")) == 2, "two epochs are needed to compare"
    assert run("train", *words, "callbacks.convergence.min_epochs=4", "hydra.run.dir=b").status == 0
    assert len(table(tmp_path / "b")) == 4


def test_one_batch_can_be_learned_by_heart(run: Command, tmp_path: Path) -> None:
    words = [word for word in TINY_CNN if not word.startswith("epochs")]
    assert run("train", *words, "experiment=overfit", "hydra.run.dir=r", "epochs=100").status == 0
    assert float(table(tmp_path / "r")[-1]["train_loss_running"]) < 0.01


def test_profile_is_written(run: Command, tmp_path: Path) -> None:
    assert run("train", *TINY_CNN, "experiment=profile", "epochs=1", "hydra.run.dir=r").status == 0
    profile = list((tmp_path / "r").glob("*profile*"))
    assert profile
    assert "run_training_batch" in profile[0].read_text(encoding="utf-8")


def test_tensorboard_has_class_names_and_final_scores(run: Command, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert run("train", *TINY_CNN, "logger=tensorboard", "hydra.run.dir=r").status == 0
    events = EventAccumulator(str(tmp_path / "r" / "tensorboard"))
    events.Reload()
    tags = set(events.Tags()["scalars"])
    assert {"val_accuracy/Ankle boot", "train/loss", "train/loss_running", "val/loss", "learning_rate"} <= tags
    assert events.Scalars("final/test")[-1].value == pytest.approx(results_of(tmp_path / "r")["test"]["accuracy"])
    assert "_hparams_/session_start_info" in events.PluginTagToContent("hparams")
