"""What is kept of a run agrees with its scores."""

from pathlib import Path

import numpy as np
import pytest

from conftest import results_of
from fashseg.report.collecting import collect_again
from fashseg.report.loading import load_facts
from fashseg.run import RunFolder


@pytest.fixture
def folder(finished: Path) -> RunFolder:
    return RunFolder(finished)


def arrays(folder: RunFolder, name: str) -> dict[str, np.ndarray]:
    with np.load(folder.evidence / f"{name}.npz", allow_pickle=False) as content:
        return dict(content)


def test_evidence_agrees_with_results(folder: RunFolder) -> None:
    results, facts = results_of(folder.path), load_facts(folder)
    assert not facts.missing
    for part in ("val", "test"):
        kept = arrays(folder, part)
        confusion = kept["confusion"] if kept["confusion"].ndim == 2 else kept["confusion"].sum(0)
        assert confusion.tolist() == results[part]["confusion_matrix"]
        expected = [np.nan if v is None else v for v in facts.scored[part].by_class.values()]
        np.testing.assert_allclose(kept["class_scores"], expected, atol=1e-6)
        assert str(kept["fingerprint"]) == results["fingerprints"][part]
        assert kept["calibration"][0].sum() == confusion.sum()
        assert kept["calibration"][2].sum() == confusion.trace()
    if not facts.classifies:
        loss = arrays(folder, "test")["losses"].mean()
        assert loss == pytest.approx(results["test"]["loss"], rel=1e-5)


def test_filters_are_kept_from_before_and_after(folder: RunFolder) -> None:
    before, after = (arrays(folder, name)["filters"] for name in ("start", "end"))
    assert before.shape == after.shape
    assert not np.array_equal(before, after)


def test_collecting_again_gives_the_same(folder: RunFolder) -> None:
    first = {name: arrays(folder, name) for name in ("val", "test")}
    for name in first:
        (folder.evidence / f"{name}.npz").unlink()
    collect_again(folder)
    for name, before in first.items():
        after = arrays(folder, name)
        assert before.keys() == after.keys()
        for key in ("targets", "shown", "images", "fingerprint", "confusion"):
            np.testing.assert_array_equal(before[key], after[key], err_msg=key) if key in before else None


def test_test_images_are_not_looked_at_before_the_end(folder: RunFolder) -> None:
    folder.update_results(status="interrupted")
    (folder.evidence / "test.npz").unlink()
    collect_again(folder)
    assert not (folder.evidence / "test.npz").exists()
    assert (folder.evidence / "val.npz").exists()


def test_the_data_set_is_described(folder: RunFolder) -> None:
    data, results = load_facts(folder).data, results_of(folder.path)
    pixels = 1 if results["task"] == "classification" else 256 * 256
    for part, counts in data["class_counts"].items():
        assert sum(counts) == results["images"][part] * pixels
    assert data["fingerprints"] == results["fingerprints"]
    assert data["info"]["synthetic"] is True
