"""Pixels that count for nothing: every score is that of the others alone, by scikit-learn and by PyTorch."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, confusion_matrix
from torch import Tensor

from fashseg import config as cfg
from fashseg.data.arrays import ArrayDataset
from fashseg.data.info import DataInfo
from fashseg.metrics.score_histogram import DEFAULT_BINS, bins_for
from fashseg.report.evidence import evidence_of_pixels
from fashseg.tasks import SegmentationTask, Task, build_task
from fashseg.tasks.augmentation import augment

CLASSES = 4


def task_of(ignore: int | None) -> Task:
    names = tuple("abcd")
    info = DataInfo("mask_folder", "segmentation", names, (3, 8, 8), (0.0,) * 3, (1.0,) * 3, ignore=ignore)
    run = cfg.Train(
        model=cfg.SegNet("segnet", features=2), optimizer=cfg.Adam("adam"), scheduler=cfg.Scheduler("none"),
        augment=cfg.Augment("none"), loss=cfg.CrossEntropy("cross_entropy"),
    )  # fmt: skip
    torch.manual_seed(0)
    return build_task(run, info)


def batch(ignore: int, seed: int = 0, count: int = 40) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (count, 3, 8, 8), generator=random)
    targets = torch.randint(CLASSES, (count, 8, 8), generator=random)
    targets[torch.rand(targets.shape, generator=random) < 0.3] = ignore
    targets[0] = ignore  # an image of which nothing counts
    return images.to(torch.uint8), targets


@pytest.mark.parametrize("ignore", [255, 2, CLASSES])
def test_scores_are_those_of_the_pixels_that_count(ignore: int) -> None:
    task, (images, targets) = task_of(ignore), batch(ignore)
    assert isinstance(task, SegmentationTask)
    with torch.inference_mode():
        logits = task(images).float()
        for part in torch.split(torch.arange(len(images)), 16):
            task.test_step((images[part], targets[part]), 0)
    scores = task._read("test")
    counted = targets != ignore
    flat, truth = logits.movedim(1, -1)[counted], targets[counted]
    np.testing.assert_array_equal(
        scores["confusion_matrix"], confusion_matrix(truth, flat.argmax(1), labels=range(CLASSES))
    )
    assert scores["loss"] == pytest.approx(torch.nn.functional.cross_entropy(flat, truth).item(), rel=1e-5)
    assert scores["pixel_accuracy"] == pytest.approx((flat.argmax(1) == truth).float().mean().item())
    for ranking, values in (("", flat), ("_softmax", flat.softmax(1))):
        for label, name in enumerate(task.info.class_names):
            found = scores[f"average_precision{ranking}"][name]
            if label == ignore:
                assert np.isnan(found)
            else:
                assert found == pytest.approx(average_precision_score(truth == label, values[:, label]), abs=1e-3)


def test_the_gradient_is_that_of_the_pixels_that_count_and_of_none_is_zero() -> None:
    task, (images, targets) = task_of(255), batch(255)
    loss, _ = task.loss_of(images, targets)
    wanted = torch.nn.functional.cross_entropy(task(images), targets, ignore_index=255)
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
    nothing, _ = task.loss_of(images[:1], targets[:1])
    assert nothing.item() == 0
    nothing.backward()
    assert all(not p.grad.any() for p in task.model.parameters() if p.grad is not None)


def test_without_an_ignored_value_nothing_changes() -> None:
    task, (images, targets) = task_of(None), batch(1)
    loss, logits = task.loss_of(images, targets)
    assert torch.equal(loss, torch.nn.functional.cross_entropy(logits, targets))
    assert task.running.ignore_index is None


def test_the_page_is_drawn_from_the_pixels_that_count() -> None:
    task, (images, targets) = task_of(255), batch(255)
    part = ArrayDataset(images, targets.to(torch.uint8), torch.arange(len(images)))
    with torch.inference_mode():
        kept = evidence_of_pixels(task, part, 16)
    counted = (targets != 255).sum((1, 2)).numpy()
    np.testing.assert_array_equal(kept["confusion"].sum((1, 2)), counted)
    np.testing.assert_array_equal(kept["histograms"][:, 0].sum((1, 2)), counted)
    assert kept["calibration"][0].sum() == counted.sum()
    assert kept["losses"][0] == 0
    assert np.isfinite(kept["losses"]).all()
    assert 0 not in kept["shown"]  # neither best nor worst
    assert kept["targets"].max() < CLASSES
    np.testing.assert_array_equal(kept["ignored"], (targets[kept["shown"]] == 255).numpy())
    assert part.class_counts(CLASSES, 255) == [int((targets == label).sum()) for label in range(CLASSES)]
    assert part.class_counts(CLASSES, 2)[2] == 0


def test_what_comes_into_a_mask_from_outside_counts_for_nothing() -> None:
    images, targets = torch.ones(6, 3, 8, 8), torch.ones(6, 8, 8, dtype=torch.int64)
    options = cfg.FlipShift("flip_shift", shift=3)
    _, moved = augment(options, images, targets, seed=0, outside=255)
    assert set(moved.unique().tolist()) == {1, 255}
    assert set(augment(options, images, targets, seed=0)[1].unique().tolist()) == {0, 1}


def test_tables_of_many_classes_stay_small() -> None:
    assert [bins_for(classes) for classes in (2, 5, 16)] == [DEFAULT_BINS] * 3
    assert all(classes * bins_for(classes) <= 2**22 for classes in range(2, 256))
    assert bins_for(254) >= 2**13
