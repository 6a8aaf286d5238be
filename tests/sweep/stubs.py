"""Searches whose trials cost nothing: what they return follows from their parameters."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from fashseg.sweep.loop import Trials
from fashseg.sweep.options import check_options
from fashseg.sweep.record import STUDY
from fashseg.sweep.search import Search
from fashseg.sweep.space import Dimension
from fashseg.sweep.storage import in_full_url
from fashseg.sweep.study import Study


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here loses its power; each of some hundred lines of a journal would wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


SPACE = {
    "optimizer.lr": Dimension("float", "", 1e-4, 1e-1, log=True),
    "batch_size": Dimension("int", "", 16, 128),
    "optimizer": Dimension("choice", "", choices=("adam", "sgd")),
}


def a_search(
    folder: Path, *, storage: str | None = None, space: dict[str, Dimension] | None = None, **options: Any
) -> Search:
    """A search of 12 trials in ``folder``, unless the options say otherwise."""
    checked = check_options({"n_trials": 12, "pruner": "none", **options})
    search = Search(checked, space or SPACE, ["model=cnn"], command="python -m fashseg.train -m sweep=x")
    search.study_name, search.folder = "mine", folder
    search.storage = in_full_url(storage, folder)
    folder.mkdir(parents=True, exist_ok=True)
    return search


def score(words: Sequence[str]) -> float:
    """Best at lr 0.01 and a batch of 64."""
    params = dict(word.split("=", 1) for word in words)
    return 1 - abs(float(params["optimizer.lr"]) - 0.01) - abs(int(params["batch_size"]) - 64) / 100


class Launcher:
    """Runs jobs one by one, in this process.

    Args:
        job: from the words of a trial and its number to what it returns.
    """

    def __init__(self, job: Callable[[Sequence[str], int], Any] = lambda words, _: score(words)) -> None:
        self.job = job
        self.jobs: list[tuple[int, list[str]]] = []

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[Any]:
        returned = []
        for words in job_overrides:
            number = int(next(word for word in words if word.startswith("hydra.sweep.subdir")).partition("=")[2])
            own = [word for word in words if not word.startswith("hydra.")]
            self.jobs.append((number, own))
            try:
                returned.append(self.job(own, number))
            except Exception as error:
                returned.append(error)
        return returned


def run(search: Search, launcher: Any = None) -> dict[str, Any]:
    """Run it, and give what study.json says."""
    study = Study(search, search.folder)
    try:
        Trials(study, launcher or Launcher()).run()
    finally:
        study.close()
    return record(search.folder)


def record(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / STUDY).read_text(encoding="utf-8"))
    return content


def write_results(folder: Path, **values: Any) -> None:
    """A results.json as train leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps({"task": "classification", "model": "cnn", **values}))


def owner_gone(study: Study, number: int) -> None:
    """As if the process that runs the trial had been killed."""
    trial = study.trials()[number]
    noted = {**trial.user_attrs["owner"], "pid": 2**22 + 1, "started": "1"}
    study.storage.optuna.set_trial_user_attr(trial._trial_id, "owner", noted)
    study.mine.discard(number)
