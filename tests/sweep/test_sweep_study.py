"""A study from its first trial to its last: the same trials, never more than asked for, failures kept, refusals."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from stubs import SPACE, Launcher, a_search, no_waiting_for_the_disk, owner_gone, record, run, score, write_results  # noqa: F401

from fashseg.errors import RunError, UserError
from fashseg.sweep.loop import Trials
from fashseg.sweep.outcome import FAILED, FINISHED, Outcome
from fashseg.sweep.space import Dimension
from fashseg.sweep.study import Study


def params(content: dict[str, Any]) -> list[dict[str, str]]:
    return [trial["params"] for trial in content["trials"]]


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes"])
def test_same_seed_same_trials_and_a_second_process_draws_others(sampler: str, tmp_path: Path) -> None:
    options = {"sampler": sampler, "startup_trials": 4}
    once = params(run(a_search(tmp_path / "a", **options)))
    again = params(run(a_search(tmp_path / "b", **options)))
    assert once == again
    assert len({str(trial) for trial in once}) == 12
    other = params(run(a_search(tmp_path / "c", seed=1, **options)))
    assert other != once
    # In two halves, as two processes: what the second one draws, the first has not drawn.
    run(a_search(tmp_path / "d", **{**options, "n_trials": 6}))
    halves = params(run(a_search(tmp_path / "d", **options)))
    assert len({str(trial) for trial in halves}) == 12
    assert halves == once


def test_numbers_are_within_the_space_and_typed_exactly(tmp_path: Path) -> None:
    launcher = Launcher()
    content = run(a_search(tmp_path), launcher)
    for (number, words), trial in zip(launcher.jobs, content["trials"], strict=True):
        assert trial["number"] == number
        assert words == ["model=cnn", *(f"{path}={text}" for path, text in trial["params"].items())]
        assert 1e-4 <= float(trial["params"]["optimizer.lr"]) <= 1e-1
        assert trial["params"]["batch_size"].isdecimal()
        assert trial["values"] == [score(words)]
        assert (trial["state"], trial["folder"], trial["error"]) == ("finished", str(number), None)


def test_grid_has_each_point_once_and_ends(tmp_path: Path) -> None:
    space = {"batch_size": Dimension("int", "", 32, 64, step=16), "optimizer": SPACE["optimizer"]}
    job = Launcher(lambda words, _: float(len(str(words))))
    content = run(a_search(tmp_path, space=space, sampler="grid", n_trials=None), job)
    expected = [{"batch_size": str(size), "optimizer": name} for size in (32, 48, 64) for name in ("adam", "sgd")]
    assert params(content) == expected
    assert content["n_trials"] == 6


def test_never_more_than_asked_for_with_two_processes(tmp_path: Path) -> None:
    one, two = (Study(a_search(tmp_path, n_trials=3), tmp_path) for _ in range(2))
    claims = [study.claim() for study in (one, two, one, two, one)]
    assert [claim is not None for claim in claims] == [True, True, True, False, False]


def test_failures_are_kept_and_the_search_goes_on_until_they_are_too_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def every(third: int) -> Launcher:
        def job(words: Sequence[str], number: int) -> float:
            if number % third == 0:
                raise RuntimeError("diverged")
            return float("nan") if number == 5 else score(words)

        return Launcher(job)

    content = run(a_search(tmp_path / "some", max_failure_rate=0.5), every(4))
    assert [trial["number"] for trial in content["trials"] if trial["state"] == "failed"] == [0, 4, 5, 8]
    assert content["trials"][4]["error"] == "RuntimeError: diverged"
    assert "failed: RuntimeError: diverged" in capsys.readouterr().out
    with pytest.raises(RunError, match="4 of 4 trials have failed"):
        run(a_search(tmp_path / "all"), every(1))
    assert record(tmp_path / "all")["trials"][3]["state"] == FAILED
    mended = run(a_search(tmp_path / "all"), Launcher(lambda words, _: score(words)))
    states = [trial["state"] for trial in mended["trials"]]
    assert states == [FAILED] * 4 + ["finished"] * 8, "the failures of the start before do not end it again"


def test_finished_study_says_so_and_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(a_search(tmp_path))
    launcher = Launcher()
    run(a_search(tmp_path), launcher)
    assert launcher.jobs == []
    assert "the study mine is complete: 12 finished" in capsys.readouterr().out
    assert len(run(a_search(tmp_path, n_trials=14))["trials"]) == 14


def test_interruption_gives_its_trial_back_and_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def job(words: Sequence[str], number: int) -> float:
        if number == 2:
            write_results(tmp_path / "2", status="interrupted")
            raise SystemExit(130)
        return score(words)

    with pytest.raises(SystemExit) as end:
        run(a_search(tmp_path), Launcher(job))
    assert end.value.code == 130
    assert [trial["state"] for trial in record(tmp_path)["trials"]] == ["finished", "finished", "lost"]
    err = capsys.readouterr().err
    assert err.splitlines()[0] == "interrupted by SIGINT: 2 finished of 12 trials; what trial 2 has done is kept"
    assert "go on with the same command: python -m fashseg.train -m sweep=x" in err
    launcher = Launcher()
    content = run(a_search(tmp_path), launcher)
    assert launcher.jobs[0][0] == 3
    assert launcher.jobs[0][1][-1] == "resume=auto"
    assert sum(trial["state"] == "finished" for trial in content["trials"]) == 12


def test_several_objectives(tmp_path: Path) -> None:
    def job(words: Sequence[str], number: int) -> float:
        write_results(tmp_path / str(number), status="finished", val={"accuracy": score(words)}, parameters=number)
        return score(words)

    content = run(a_search(tmp_path, objectives=["score", "parameters"]), Launcher(job))
    assert content["directions"] == ["maximize", "minimize"]
    assert [trial["values"][1] for trial in content["trials"]] == list(range(12))
    from omegaconf import OmegaConf

    kept = OmegaConf.load(tmp_path / "optimization_results.yaml")
    values = [solution["values"] for solution in kept.solutions]
    for value in values:
        assert not any(other[0] > value[0] and other[1] < value[1] for other in values)


def test_another_search_of_the_same_name_is_refused_with_what_differs(tmp_path: Path) -> None:
    run(a_search(tmp_path))
    wider = {**SPACE, "batch_size": Dimension("int", "", 16, 256)}
    fixed = a_search(tmp_path)
    fixed.fixed = ["model=cnn", "epochs=3", "data.root=elsewhere"]
    for search, what in (
        (a_search(tmp_path, space=wider), "batch_size int from 16 to 128, now int from 16 to 256"),
        (fixed, "another fixed options: epochs absent, now 3."),
        (a_search(tmp_path, direction="minimize"), "directions maximize, now minimize"),
    ):
        with pytest.raises(UserError) as refused:
            Study(search, tmp_path)
        assert what in refused.value.what


def test_folder_of_runs_without_its_storage_is_refused(tmp_path: Path) -> None:
    write_results(tmp_path / "0", status="finished")
    with pytest.raises(UserError, match="holds runs of a sweep"):
        Study(a_search(tmp_path), tmp_path)


def test_record_has_what_the_page_needs(tmp_path: Path) -> None:
    content = run(a_search(tmp_path, pruner="median"))
    assert content["space"] == {
        "optimizer.lr": {"kind": "float", "low": 1e-4, "high": 0.1, "log": True, "step": None},
        "batch_size": {"kind": "int", "low": 16, "high": 128, "log": False, "step": None},
        "optimizer": {"kind": "choice", "choices": ["adam", "sgd"]},
    }
    assert set(content["importance"]) == set(SPACE)
    assert {key: content[key] for key in ("study_name", "sampler", "pruner", "n_trials", "overrides")} == {
        "study_name": "mine",
        "sampler": "tpe",
        "pruner": "median",
        "n_trials": 12,
        "overrides": ["model=cnn"],
    }
    best = max(content["trials"], key=lambda trial: trial["values"])
    assert (tmp_path / "optimization_results.yaml").read_text().startswith("name: optuna\nbest_evaluated_params:\n")
    assert f"best_evaluated_value: {best['values'][0]}" in (tmp_path / "optimization_results.yaml").read_text()


def test_storage_that_does_not_answer_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from optuna.exceptions import StorageInternalError

    from fashseg.sweep import loop

    monkeypatch.setattr(loop, "PAUSE_SECONDS", 0.0)
    tell, away = Study.tell, [3]

    def sometimes(study: Study, number: int, outcome: Outcome) -> None:
        if number == 1 and away[0]:
            away[0] -= 1
            raise StorageInternalError("server closed the connection")
        tell(study, number, outcome)

    monkeypatch.setattr(Study, "tell", sometimes)
    content = run(a_search(tmp_path, n_trials=3))
    assert [trial["state"] for trial in content["trials"]] == ["finished"] * 3
    assert capsys.readouterr().err.count("server closed the connection") == 1
    away[0] = 1000
    with pytest.raises(RunError, match="server closed the connection"):
        run(a_search(tmp_path / "b", n_trials=3))


def test_batches_have_their_own_numbers_where_another_process_has_trials_between(tmp_path: Path) -> None:
    other = Study(a_search(tmp_path), tmp_path)
    search = a_search(tmp_path, n_jobs=2)

    def job(words: Sequence[str], number: int) -> float:
        if number == 1 and (claim := other.claim()):
            other.tell(claim.number, Outcome(FINISHED, (0.1,)))
        return score(words)

    launcher = Launcher(job)
    content = run(search, launcher)
    numbers = [number for number, _ in launcher.jobs]
    assert sorted([*numbers, 2]) == list(range(12))
    assert len(content["trials"]) == 12


def test_workers_are_needed_for_several_trials_at_a_time(tmp_path: Path) -> None:
    from hydra._internal.core_plugins.basic_launcher import BasicLauncher

    study = Study(a_search(tmp_path, n_jobs=2), tmp_path)
    with pytest.raises(UserError, match="needs a launcher with workers"):
        Trials(study, BasicLauncher())


def test_a_trial_on_other_images_than_those_before_fails(tmp_path: Path) -> None:
    def job(words: Sequence[str], number: int) -> float:
        del words
        folder = tmp_path / str(number)
        folder.mkdir()
        val = {"accuracy": 0.5, "accuracy_per_class": {}}
        images = {"val": "a" if number < 2 else "b"}
        results = {"status": "finished", "task": "classification", "val": val, "fingerprints": images}
        (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
        return 0.5

    content = run(a_search(tmp_path, n_trials=3, max_failure_rate=1), Launcher(job))
    assert [trial["state"] for trial in content["trials"]] == ["finished", "finished", FAILED]
    assert content["trials"][2]["error"] == "its images are not those of trial 0: the data has changed"
