"""What the page says in words, from the numbers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from fashseg.report import words
from fashseg.report.facts import Facts
from fashseg.run import RunFolder

CLASSES = {"Shirt": 0.7, "Coat": 0.8, "Bag": 0.98}
CONFUSION = [[70, 25, 5], [15, 80, 5], [0, 2, 98]]


def facts(rows: list[Any] | None = None, **results: Any) -> Facts:
    scores = {"loss": 0.5, "accuracy": 0.827, "accuracy_per_class": CLASSES, "confusion_matrix": CONFUSION}
    given = {"status": "finished", "task": "classification", "data": "mine", "val": scores, "test": scores, **results}
    data = {"info": {"class_names": list(CLASSES)}}
    return Facts(RunFolder(Path("outputs/cnn/1")), given, rows or [], data=data)


def row(epoch: int, running: float, fixed: float | None, val: float) -> dict[str, float | None]:
    return {"epoch": epoch, "train_loss_running": running, "train_loss": fixed, "val_loss": val}


def test_the_headline_is_the_test_score_beside_the_published_one() -> None:
    assert words.headline(facts()) == "Accuracy on test images: 82.7%"
    assert words.headline(facts(data="fashion_mnist")) == "Accuracy on test images: 82.7%, published 90.0%"
    assert "published" not in words.headline(facts(data="fashion_mnist", limited=True))
    assert words.headline(facts(test=None)) == "Accuracy on validation images: 82.7%"
    assert words.headline(facts(val=None, test=None)) == "Nothing has been scored yet"


def test_hardest_classes_and_what_they_are_taken_for() -> None:
    said = words.hardest(facts(), facts().scored["test"], np.array(CONFUSION))
    assert said[0] == "Hardest are Shirt (70.0%) and Coat (80.0%); easiest is Bag (98.0%)."
    assert said[1] == "Shirt: 70.0% of its images are recognised; 25.0% are taken for Coat and 5.0% are taken for Bag."


def test_where_none_is_mistaken_no_class_is_the_hardest() -> None:
    alike = {"loss": 0.1, "accuracy": 1.0, "accuracy_per_class": dict.fromkeys(CLASSES, 1.0)}
    same = facts(test=alike)
    assert words.hardest(same, same.scored["test"], None) == ["All classes are as good as each other: 100.0%."]


def test_a_class_that_is_absent_is_said_to_be() -> None:
    scores = {"loss": 1, "accuracy": 0.5, "accuracy_per_class": {**CLASSES, "Bag": None}, "confusion_matrix": CONFUSION}
    some = facts(test=scores)
    said = words.hardest(some, some.scored["test"], None)
    assert "Bag" not in said[0]
    assert said[-1] == "Absent from these images: Bag."


def test_the_three_losses_are_named_and_compared() -> None:
    said = " ".join(words.comparable(facts([row(1, 1.2, 1.1, 1.08), row(20, 0.94, 0.91, 1.0)])))
    assert "By the loss at the end of the epoch, yes" in said
    assert "9.9% above that of training images" in said
    assert "building" not in said


@pytest.mark.parametrize(
    ("augment", "said"),
    [
        ({"mixup": 0.2, "cutmix": 0.0, "mix_probability": 0.5}, "by augment.mixup=0.2."),
        ({"mixup": 0.2, "cutmix": 1.0, "mix_probability": 1.0}, "by augment.mixup=0.2 augment.cutmix=1."),
        ({"mixup": 0.2, "cutmix": 1.0, "mix_probability": 0.0}, None),
        ({"mixup": 0.0, "cutmix": 0.0, "mix_probability": 1.0}, None),
        ({}, None),
        ([1], None),
    ],
)
def test_a_running_loss_of_mixed_images_is_told_to_be(augment: Any, said: str | None) -> None:
    mixed = replace(facts([row(1, 1.2, 1.1, 1.08)]), config=OmegaConf.create({"augment": augment}))
    told = " ".join(words.comparable(mixed))
    assert ("mixed with each other" in told) == (said is not None)
    assert said is None or said in told


@pytest.mark.parametrize(
    ("shared", "part"), [(106, "All 106 validation images"), (3, "3 of the 106"), (0, "No validation image shows")]
)
def test_shared_buildings_are_counted(shared: int, part: str) -> None:
    images = {"train": 800, "val": 106, "test": 114}
    said = words.comparable(facts([row(1, 1, 1, 1)], images=images, val_images_of_trained_buildings=shared))
    assert part in said[-1]


@pytest.mark.parametrize(
    ("same", "part"), [(True, "the same images"), (False, "on other images"), (None, "does not say on which")]
)
def test_it_is_told_whether_a_teacher_has_seen_what_validates(same: bool | None, part: str) -> None:
    said = words.comparable(facts([row(1, 1, 1, 1)], teacher={"name": "cnn", "same_validation": same}))
    assert part in said[-1]
    assert ("may be among those" in said[-1]) == (same is not True)
    assert (
        words.comparable(facts([row(1, 1, 1, 1)], teacher="cnn"))[-1] == words.comparable(facts([row(1, 1, 1, 1)]))[-1]
    )


def test_a_training_loss_that_was_not_measured_is_not_compared() -> None:
    said = " ".join(words.comparable(facts([row(1, 1.0, None, 0.9)])))
    assert "was not measured" in said
    assert "%" not in said


@pytest.mark.parametrize(
    ("results", "part"),
    [
        ({"synthetic": True}, "drawn by code"),
        ({"limited": True}, "limit_batches"),
        ({"status": "failed", "error": "training diverged"}, "training diverged"),
        ({"status": "interrupted"}, "resume=outputs/cnn/1"),
        ({"status": "running"}, "not finished"),
    ],
)
def test_what_is_wrong_stands_at_the_top(results: dict[str, Any], part: str) -> None:
    (line,) = words.what_is_wrong(facts(**results))
    assert part in line


def test_nothing_is_wrong_with_a_finished_run_on_real_data() -> None:
    assert not words.what_is_wrong(facts())
