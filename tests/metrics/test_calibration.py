"""Calibration against torchmetrics, and counts that add up."""

import math

import pytest
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from fashseg.metrics.calibration import expected_calibration_error, reliability_counts


def sample(images: int, classes: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(images, classes, generator=generator)
    return logits.softmax(1), torch.randint(classes, (images,), generator=generator)


def test_the_error_is_that_of_torchmetrics() -> None:
    probabilities, targets = sample(5000)
    confidence, predicted = probabilities.max(1)
    counts = reliability_counts(confidence, predicted == targets)
    reference = multiclass_calibration_error(probabilities, targets, num_classes=5, n_bins=15, norm="l1")
    assert expected_calibration_error(counts) == pytest.approx(reference.item(), abs=1e-6)


def test_counts_of_batches_add_up() -> None:
    probabilities, targets = sample(1000)
    confidence, predicted = probabilities.max(1)
    right = predicted == targets
    whole = reliability_counts(confidence, right)
    parts = sum(reliability_counts(confidence[i : i + 100], right[i : i + 100]) for i in range(0, 1000, 100))
    torch.testing.assert_close(whole, parts)
    assert whole[0].sum() == 1000
    assert whole[2].sum() == right.sum()


def test_every_confidence_has_a_bin() -> None:
    counts = reliability_counts(torch.tensor([0.0, 0.05, 0.5, 1.0]), torch.tensor([True, False, True, True]))
    assert counts[0].tolist() == [2.0, *[0.0] * 6, 1.0, *[0.0] * 6, 1.0]


def test_a_network_that_is_always_right_and_sure_has_no_error() -> None:
    counts = reliability_counts(torch.ones(10), torch.ones(10, dtype=torch.bool))
    assert expected_calibration_error(counts) == 0
    half = reliability_counts(torch.ones(10), torch.arange(10) < 5)
    assert expected_calibration_error(half) == pytest.approx(0.5)


def test_an_undefined_confidence_leaves_the_error_undefined() -> None:
    confidence = torch.tensor([torch.nan, 0.9, 1.0]), torch.tensor([True, True, False])
    counts = reliability_counts(*confidence)
    assert counts[0].tolist() == [1.0, *[0.0] * 12, 1.0, 1.0]
    assert counts[1].isnan().tolist() == [True, *[False] * 14]
    assert math.isnan(expected_calibration_error(counts))
