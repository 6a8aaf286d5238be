"""Metrics on scores and labels that nobody thought of, against scikit-learn, torchmetrics and plain NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from scored import IGNORED, Scored, examples, scored
from sklearn.metrics import (
    confusion_matrix,
    jaccard_score,
    recall_score,
)

from amounts import record
from fashseg.metrics import confusion, prediction


def test_predicted_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction, "_FEW_PIXELS", 0)

    @examples(scored(), st.booleans(), quick=100, full=1000)
    def figures(case: Scored, undefined: bool) -> None:
        scores = case.scores.clone()
        if undefined:
            scores[scores == scores.flatten()[0]] = torch.nan
        assert prediction.predicted_labels(scores).tolist() == scores.double().numpy().argmax(1).tolist()

    record("predicted labels against NumPy", **figures)


def test_confusion_and_what_is_read_from_it() -> None:
    @examples(scored(ignore=True))
    def figures(case: Scored) -> None:
        metric = confusion.PixelConfusionMatrix(case.classes, ignore_index=IGNORED)
        for batch in case.split():
            metric.update(*batch)
        kept = (case.targets != IGNORED).numpy()
        truth, said = case.targets.numpy()[kept], case.scores.double().numpy().argmax(1)[kept]
        labels = list(range(case.classes))
        matrix = metric.compute()
        if not truth.size:
            assert not matrix.any()
            assert confusion.accuracy(matrix).isnan()
            return
        assert matrix.tolist() == confusion_matrix(truth, said, labels=labels).tolist()
        recall = recall_score(truth, said, labels=labels, average=None, zero_division=np.nan)
        np.testing.assert_allclose(confusion.per_class_accuracy(matrix), recall)
        overlap = confusion.intersection_over_union(matrix)
        there = np.union1d(truth, said)
        assert np.flatnonzero(~overlap.isnan()).tolist() == there.tolist()
        np.testing.assert_allclose(overlap[there], jaccard_score(truth, said, labels=there, average=None))
        assert float(confusion.accuracy(matrix)) == pytest.approx((truth == said).mean())
        assert float(confusion.mean_of_present(overlap)) == pytest.approx(np.nanmean(overlap.numpy()))

    record("confusion, IoU and accuracies against scikit-learn", **figures)
