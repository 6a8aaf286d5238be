"""Trials whose process is gone: found, queued again once, or told from what they have left."""

import time
from pathlib import Path
from typing import Any

import pytest
from stubs import SPACE, Launcher, a_search, no_waiting_for_the_disk, owner_gone, record, run, score, write_results  # noqa: F401

from fashseg.sweep import owner
from fashseg.sweep.outcome import FINISHED, LOST, RUNNING, Outcome, state_of
from fashseg.sweep.study import Study


def test_lost_trial_is_queued_again_once_and_not_counted(tmp_path: Path) -> None:
    first, second = (Study(a_search(tmp_path), tmp_path) for _ in range(2))
    lost = first.claim()
    assert lost
    owner_gone(first, lost.number)
    claims = [study.claim() for study in (second, first)]
    assert [claim.replaces if claim else None for claim in claims] == [lost.number, None]
    assert claims[0]
    assert claims[0].params == lost.params
    assert [state_of(trial) for trial in first.trials()] == [LOST, RUNNING, RUNNING]
    for study, claim in zip((second, first), claims, strict=True):
        assert claim
        study.tell(claim.number, Outcome(FINISHED, (0.5,)))
    content = run(a_search(tmp_path))
    states = [trial["state"] for trial in content["trials"]]
    assert states == ["lost", *["finished"] * 12]
    assert [trial["replaces"] for trial in content["trials"]][:3] == [None, 0, None]
    assert len({str(trial["params"]) for trial in content["trials"][1:]}) == 12


@pytest.mark.parametrize("left", ["no owner", "marked only", "not queued again"])
def test_process_killed_while_it_had_the_lock_leaves_what_the_next_one_mends(left: str, tmp_path: Path) -> None:
    study = Study(a_search(tmp_path, n_trials=3), tmp_path)
    asked = study.optuna.ask(study.distributions)
    if left != "no owner":
        asked.set_user_attr("owner", {**owner.this_process(), "pid": 2**22 + 1})
        asked.set_user_attr(LOST, True)
    if left == "not queued again":
        study.optuna.tell(asked.number, state=study.optuna.trials[0].state.FAIL)
    content = run(a_search(tmp_path, n_trials=3))
    assert [trial["state"] for trial in content["trials"]] == ["lost", *["finished"] * 3]
    assert content["trials"][1]["params"] == content["trials"][0]["params"]


def test_job_that_had_ended_is_told_from_its_folder_and_not_run_again(tmp_path: Path) -> None:
    study = Study(a_search(tmp_path, n_trials=5), tmp_path)
    claims = [study.claim() for _ in range(4)]
    ends: list[dict[str, Any]] = [
        {"status": "finished", "val": {"accuracy": 0.75}},
        {"status": "failed", "error": "out of memory"},
        {"status": "interrupted"},
        {"status": "pruned"},
    ]
    for claim, end in zip(claims, ends, strict=True):
        assert claim
        write_results(tmp_path / str(claim.number), **end)
        owner_gone(study, claim.number)
    trial = study.optuna.trials[3]
    study.storage.optuna.set_trial_intermediate_value(trial._trial_id, 2, 0.25)
    launcher = Launcher()
    content = run(a_search(tmp_path, n_trials=5), launcher)
    assert [trial["state"] for trial in content["trials"]] == ["finished", "failed", "lost", "pruned"] + [
        "finished"
    ] * 2
    assert content["trials"][0]["values"] == [0.75]
    assert content["trials"][1]["error"] == "out of memory"
    assert content["trials"][3]["intermediate"] == {"2": 0.25}
    assert [number for number, _ in launcher.jobs] == [4, 5]
    # The one that was interrupted goes on in the folder that its run has left.
    assert launcher.jobs[0][1][-1] == "resume=auto"
    assert not (tmp_path / "2").exists()
    assert (tmp_path / "4" / "results.json").exists()


def test_silent_process_of_another_machine_is_gone_and_a_speaking_one_is_not(tmp_path: Path) -> None:
    study = Study(a_search(tmp_path), tmp_path)
    for since in (10, owner.SILENT_SECONDS + 10):
        claim = study.claim()
        assert claim
        trial = study.optuna.trials[claim.number]
        study.storage.optuna.set_trial_user_attr(trial._trial_id, "owner", {"host": "elsewhere", "pid": 1})
        study.storage.optuna.set_trial_user_attr(trial._trial_id, "heartbeat", time.time() - since)
    study.mine.clear()
    study.settle()
    assert [state_of(trial) for trial in study.trials()] == [RUNNING, LOST, "waiting"]


def test_this_process_is_alive_and_one_of_its_number_of_another_time_is_not() -> None:
    here = owner.this_process()
    assert owner.is_alive(here, None)
    assert not owner.is_alive({**here, "started": "12"}, None)
    assert not owner.is_alive({**here, "boot": "another"}, None)
    assert not owner.is_alive({**here, "pid": 2**22 + 1}, None)
