"""Jobs of a sweep in several processes: as with one process, and whatever becomes of one of them."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from deadly import of_session, start, wait_for, write_plugin

from amounts import SLOW
from conftest import TINY_CNN, Command, results_of
from own_plugin import as_in_a_new_process

SWEEP = ("-m", *TINY_CNN, "hydra/launcher=joblib", "hydra.sweep.dir=s", "logger=none")


@pytest.fixture(autouse=True)
def _without_plugins() -> Iterator[None]:
    yield
    as_in_a_new_process()


def test_jobs_side_by_side_give_what_they_give_in_turn_and_one_that_dies_fails_alone(
    run: Command, tmp_path: Path
) -> None:
    own = (write_plugin(tmp_path / "mine"), "loss=deadly")
    words = (*SWEEP, *own, "loss.how=not,kill,crash,exit,raise", "hydra.launcher.n_jobs=2")
    outcome = run("train", *words)
    assert outcome.status == 1
    found = [results_of(tmp_path / "s" / str(number)) for number in range(5)]
    assert [results["status"] for results in found] == ["finished", *["failed"] * 4]
    assert "killed by SIGKILL" in found[1]["error"]
    assert "ended by SIGSEGV" in found[2]["error"]
    assert "ended by itself with status 7" in found[3]["error"]
    assert "RuntimeError: on purpose" in found[4]["error"]
    assert "deadly_plugin.py" in (tmp_path / "s" / "2" / "run.log").read_text(encoding="utf-8")
    assert "[1] error: the process of job 1 was killed by SIGKILL" in outcome.err
    assert "[4] error: the run failed: RuntimeError: on purpose" in outcome.err
    assert len(outcome.err.splitlines()) == 8, outcome.err
    assert {r["model"] for r in found} == {"cnn"}
    lines, _, table = outcome.out.rpartition("Sweep\n")
    assert [word for word in table.split() if word in ("failed", "finished")] == [r["status"] for r in found]
    assert lines.splitlines()[:2] == ["5 jobs in s", "jobs: 2 at a time, each with 1 thread on a core of its own"]
    assert {line[:4] for line in lines.splitlines()[2:]} <= {f"[{number}] " for number in range(5)}

    alone = run("train", *TINY_CNN, "logger=none", *own, "hydra.run.dir=alone")
    assert alone.status == 0, alone.err
    expected = results_of(tmp_path / "alone")
    assert {part: found[0][part] for part in ("val", "test", "plugins")} == {
        part: expected[part] for part in ("val", "test", "plugins")
    }
    assert found[0]["threads"] == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
@pytest.mark.parametrize("ended_by", ["SIGINT to all", "SIGKILL", *(["SIGTERM"] if SLOW else [])])
def test_workers_end_with_their_parent(ended_by: str, tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path / "mine")
    count = 1 if ended_by == "SIGKILL" else 2
    words = (*SWEEP, plugin, "loss=deadly", "loss.seconds=0.3", "seed=0,1,2", "epochs=50")
    process = start(*words, f"hydra.launcher.n_jobs={count}", folder=tmp_path)
    folders = [tmp_path / "s" / str(number) for number in range(count + 1)]
    try:
        wait_for(lambda: all((folder / "metrics.csv").exists() for folder in folders[:count]))
        name, _, group = ended_by.partition(" ")
        (os.killpg if group else os.kill)(process.pid, getattr(signal, name))
        out, err = process.communicate(timeout=120)
        wait_for(lambda: not of_session(process.pid), 60)
    finally:
        for left in of_session(process.pid):
            os.kill(left, signal.SIGKILL)
    assert process.returncode == {"SIGINT": 130, "SIGTERM": 143, "SIGKILL": -9}[name]
    status = [json.loads((folder / "results.json").read_text(encoding="utf-8"))["status"] for folder in folders[:count]]
    assert status == ["interrupted"] * count
    assert all((folder / "checkpoints" / "last.ckpt").exists() for folder in folders[:count])
    assert not (folders[count] / "results.json").exists()
    if name != "SIGKILL":
        assert "[0] interrupted by SIGTERM: what was trained is in" in err
        assert err.splitlines()[-1] == f"interrupted by {name}"
        assert "Traceback" not in out + err
