"""Confusion counts and the scores read from them, against scikit-learn and torchmetrics."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score, recall_score
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torchmetrics.classification import MulticlassConfusionMatrix
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
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def labels(classes: int = 5, shape: tuple[int, ...] = (3, 20, 21), seed: int = 0) -> tuple[Tensor, Tensor]:
    """Predictions and targets that agree for about half of the pixels."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(classes, shape, generator=generator)
    guesses = torch.randint(classes, shape, generator=generator)
    return torch.where(torch.rand(shape, generator=generator) < 0.5, targets, guesses), targets


def test_counts_as_torchmetrics_and_scikit_learn_do() -> None:
    predictions, targets = labels()
    counts = confusion_counts(predictions, targets, 5)
    assert counts.dtype == torch.int64
    assert torch.equal(counts, multiclass_confusion_matrix(predictions, targets, 5))
    assert counts.tolist() == confusion_matrix(targets.flatten(), predictions.flatten()).tolist()
    assert torch.equal(confusion_counts(predictions.int(), targets.to(torch.uint8), 5), counts)


def test_rows_are_the_truth() -> None:
    assert confusion_counts(torch.tensor([1, 1]), torch.tensor([0, 1]), 2).tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize("ignored", [255, -1, 2])
def test_ignored_pixels_do_not_count(ignored: int) -> None:
    predictions, targets = labels()
    targets[:, :4] = ignored
    expected = multiclass_confusion_matrix(predictions, targets, 5, ignore_index=ignored)
    assert torch.equal(confusion_counts(predictions, targets, 5, ignore_index=ignored), expected)


@pytest.mark.parametrize("bad", [5, -1, 40])
def test_labels_out_of_range_are_refused(bad: int) -> None:
    predictions, targets = labels()
    for wrong in (predictions, targets):
        kept = wrong[0, 0, 0].clone()
        wrong[0, 0, 0] = bad
        with pytest.raises(ValueError, match="1 labels are outside 0 to 4"):
            confusion_counts(predictions, targets, 5)
        wrong[0, 0, 0] = kept


def test_wrong_inputs_are_refused() -> None:
    predictions, targets = labels()
    with pytest.raises(ValueError, match="differ in shape"):
        confusion_counts(predictions[:2], targets, 5)
    with pytest.raises(ValueError, match="integer labels"):
        confusion_counts(predictions.float(), targets, 5)
    with pytest.raises(ValueError, match="not of 5 classes"):
        PixelConfusionMatrix(5).update(torch.rand(3, 6, 20, 21), targets)


@pytest.mark.parametrize("settings", [{}, {"normalize": "true"}, {"ignore_index": 3}])
def test_metric_does_as_its_parent_does(settings: dict[str, Any]) -> None:
    metric, parent = PixelConfusionMatrix(5, **settings), MulticlassConfusionMatrix(5, **settings)
    for seed in range(3):
        _, targets = labels(seed=seed)
        scores = torch.randn(3, 5, 20, 21, generator=torch.Generator().manual_seed(seed))
        metric.update(scores, targets)
        parent.update(scores, targets)
        metric.update(scores.argmax(1), targets)
        parent.update(scores.argmax(1), targets)
    assert torch.equal(metric.compute(), parent.compute())


def test_update_elsewhere_than_on_the_cpu_waits_for_nothing() -> None:
    predictions, targets = labels()
    elsewhere = PixelConfusionMatrix(5, ignore_index=2).to("meta")
    # No number can be read from a tensor on "meta": whatever waits for the device raises.
    with pytest.raises(RuntimeError):
        int(elsewhere.outside)
    elsewhere.update(predictions.to("meta"), targets.to("meta"))
    elsewhere.update(torch.empty(3, 5, 20, 21, device="meta"), targets.to("meta"))


def test_labels_out_of_range_that_an_update_let_pass_are_refused_in_the_end() -> None:
    metric = PixelConfusionMatrix(5)
    metric.update(*labels())
    metric.outside += 7
    with pytest.raises(ValueError, match="7 labels are outside 0 to 4"):
        metric.compute()
    metric.reset()
    metric.update(*labels())
    assert torch.equal(metric.compute(), confusion_counts(*labels(), 5))


class LargestAllocation(TorchDispatchMode):
    """Bytes of the largest tensor that an operation returned."""

    bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self.bytes = max(self.bytes, result.untyped_storage().nbytes())
        return result


@pytest.mark.usefixtures("deterministic")
def test_deterministic_mode_takes_no_table_of_pixels_by_cells() -> None:
    predictions, targets = labels(12, (2, 64, 64))
    pixels = targets.numel()
    ours, theirs = PixelConfusionMatrix(12), MulticlassConfusionMatrix(12)
    with LargestAllocation() as largest:
        ours.update(predictions, targets)
    assert 0 < largest.bytes <= 8 * pixels
    with LargestAllocation() as largest:
        theirs.update(predictions, targets)
    assert largest.bytes >= 144 * pixels  # the probe does see the table
    assert torch.equal(ours.compute(), theirs.compute())


def test_scores_agree_with_scikit_learn_and_torchmetrics() -> None:
    predictions, targets = labels()
    matrix = confusion_counts(predictions, targets, 5)
    truth, guess = targets.flatten().numpy(), predictions.flatten().numpy()
    assert accuracy(matrix).item() == pytest.approx(accuracy_score(truth, guess), abs=1e-12)
    np.testing.assert_allclose(per_class_accuracy(matrix), recall_score(truth, guess, average=None), atol=1e-12)
    np.testing.assert_allclose(intersection_over_union(matrix), jaccard_score(truth, guess, average=None), atol=1e-12)
    expected = multiclass_jaccard_index(predictions, targets, 5, average="none")
    torch.testing.assert_close(intersection_over_union(matrix).float(), expected)


def test_a_class_that_counts_for_nothing_is_not_in_the_mean_overlap() -> None:
    predictions, targets = labels()
    overlap = intersection_over_union(confusion_counts(predictions, targets, 5, ignore_index=0), 0)
    assert overlap[0].isnan()
    expected = multiclass_jaccard_index(predictions, targets, 5, average="macro", ignore_index=0)
    torch.testing.assert_close(mean_of_present(overlap).float(), expected)


def test_absent_classes_are_nan_and_left_out_of_the_mean() -> None:
    # class 1 only predicted, class 2 nowhere, class 3 only true
    matrix = torch.tensor([[6, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [4, 0, 0, 0]])
    nan = torch.nan
    recall = torch.tensor([0.75, nan, nan, 0], dtype=torch.float64)
    overlap = torch.tensor([0.5, 0, nan, 0], dtype=torch.float64)
    torch.testing.assert_close(per_class_accuracy(matrix), recall, equal_nan=True)
    torch.testing.assert_close(intersection_over_union(matrix), overlap, equal_nan=True)
    assert mean_of_present(recall).item() == 0.375
    assert mean_of_present(overlap).item() == pytest.approx(1 / 6)
    assert mean_of_present(recall[1:3]).isnan()
    assert accuracy(torch.zeros_like(matrix)).isnan()
