"""Intervals between runs, what is missing for them, and the words for it."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from made_runs import NAMES, make_run

from fashseg.compare.noise import measure, pair_of
from fashseg.compare.rows import Group, group_runs
from fashseg.compare.runs import find_runs
from fashseg.compare.verdicts import commands, pair_in_words, row_difference, why_no_intervals


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def one(here: Path) -> Group:
    (group,) = group_runs(find_runs([str(here)])[0])
    return group


@pytest.mark.parametrize("task", ["classification", "segmentation"])
def test_a_row_far_below_the_best_is_beyond_noise(here: Path, task: str) -> None:
    make_run(here / "good", task=task, skill=0.95, optimizer__lr=0.1)
    make_run(here / "bad", task=task, skill=0.5, seed=1, optimizer__lr=0.2)
    group = one(here)
    noise = measure(group, 200)
    difference, interval = row_difference(group, group.rows[1], noise)
    assert interval is not None
    assert difference == pytest.approx(interval.estimate[-1])
    assert interval.low[-1] < difference < interval.high[-1] < 0
    pair = pair_of(group)
    assert pair is not None
    text = "\n".join(pair_in_words(group, pair, noise))
    assert "lr=0.1, seed 0 is better beyond noise in" in text
    assert "beyond the noise of the choice of test images" in text
    assert "not that of the seed" in text
    assert ("Absent from the test images: bag." in text) == (task == "segmentation")


def test_like_runs_are_within_noise(here: Path) -> None:
    for seed in (0, 1):
        make_run(here / str(seed), seed=seed)
    group = one(here)
    pair = pair_of(group)
    assert pair is not None
    assert set(pair.names) == {"seed 0", "seed 1"}
    text = "\n".join(pair_in_words(group, pair, measure(group, 200)))
    assert "within the noise" in text
    assert f"Within noise: {', '.join(NAMES[:-1])} and {NAMES[-1]}." in text


def test_rows_of_several_seeds_are_compared_by_their_means(here: Path) -> None:
    for seed in (0, 1, 2):
        make_run(here / "a" / str(seed), seed=seed, skill=0.9)
        make_run(here / "b" / str(seed), seed=seed + 10, skill=0.8, optimizer__lr=0.1)
    group = one(here)
    noise = measure(group, 300)
    _, interval = row_difference(group, group.rows[1], noise)
    _, alone = 0, noise.difference(group.rows[1].runs[:1], group.rows[0].runs[:1])
    assert interval is not None
    assert alone is not None
    assert interval.high[-1] - interval.low[-1] < alone.high[-1] - alone.low[-1], "means of seeds are steadier"
    pair = pair_of(group)
    assert pair is not None
    assert [len(pair.runs), len(pair.others)] == [3, 3]


def test_missing_and_wrong_evidence_is_said_with_the_way_to_get_it(here: Path) -> None:
    make_run(here / "good")
    make_run(here / "none of it", evidence=False)
    for name in ("broken", "cut", "old", "stale", "others"):
        make_run(here / name)
    (here / "broken" / "evidence" / "test.npz").write_bytes(b"PK\x03\x04 no archive")
    (here / "cut" / "evidence" / "test.npz").write_bytes(b"")
    np.savez(here / "old" / "evidence" / "test.npz", fingerprint=np.array("c0ffee"))
    make_run(here / "stale", skill=0.2, evidence=False)
    np.savez(
        here / "others" / "evidence" / "test.npz",
        fingerprint=np.array("other"),
        targets=np.zeros(5, np.uint8),
        predicted=np.zeros(5, np.uint8),
        confusion=np.zeros((3, 3), np.int64),
    )
    group = one(here)
    noise = measure(group, 100)
    assert set(noise.tested) == {"good"}
    assert noise.refresh == {"broken", "cut", "old", "stale", "others"}
    text = "\n".join(why_no_intervals(group, noise))
    for part in ("there is no evidence/test.npz", "can't be read", "of other weights", "of other images"):
        assert part in text
    assert ["python", "-m", "fashseg.report", "run='none of it'"] in [shlex.split(line) for line in commands(noise)]
    assert "python -m fashseg.report run=stale refresh=true" in commands(noise)
    assert all(row_difference(group, row, noise)[1] is None for row in group.rows if row is not group.rows[0])


def test_runs_on_other_test_images_are_not_paired(here: Path) -> None:
    make_run(here / "0")
    make_run(here / "1", seed=1, fingerprint="other")
    group = one(here)
    noise = measure(group, 100)
    pair = pair_of(group)
    assert pair is not None
    assert noise.difference(pair.others, pair.runs) is None
    assert not commands(noise)
    assert any("different images" in line for line in pair_in_words(group, pair, noise))


def test_a_single_run_needs_no_interval(here: Path) -> None:
    make_run(here / "0", evidence=False)
    group = one(here)
    noise = measure(group, 100)
    assert not noise.missing
    assert pair_of(group) is None
