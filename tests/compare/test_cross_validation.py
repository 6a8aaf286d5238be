"""Runs of a cross-validation: one row, intervals over folds and seeds, pooled scores, settings paired by fold."""

import json
import re
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import make_run
from scipy import stats

from conftest import Command
from fashseg.compare.crossed import crossed, paired, runs_in_words
from fashseg.compare.notes import notes, same_validation_images
from fashseg.compare.over_folds import lines_of, pairs_in_words
from fashseg.compare.rows import Group, group_runs
from fashseg.compare.runs import find_runs
from fashseg.compare.table import row_names
from fashseg.metrics.spread import Difference


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def one(here: Path) -> Group:
    (group,) = group_runs(find_runs([str(here)])[0])
    return group


def fold_run(folder: Path, fold: int, score: float, seed: int = 0, folds: int = 5, **changes: Any) -> Path:
    """A run of a fold with 100 validation images and this validation score."""
    right = round(100 * score)
    results: dict[str, Any] = {
        "fold": fold,
        "folds": folds,
        "images": {"train": 100 * (folds - 1), "val": 100, "test": 120},
        "fingerprints": {"train": f"not {fold}", "val": f"fold {fold} of {folds}", "test": "c0ffee"},
        "overrides": [f"data.fold={fold}", f"seed={seed}"],
        **changes.pop("results", {}),
    }
    options = {"data__fold": fold, "data__folds": folds, "data__split_seed": 0, **changes}
    path = make_run(folder, seed=seed, results=results, **options)
    content = json.loads((path / "results.json").read_text(encoding="utf-8"))
    content["val"] |= {"accuracy": score, "confusion_matrix": [[right, 0, 0], [100 - right, 0, 0], [0, 0, 0]]}
    (path / "results.json").write_text(json.dumps(content), encoding="utf-8")
    return path


SCORES = [[0.80, 0.82], [0.86, 0.85], [0.78, 0.81], [0.84, 0.86], [0.83, 0.82]]
"""By fold and seed."""


def write(here: Path, name: str = "a", shift: float = 0.0, **changes: Any) -> None:
    for fold, scores in enumerate(SCORES):
        for seed, score in enumerate(scores):
            moved = round(score + shift * (1 + fold % 2), 2)
            fold_run(here / name / f"{fold}{seed}", fold, moved, seed, **changes)


def test_folds_and_seeds_are_one_row_and_have_intervals(here: Path) -> None:
    write(here)
    group = one(here)
    (row,) = group.rows
    assert group.options == ()
    assert runs_in_words(row) == "5 folds × 2 seeds"
    side = crossed(row)
    assert (side.folds, side.of, side.seeds, side.missing) == ((0, 1, 2, 3, 4), 5, ("0", "1"), [])
    found = side.spreads("val")
    assert list(found) == [
        "5 folds, each the mean of 2 seeds",
        "2 seeds, each the mean of 5 folds",
        "5 folds × 2 seeds",
    ]
    for values, spread in zip(
        ([statistics.fmean(scores) for scores in SCORES], np.mean(SCORES, 0).tolist()), found.values(), strict=False
    ):
        assert spread.deviation == pytest.approx(np.std(values, ddof=1))
        known = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
        assert (spread.low, spread.high) == pytest.approx(known)
    assert found["5 folds × 2 seeds"].mean == pytest.approx(np.mean(SCORES))
    assert found["5 folds × 2 seeds"].deviation == pytest.approx(row.deviation("val"))
    text = " ".join(notes(group))
    assert "same seed more than once" not in text
    assert "change with the seed" not in text


def test_all_images_of_the_folds_are_counted_together(here: Path) -> None:
    write(here)
    pooled = crossed(one(here).rows[0]).pooled()
    assert pooled is not None
    assert pooled.count == 500
    assert pooled.accuracy == pytest.approx(np.mean(SCORES)), "folds have one size here"
    for fold in (3, 4):  # folds of other sizes weigh as much as they hold
        path = here / "a" / f"{fold}0" / "results.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        content["val"]["confusion_matrix"] = [[30, 10, 0], [0, 10, 0], [0, 0, 0]]
        path.write_text(json.dumps(content), encoding="utf-8")
    pooled = crossed(one(here).rows[0]).pooled()
    assert pooled is not None
    right = 80 + 86 + 78 + 2 * 40
    assert pooled.accuracy == pytest.approx((right / 400 + np.mean(SCORES, 0)[1]) / 2)
    content["limited"] = True
    path.write_text(json.dumps(content), encoding="utf-8")
    assert crossed(one(here).rows[0]).pooled() is None, "it need not have looked at all images"


def test_settings_are_paired_by_fold(here: Path) -> None:
    write(here)
    write(here, "b", -0.02, optimizer__lr=0.1)
    group = one(here)
    assert same_validation_images(group)
    assert "not validated on the same images" not in " ".join(notes(group))
    ((row, found),) = paired(group)
    assert row.options == {"optimizer.lr": 0.1}
    assert isinstance(found, Difference)
    differences = [-0.02, -0.04, -0.02, -0.04, -0.02]
    error = np.std(differences, ddof=1) * np.sqrt(1 / 5 + 1 / 4)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 4, np.mean(differences), error))
    assert found.p == pytest.approx(2 * stats.t.cdf(np.mean(differences) / error, 4))


