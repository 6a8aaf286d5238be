import pytest
import torch
from torchmetrics.classification import MulticlassAccuracy
from torchmetrics.functional.classification import multiclass_confusion_matrix, multiclass_jaccard_index

from fashseg.metrics.confusion import (
    PixelConfusionMatrix,
    accuracy,
    confusion_counts,
    intersection_over_union,
    mean_of_present,
    per_class_accuracy,
)


@pytest.fixture
def pixels() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(3, 5, 16, 12), torch.randint(0, 5, (3, 16, 12))


def test_counts_are_torchmetrics(pixels: tuple[torch.Tensor, torch.Tensor]) -> None:
    logits, targets = pixels
    expected = multiclass_confusion_matrix(logits, targets, num_classes=5)
    assert torch.equal(confusion_counts(logits.argmax(1), targets, 5), expected)
    metric = PixelConfusionMatrix(5)
    metric.update(logits[:1], targets[:1])
    metric.update(logits[1:], targets[1:])
    assert torch.equal(metric.compute(), expected)


def test_scores_are_torchmetrics(pixels: tuple[torch.Tensor, torch.Tensor]) -> None:
    logits, targets = pixels
    matrix = confusion_counts(logits.argmax(1), targets, 5)
    union = multiclass_jaccard_index(logits, targets, num_classes=5, average=None)
    assert torch.allclose(intersection_over_union(matrix).float(), union)
    by_class = MulticlassAccuracy(5, average=None)
    assert torch.allclose(per_class_accuracy(matrix).float(), by_class(logits, targets))
    assert accuracy(matrix).item() == pytest.approx((logits.argmax(1) == targets).double().mean().item())


def test_absent_classes_are_nan_and_left_out_of_the_mean() -> None:
    matrix = confusion_counts(torch.tensor([0, 0, 1]), torch.tensor([0, 0, 0]), 4)
    assert per_class_accuracy(matrix).isnan().tolist() == [False, True, True, True]
    union = intersection_over_union(matrix)
    assert union.isnan().tolist() == [False, False, True, True]
    assert mean_of_present(union).item() == pytest.approx((2 / 3 + 0) / 2)


def test_deterministic_algorithms_cost_no_table(pixels: tuple[torch.Tensor, torch.Tensor]) -> None:
    logits, targets = pixels
    before = PixelConfusionMatrix(5)
    before.update(logits, targets)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.profiler.profile(profile_memory=True) as profile:
            metric = PixelConfusionMatrix(5)
            metric.update(logits, targets)
    finally:
        torch.use_deterministic_algorithms(False)
    assert torch.equal(metric.compute(), before.compute())
    largest = max(event.self_cpu_memory_usage for event in profile.events())
    # torchmetrics' own way would take pixels times 25 cells of 8 bytes.
    assert largest <= targets.numel() * 8 * 2
