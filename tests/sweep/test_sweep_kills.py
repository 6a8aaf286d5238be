"""A search whose process is killed by SIGKILL, again and again, ends with every trial once."""

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from amounts import SLOW, amount, record
from conftest import TINY_CNN

TRIALS = amount(3, 40)
WORDS = (
    *("-m", "hydra/sweeper=optuna", *TINY_CNN, "logger=none", "hydra.sweep.dir=s", "eval_train=false"),
    *("optimizer.lr=tag(log,interval(1e-4,1e-1))", "optimizer=adam,sgd", f"hydra.sweeper.n_trials={TRIALS}"),
    *("hydra.sweeper.study_name=mine", "hydra.sweeper.max_failure_rate=0"),
)


def _child(folder: str) -> None:
    os.chdir(folder)
    for stream in (1, 2):
        os.dup2(os.open(Path(folder) / f"stream{stream}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    from fashseg import train

    sys.exit(train.main(WORDS))


def start(folder: Path) -> Any:
    """A process of its own, which has torch in memory already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["fashseg.train", "fashseg.experiment", "fashseg.sweep.loop", "fashseg.report.making"]
    )
    process = context.Process(target=_child, args=(str(folder),))
    process.start()
    return process


def test_killed_search_ends_with_every_trial_once(tmp_path: Path) -> None:
    wanted = amount(2, 10)
    chance = random.Random(7)
    kills = 0
    begun: set[str] = set()
    while True:
        process = start(tmp_path)
        if kills < wanted:
            seen = len(list(tmp_path.glob("s/[0-9]*")))
            limit = time.monotonic() + 60
            while len(list(tmp_path.glob("s/[0-9]*"))) <= seen and process.is_alive() and time.monotonic() < limit:
                time.sleep(0.01)  # until the next trial has its folder
            process.join(chance.uniform(0, 1.5))
            if process.is_alive():
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
        process.join(300)
        begun |= {path.name for path in tmp_path.glob("s/[0-9]*")}
        if process.exitcode != -signal.SIGKILL:
            break
    assert process.exitcode == 0, (tmp_path / "stream2.txt").read_text()
    assert kills == wanted
    trials = json.loads((tmp_path / "s" / "study.json").read_text())["trials"]
    counted = [trial for trial in trials if trial["state"] != "lost"]
    lost = [trial["number"] for trial in trials if trial["state"] == "lost" and trial["params"]]
    record(
        "kill -9 of a search", tried=kills, survived=kills, remarks=f"{TRIALS} trials, {len(lost)} lost and run again"
    )
    assert [trial["number"] for trial in trials] == list(range(len(trials)))
    assert len(counted) == TRIALS
    assert {trial["state"] for trial in counted} <= {"finished", "pruned"}
    assert len({json.dumps(trial["params"]) for trial in counted}) == TRIALS
    # Each lost trial was run again, once, with its parameters.
    by_number = {trial["number"]: trial for trial in trials}
    again = [trial for trial in trials if trial["replaces"] is not None]
    assert sorted(trial["replaces"] for trial in again) == lost
    assert all(trial["params"] == by_number[trial["replaces"]]["params"] for trial in again)
    if SLOW:
        assert len(lost) <= kills
