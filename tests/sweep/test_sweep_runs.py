"""Searches that train: on the command line, on synthetic data, in this process."""

import json
from pathlib import Path

from conftest import TINY_CNN, TINY_SEGNET, Command, assert_two_lines, results_of
from fashseg.compare.runs import load_run
from fashseg.compare.table import others_of
from fashseg.sweep.record import STUDY

SEARCH = ("train", "-m", "hydra/sweeper=optuna", "logger=none", "hydra.sweep.dir=s")


def test_a_search_trains_prunes_and_goes_on(run: Command, tmp_path: Path) -> None:
    words = (
        *("train", "-m", "sweep=cnn", "logger=none", "hydra.sweep.dir=s", *TINY_CNN, "hydra.sweeper.study_name=mine"),
        *("optimizer.lr=1e-2,8e-3,6e-3,4e-3,2e-3,1e-7", "batch_size=64", "model.hidden=32", "loss.label_smoothing=0"),
        *("hydra.sweeper.sampler=grid", "hydra.sweeper.warmup_epochs=0"),
    )
    outcome = run(*words, "hydra.sweeper.n_trials=4")
    assert outcome.status == 0, outcome.err
    again = run(*words, "hydra.sweeper.n_trials=6")
    assert again.status == 0, again.err
    assert "goes on with 4 finished" in again.out
    lines = [line for text in (outcome.out, again.out) for line in text.splitlines() if line.startswith("trial ")]
    assert [line.split()[1] for line in lines] == list("012345")
    assert "pruned at epoch 1" in lines[5]

    study = json.loads((tmp_path / "s" / STUDY).read_text())
    assert study["command"].startswith("python -m fashseg.train -m sweep=cnn")
    assert [trial["state"] for trial in study["trials"]] == [*["finished"] * 5, "pruned"]
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
            assert not {"val", "test"} & set(results)

    complete = run(*words, "hydra.sweeper.n_trials=6")
    assert (complete.status, "is complete" in complete.out) == (0, True)
    refused = run(*words, "epochs=4", "hydra.sweeper.n_trials=8")
    assert_two_lines(refused, "fixed options: epochs 2, now 4", "study_name")

    # What the other commands make of a run that was pruned.
    folder = Path("s") / "5"
    page = run("report", f"run={folder}")
    assert page.status == 0, page.err
    assert "fell behind" in (folder / "report.html").read_text()
    assert not list((folder / "evidence").glob("test*"))
    ((_, status, why),) = others_of([load_run(folder)], [])
    assert (status, why) == ("pruned", "1 of 2 epochs; its search ended it, for it fell behind other trials")


def test_a_trial_that_fails_is_shown_and_the_others_are_run(run: Command, tmp_path: Path) -> None:
    words = (*SEARCH, *TINY_SEGNET, "epochs=1", "optimizer.lr=1e-3,1e30", "hydra.sweeper.sampler=grid")
    outcome = run(*words, "hydra.sweeper.n_trials=null", "hydra.sweeper.max_failure_rate=0.5")
    assert outcome.status == 0, outcome.err
    assert outcome.err.startswith("error: ")
    trials = json.loads((tmp_path / "s" / STUDY).read_text())["trials"]
    assert [trial["state"] for trial in trials] == ["finished", "failed"]
    assert trials[1]["error"] == results_of(tmp_path / "s" / "1")["error"]
    assert "failed: " in outcome.out
