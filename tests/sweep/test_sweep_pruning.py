"""A job finds its trial by what Hydra tells it, reports each epoch, and hears when it has fallen behind."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from stubs import Launcher, a_search, no_waiting_for_the_disk, run, write_results  # noqa: F401

from fashseg.sweep.address import TrialAddress
from fashseg.sweep.search import Search


def epochs_of(search: Search, number: int, scores: Sequence[float]) -> int:
    """Report scores as a run does; how many epochs it had."""
    address = TrialAddress(search.storage, search.study_name, number, search.options)
    trial, storage = address.open(len(scores))
    try:
        for epoch, score in enumerate(scores, start=1):
            trial.report(score, epoch)
            if epoch < len(scores) and trial.should_prune():
                return epoch
        return len(scores)
    finally:
        storage.close()


@pytest.mark.parametrize(("pruner", "warmup", "first"), [("median", 0, 1), ("median", 2, 3), ("none", 0, 4)])
def test_a_trial_behind_the_median_ends_behind_its_warm_up(
    pruner: str, warmup: int, first: int, tmp_path: Path
) -> None:
    search = a_search(tmp_path, n_trials=7, pruner=pruner, warmup_epochs=warmup)
    had: dict[int, int] = {}

    def job(_: Sequence[str], number: int) -> float:
        level = 0.1 if number == 6 else 0.5 + number / 100
        had[number] = epochs_of(search, number, [level, level, level, level])
        ended = "finished" if had[number] == 4 else "pruned"
        write_results(tmp_path / str(number), status=ended, val={"accuracy": level})
        return level

    content = run(search, Launcher(job))
    assert [had[number] for number in range(6)] == [4] * 6
    assert had[6] == first
    last = content["trials"][6]
    assert last["state"] == ("pruned" if first < 4 else "finished")
    assert last["intermediate"] == {str(epoch): 0.1 for epoch in range(1, first + 1)}
    assert last["values"] == ([0.1] if first == 4 else None)


def test_hyperband_gives_most_trials_a_part_of_the_epochs(tmp_path: Path) -> None:
    search = a_search(tmp_path, n_trials=16, pruner="hyperband", sampler="random")
    search.plans = []
    had: list[int] = []

    def job(_: Sequence[str], number: int) -> float:
        level = (number * 7 % 16) / 16
        had.append(epochs_of(search, number, [level] * 9))
        write_results(tmp_path / str(number), status="finished" if had[-1] == 9 else "pruned", val={"accuracy": level})
        return level

    run(search, Launcher(job))
    assert min(had) < 9
    assert max(had) == 9
    assert sum(had) < 16 * 9 * 0.8


def test_what_is_reported_follows_from_the_objective(tmp_path: Path) -> None:
    for objectives, expected in (
        (["score"], "val/average_precision"),
        (["val.loss"], "val/loss"),
        (["parameters"], None),
        (["score", "parameters"], None),
    ):
        search = a_search(tmp_path, objectives=objectives)
        address = TrialAddress(search.storage, "mine", 0, search.options)
        assert address.monitor("average_precision") == expected