def test_the_verb_tells_it_in_the_terminal_and_on_the_page(run: Command, here: Path) -> None:
    write(here)
    write(here, "b", -0.02, optimizer__lr=0.1)
    outcome = run("compare", "a", "b")
    assert outcome.status == 0, outcome.err
    out = " ".join(outcome.out.split())
    page = (here / "compare.html").read_text(encoding="utf-8")
    assert "lr=0.001 5 folds × 2 seeds 0.8270 ± 0.0263" in out
    assert "lr=0.001 all images of 5 folds 0.8270 of 500 images" in out
    assert "lr=0.1: −0.0280 (−0.0484 to −0.0076), p = 0.019 at 4 degrees of freedom, beyond noise" in out
    for text in (out, page):
        assert "corrected resampled t test (Nadeau and Bengio, 2003)" in text
        assert "too narrow: the training sets of folds overlap" in text
    assert "over folds and seeds" in page
    assert "5 folds × 2 seeds" in page
    assert re.search(r"−0\.0484 to −0\.0076", page)


def test_a_fold_that_is_missing_is_said(here: Path) -> None:
    write(here)
    write(here, "b", -0.02, optimizer__lr=0.1)
    for seed in (0, 1):
        (here / "b" / f"3{seed}" / "results.json").unlink()
    (here / "a" / "21" / "results.json").unlink()
    group = one(here)
    text = " ".join(notes(group))
    assert "lr=0.1: of 5 folds, 3 is not there" in text
    assert "lr=0.001: not every seed has every fold" in text
    assert "not validated on the same images" in text
    assert [found for _, found in paired(group)] == ["it has other folds"]
    assert list(crossed(group.rows[0]).spreads("val")) == ["5 folds, each the mean of 2 seeds"]
    assert all(crossed(row).pooled() is None for row in group.rows)


def test_folds_of_other_images_are_not_paired(here: Path) -> None:
    write(here)
    for fold in range(5):
        prints = {"fingerprints": {"val": f"other {fold}", "test": "c0ffee"}}
        fold_run(here / "b" / str(fold), fold, 0.7, data__split_seed=1, results=prints)
    group = one(here)
    assert group.options == ("data.split_seed",)
    assert [found for _, found in paired(group)] == ["its folds are of other images"]


def test_a_run_without_folds_is_a_row_of_its_own(here: Path) -> None:
    write(here)
    make_run(here / "old", seed=0)
    make_run(here / "new", seed=1, data__fold=None, data__folds=7)
    group = one(here)
    rows = {str(row.options["data.fold"]): len(row.runs) for row in group.rows}
    assert rows == {"each": 10, "None": 2}
    assert [row.options.get("data.split_seed") for row in group.rows if row.options["data.fold"] is None] == [
        "the seed"
    ]
    assert len(set(group.labels().values())) == 12
    fold_run(here / "b", 0, 0.9, folds=7)
    assert len(one(here).rows) == 3


def test_seeds_alone_have_an_interval_too(here: Path) -> None:
    for seed in range(3):
        make_run(here / str(seed), seed=seed, skill=0.7 + 0.05 * seed)
    (row,) = one(here).rows
    assert runs_in_words(row) == "3 runs with different seeds"
    found = crossed(row).spreads("test")
    scores = [run.score("test") for run in row.runs]
    assert list(found) == ["3 seeds"]
    assert (found["3 seeds"].low, found["3 seeds"].high) == pytest.approx(
        stats.t.interval(0.95, 2, np.mean(scores), stats.sem(scores))
    )


@pytest.mark.parametrize(
    "entries",
    [
        {"fold": 7},
        {"fold": True},
        {"fold": -1},
        {"folds": "5"},
        {"folds": 10**12},
        {"fold": None},
        {"images": {"train": -3, "val": "x"}},
        {"fingerprints": {"val": 3, "test": None}},
        {"seed": [1, 2]},
    ],
)
def test_what_a_file_says_otherwise_costs_no_table(here: Path, entries: dict[str, Any]) -> None:
    write(here)
    write(here, "b", -0.02, optimizer__lr=0.1)
    path = here / "a" / "30" / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | entries), encoding="utf-8")
    group = one(here)
    names = row_names(group)
    assert len(lines_of(group, names)) > 3
    assert pairs_in_words(group, names) or not crossed(group.rows[0]).folds


@pytest.mark.parametrize("table", [[], [[]], [[1, 2]], [[1], [2, 3]], [["a"]], [[-1]], [[1e300]], [[10**30]], 3, None])
def test_counts_that_are_none_are_not_pooled(here: Path, table: Any) -> None:
    write(here)
    path = here / "a" / "30" / "results.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["val"]["confusion_matrix"] = table
    path.write_text(json.dumps(content), encoding="utf-8")
    assert crossed(one(here).rows[0]).pooled() is None
