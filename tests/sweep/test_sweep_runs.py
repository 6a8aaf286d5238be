"""Searches that train: on the command line, on synthetic data, in this process."""

import json
from pathlib import Path

from conftest import TINY_CNN, TINY_SEGNET, Command, assert_two_lines, results_of
from fashseg.sweep.record import STUDY

SEARCH = ("train", "-m", "hydra/sweeper=optuna", "logger=none", "hydra.sweep.dir=s")


def test_a_search_trains_prunes_and_goes_on(run: Command, tmp_path: Path) -> None:
    words = (
        *(*SEARCH, *TINY_CNN, "epochs=3", "optimizer.lr=tag(log,interval(1e-5,1e-2))", "batch_size=32,64"),
        *("hydra.sweeper.study_name=mine", "hydra.sweeper.warmup_epochs=0"),
    )
    outcome = run(*words, "hydra.sweeper.n_trials=7")
    assert outcome.status == 0, outcome.err
    study = json.loads((tmp_path / "s" / STUDY).read_text())
    assert study["command"].startswith("python -m fashseg.train -m hydra/sweeper=optuna")
    pruned = [trial for trial in study["trials"] if trial["state"] == "pruned"]
    assert pruned, outcome.out
    for trial in study["trials"]:
        results = results_of(tmp_path / "s" / trial["folder"])
        assert results["status"] == trial["state"]
        assert "page=false" in results["overrides"]
        assert f"optimizer.lr={trial['params']['optimizer.lr']}" in results["overrides"]
        assert len(trial["intermediate"]) == results["epochs_run"]
        if trial["state"] == "finished":
            assert trial["values"] == [results["val"]["accuracy"]]
            assert max(trial["intermediate"].values()) == results["val"]["accuracy"]
        else:
            assert results["epochs_run"] < 3
            assert not {"val", "test"} & set(results)
    lines = [line for line in outcome.out.splitlines() if line.startswith("trial ")]
    assert len(lines) == 7
    assert f"trial {pruned[0]['number']}  optimizer.lr=" in outcome.out
    assert "pruned at epoch" in outcome.out

    again = run(*words, "hydra.sweeper.n_trials=8")
    assert again.status == 0, again.err
    assert "goes on with" in again.out
    assert [line.split()[1] for line in again.out.splitlines() if line.startswith("trial ")] == ["7"]
    complete = run(*words, "hydra.sweeper.n_trials=8")
    assert complete.status == 0
    assert "is complete" in complete.out

    # What the other commands make of a run that was pruned.
    folder = Path("s") / pruned[0]["folder"]
    page = run("report", f"run={folder}")
    assert page.status == 0, page.err
    assert "fell behind" in (folder / "report.html").read_text()
    assert not list((folder / "evidence").glob("test*"))
    table = run("compare", "s")
    assert table.status == 0, table.err
    assert "its search ended it" in table.out
    assert_two_lines(run(*words, "hydra.sweeper.n_trials=8", "weight_decay=1"), "weight_decay")
    refused = run(*words, "epochs=4", "hydra.sweeper.n_trials=8")
    assert_two_lines(refused, "fixed options: epochs 3, now 4", "study_name")


def test_a_trial_that_fails_is_shown_and_the_others_are_run(run: Command, tmp_path: Path) -> None:
    words = (*SEARCH, *TINY_SEGNET, "epochs=1", "optimizer.lr=1e-3,1e30", "hydra.sweeper.sampler=grid")
    outcome = run(*words, "hydra.sweeper.n_trials=null", "hydra.sweeper.max_failure_rate=0.5")
    assert outcome.status == 0, outcome.err
    assert outcome.err.startswith("error: ")
    trials = json.loads((tmp_path / "s" / STUDY).read_text())["trials"]
    assert [trial["state"] for trial in trials] == ["finished", "failed"]
    assert trials[1]["error"] == results_of(tmp_path / "s" / "1")["error"]
    assert "failed: " in outcome.out
