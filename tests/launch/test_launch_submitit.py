"""Jobs of a sweep by submitit: as processes of this machine, and by a stand-in for SLURM."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from deadly import wait_for, write_plugin
from fake_slurm import install

from conftest import TINY_CNN, Command, assert_two_lines, results_of
from own_plugin import as_in_a_new_process

SWEEP = ("-m", *TINY_CNN, "logger=none", "hydra.sweep.dir=s", "seed=0")


@pytest.fixture(autouse=True)
def _without_plugins() -> Iterator[None]:
    yield
    as_in_a_new_process()


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in, found on the path."""
    for name, value in install(tmp_path / "slurm").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLURM_CONF", "none")
    return tmp_path / "slurm"


def test_processes_of_this_machine_stand_in_for_a_cluster(run: Command, tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path / "mine")
    words = (*SWEEP, plugin, "loss=deadly", "loss.how=exit,raise", "hydra/launcher=submitit_local")
    outcome = run("train", *words)
    assert outcome.status == 1, outcome
    assert [results_of(tmp_path / "s" / number)["status"] for number in "01"] == ["failed", "failed"]
    assert re.search(r"\[0\] error: job 0 ended without a result \(FINISHED\)", outcome.err)
    assert "[1] error: the run failed: RuntimeError: on purpose" in outcome.err
    table = outcome.out.rpartition("Sweep\n")[2]
    assert table.count("failed") == 2
    assert "Traceback" not in outcome.err


def test_a_job_of_slurm_that_is_preempted_goes_on_and_one_that_dies_fails_alone(
    run: Command, tmp_path: Path, slurm: Path
) -> None:
    plugin = write_plugin(tmp_path / "mine")
    words = (*SWEEP, plugin, "loss=deadly", "loss.seconds=0.05", "epochs=8", "loss.how=not,exit")
    first = tmp_path / "s" / "0"

    def preempt() -> None:
        wait_for(lambda: (first / "metrics.csv").exists())
        subprocess.run(["scancel", "100_0", "--signal", "USR2"], check=True)

    beside = threading.Thread(target=preempt)
    beside.start()
    outcome = run("train", *words, "hydra/launcher=submitit_slurm", "hydra.launcher.partition=gpu")
    beside.join()
    assert outcome.status == 1, outcome
    results = results_of(first)
    assert (results["status"], results["resumed"], results["epochs_run"]) == ("finished", 1, 8)
    assert "loss.how=not" in results["overrides"]
    assert results_of(tmp_path / "s" / "1")["status"] == "failed"
    assert "[1] error: job 1 ended without a result (FAILED)" in outcome.err
    assert re.search(r"\[0\] finished, validation score 0\.\d{4}", outcome.out)
    script = (slurm / "jobs" / "100.sh").read_text(encoding="utf-8")
    for line in ("--array=0-1%2", "--partition=gpu", "--time=240", "--cpus-per-task=4", "--mem=16GB", "--requeue"):
        assert f"#SBATCH {line}\n" in script
    assert "#SBATCH --signal=USR2@120\n" in script
    log = (tmp_path / "s" / ".submitit" / "100_0" / "100_0_0_log.out").read_text(encoding="utf-8")
    assert sum(line.startswith("epoch ") for line in log.splitlines()) == 8
    wait_for(lambda: json.loads((slurm / "jobs" / "100_0.json").read_text(encoding="utf-8"))["state"] == "COMPLETED")


def test_what_sbatch_refuses_is_told(run: Command, slurm: Path) -> None:
    outcome = run("train", *SWEEP, "hydra/launcher=submitit_slurm", "hydra.launcher.partition=nope")
    assert_two_lines(outcome, "the jobs can't be submitted: sbatch: error: invalid partition specified: nope")
    assert not list(slurm.glob("jobs/*.json"))
