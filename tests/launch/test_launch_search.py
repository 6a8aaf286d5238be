"""A search whose trials run in workers: one begins as soon as another has ended."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from deadly import write_plugin

from conftest import TINY_CNN, Command
from own_plugin import as_in_a_new_process

pytest.importorskip("optuna")


@pytest.fixture(autouse=True)
def _without_plugins() -> Iterator[None]:
    yield
    as_in_a_new_process()


def test_no_trial_waits_for_the_slowest(run: Command, tmp_path: Path) -> None:
    # They fail before torch is imported, each after its time.
    plugin = write_plugin(tmp_path / "mine")
    words = ("-m", *TINY_CNN, plugin, "loss=deadly", "loss.how=raise", "loss.seconds=6,0.1,0.2,0.3")
    search = ("hydra/sweeper=optuna", "hydra.sweeper.sampler=grid", "hydra.sweeper.n_trials=4")
    more = ("hydra.sweeper.n_jobs=2", "hydra.sweeper.max_failure_rate=1", "hydra.sweeper.seed=0")
    outcome = run("train", *words, *search, *more, "hydra/launcher=joblib", "hydra.sweep.dir=s")
    assert "jobs: 2 at a time" in outcome.out, outcome.err
    trials = json.loads((tmp_path / "s" / "study.json").read_text(encoding="utf-8"))["trials"]
    assert [trial["number"] for trial in trials] == [0, 1, 2, 3]
    assert {trial["state"] for trial in trials} == {"failed"}
    assert all("on purpose" in trial["error"] for trial in trials)
    time = {key: [datetime.fromisoformat(trial[key]) for trial in trials] for key in ("started", "ended")}
    (slow,) = (i for i, trial in enumerate(trials) if float(trial["params"]["loss.seconds"]) == 6)
    assert slow < 2, "so that others can end beside it"
    beside = [i for i in range(4) if time["started"][slow] <= time["ended"][i] < time["ended"][slow]]
    assert len(beside) >= 2, trials
