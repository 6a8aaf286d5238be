"""What TensorBoard finds in a run folder."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from conftest import TINY_CNN, Command, results_of
from fashseg.callbacks import pictures


def events(folder: Path) -> list[EventAccumulator]:
    """All event files, the folders of the hyper-parameters tab included."""
    files = sorted((folder / "tensorboard").rglob("events.out.tfevents.*"))
    accumulators = [EventAccumulator(str(path), size_guidance={"images": 0, "tensors": 0}) for path in files]
    for accumulator in accumulators:
        accumulator.Reload()
    return accumulators


def tags(folder: Path, kind: str) -> set[str]:
    return {tag for accumulator in events(folder) for tag in accumulator.Tags()[kind]}


@pytest.fixture(params=["cnn", "segnet"])
def trained(request: pytest.FixtureRequest, trained_once: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pictures, "SHARE", 100.0)  # tiny runs have no time for pictures
    folder = trained_once(request.param, "logger=tensorboard", "logger.pictures_every=1")
    log = (folder / "run.log").read_text(encoding="utf-8")
    assert "could not be drawn" not in log
    assert "TensorBoard lacks" not in log
    return folder


def test_everything_is_there(trained: Path) -> None:
    results = results_of(trained)
    names = list(results["test"]["accuracy_per_class" if results["task"] == "classification" else "iou"])
    kind = "accuracy" if results["task"] == "classification" else "average_precision"
    scalars = tags(trained, "scalars")
    assert {"train/loss", "train/loss_running", "val/loss", "learning_rate"} <= scalars
    assert any(tag.startswith(f"val_{kind}/") and tag.endswith(names[1]) for tag in scalars)
    assert {"val/samples", "val/confusion_matrix", "filters", "test/samples", "test/confusion_matrix"} <= tags(
        trained, "images"
    )
    assert any("pr_curve" in tag or tag.startswith("test/") for tag in tags(trained, "tensors"))
    assert any(accumulator.Tags()["graph"] for accumulator in events(trained))
    assert "final/test" in scalars
    projector = trained / "tensorboard" / "projector_config.pbtxt"
    assert "test" in projector.read_text(encoding="utf-8")


def test_the_projector_has_a_point_and_a_name_for_each_test_image(trained: Path) -> None:
    results = results_of(trained)
    (names,) = (trained / "tensorboard").rglob("metadata.tsv")
    (points,) = (trained / "tensorboard").rglob("tensors.tsv")
    found = names.read_text(encoding="utf-8").splitlines()
    assert len(found) == len(points.read_text(encoding="utf-8").splitlines()) == results["images"]["test"]
    classes = set(json.loads((trained / "evidence" / "data.json").read_text(encoding="utf-8"))["info"]["class_names"])
    assert set(found) <= classes


def test_pictures_come_every_few_epochs(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "SHARE", 100.0)
    run("train", *TINY_CNN, "logger=tensorboard", "epochs=4", "hydra.run.dir=r", "logger.pictures_every=2")
    images = [a.Images("val/samples") for a in events(tmp_path / "r") if "val/samples" in a.Tags()["images"]]
    assert [len(found) for found in images] == [2]
    run("train", *TINY_CNN, "logger=tensorboard", "hydra.run.dir=none", "logger.pictures_every=null")
    assert "val/samples" not in tags(tmp_path / "none", "images")


def test_pictures_that_would_take_too_long_are_left_out(run: Command, tmp_path: Path) -> None:
    run("train", *TINY_CNN, "logger=tensorboard", "hydra.run.dir=r", "logger.pictures_every=1")
    assert "val/samples" not in tags(tmp_path / "r", "images")
    assert "test/samples" in tags(tmp_path / "r", "images")


def test_a_picture_that_fails_stops_no_training(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setattr(pictures, "SHARE", 100.0)
    monkeypatch.setattr(pictures, "confusion_matrix", broken)
    assert run("train", *TINY_CNN, "logger=tensorboard", "hydra.run.dir=r", "logger.pictures_every=1").status == 0
    assert "no ink" in (tmp_path / "r" / "run.log").read_text(encoding="utf-8")


def test_a_picture_that_fails_leaves_no_layer_in_evaluation(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def broken(*_: object) -> None:
        raise OSError("no space left on device")

    from fashseg.tasks import Task

    plain = Task.training_step

    def watched(task: Task, *arguments: object) -> object:
        seen.append(all(module.training for module in task.modules() if not list(module.children())))
        return plain(task, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pictures, "SHARE", 100.0)
    monkeypatch.setattr(pictures, "samples", broken)
    monkeypatch.setattr(Task, "training_step", watched)
    assert run("train", *TINY_CNN, "logger=tensorboard", "hydra.run.dir=r", "logger.pictures_every=1").status == 0
    assert seen
    assert all(seen)


def test_hyper_parameters_are_there_from_the_start(trained: Path) -> None:
    text = (trained / "tensorboard" / "hparams.yaml").read_text(encoding="utf-8")
    assert "optimizer.lr: 0.001" in text
    assert "data.root" not in text
