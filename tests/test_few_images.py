"""Sets of images so small, or so lacking, that something is missing: defined results, or an error that says why."""

from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import TINY_CNN, TINY_SEGNET, Command, results_of, table
from fashseg.data.arrays import ArrayDataset
from fashseg.data.loading import TrainLoader

FEW_CNN = (*(word for word in TINY_CNN if "_images" not in word), "logger=none", "hydra.run.dir=r")
FEW_SEGNET = (*(word for word in TINY_SEGNET if "_images" not in word), "logger=none", "hydra.run.dir=r")


@pytest.mark.parametrize("words", [FEW_CNN, FEW_SEGNET], ids=["cnn", "segnet"])
def test_one_image_of_each_part_is_enough(run: Command, tmp_path: Path, words: tuple[str, ...]) -> None:
    few = ("data.train_images=2", "data.test_images=1", "data.val_share=0.5", "page=true")
    ended = run("train", *words, *few)
    assert ended.status == 0, ended.err
    assert ended.err == ""
    results = results_of(tmp_path / "r")
    assert results["images"] == {"train": 1, "val": 1, "test": 1}
    assert np.isfinite(results["test"]["loss"])
    assert (tmp_path / "r" / "report.html").exists()


@pytest.mark.usefixtures("undrawn")
def test_a_class_without_images_has_no_score_and_takes_no_part_in_the_mean(run: Command, tmp_path: Path) -> None:
    ended = run("train", *FEW_CNN, "data.train_images=20", "data.test_images=3", "data.val_share=0.2", "page=true")
    assert ended.status == 0, ended.err
    for part in ("val", "test"):
        scores = results_of(tmp_path / "r")[part]
        counts = np.array(scores["confusion_matrix"])
        values = list(scores["accuracy_per_class"].values())
        present = counts.sum(1) > 0
        assert not present.all(), "some class is missing"
        assert [value is not None for value in values] == present.tolist()
        assert scores["accuracy"] == pytest.approx(np.trace(counts) / counts.sum())
    assert all(row["val_accuracy"] not in ("", "nan") for row in table(tmp_path / "r"))


def test_an_absent_class_takes_no_part_in_the_mean_average_precision() -> None:
    """A mask of nothing but wall: four of five classes are absent."""
    from fashseg.tasks.segmentation import SegmentationTask

    options = {
        "model": {"name": "segnet", "features": 2},
        "optimizer": {"name": "adam"},
        "scheduler": {"name": "none"},
        "augment": {"name": "none"},
        "seed": 0,
    }
    from fashseg.data.sources import SOURCES

    task = SegmentationTask(options, SOURCES["facade"].info.to_dict())
    images, masks = (
        torch.randint(0, 256, (2, 3, 256, 256), dtype=torch.uint8),
        torch.ones(2, 256, 256, dtype=torch.int64),
    )
    task.test_step((images, masks), 0)
    scores = task._read("test")
    precision = scores["average_precision"]
    assert precision["facade"] == pytest.approx(1)
    assert precision["mean"] == pytest.approx(1)
    assert all(np.isnan(value) for name, value in precision.items() if name not in ("facade", "mean"))


@pytest.mark.parametrize(("images", "sizes"), [(9, [4, 5]), (5, [5]), (8, [4, 4]), (10, [4, 4, 2]), (1, [1]), (4, [4])])
def test_a_last_batch_of_one_image_joins_the_one_before(images: int, sizes: list[int]) -> None:
    part = ArrayDataset(torch.zeros(images, 1, 2, 2, dtype=torch.uint8), torch.zeros(images), torch.arange(images))
    loader = TrainLoader(part, 4, seed=0)
    assert [len(batch[0]) for batch in loader] == sizes
    assert len(loader) == loader.steps == len(sizes)
    assert sorted(torch.cat(list(loader.rows())).tolist()) == list(range(images))
    assert [len(batch[0]) for batch in TrainLoader(part, 1, seed=0)] == [1] * images, "batches of one were asked for"


NORMALISED = ("model=vgg", "model.hidden=8", "model.widths=[4,4]", "model.convs=[1,1]")


def test_normalisation_takes_a_last_batch_of_one(run: Command, tmp_path: Path) -> None:
    words = [word for word in FEW_CNN if word != "model=cnn"]
    few = ("data.train_images=42", "data.test_images=4", "data.val_share=0.22", "batch_size=8")
    ended = run("train", *words, *NORMALISED, *few)
    assert ended.status == 0, ended.err
    assert results_of(tmp_path / "r")["images"]["train"] % 8 == 1


def test_normalisation_of_batches_of_one_is_refused_with_the_reason(run: Command) -> None:
    words = [word for word in FEW_CNN if word != "model=cnn"]
    ended = run("train", *words, *NORMALISED, "data.train_images=20", "data.test_images=4", "batch_size=1")
    assert ended.status == 1
    assert "a batch of one image can't be normalised" in ended.err
    assert len(ended.err.splitlines()) == 2
