"""Two processes against one: scores, files, what is printed, sweeps, and checkpoints between the ways to train."""

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from amounts import SLOW
from conftest import TINY_CNN, Command, results_of, weights
from fashseg import train

# 303 images, of which 273 are trained on, and 51: neither can be halved.
WORDS = [word for word in TINY_CNN if not word.startswith(("data.t", "eval_batch", "page"))]
WORDS += ["data.train_images=303", "data.test_images=51", "eval_batch_size=25", "trainer.precision=32", "logger=none"]


class Ended(NamedTuple):
    """What a command has left."""

    folder: Path
    out: str
    err: str


def started(words: list[str], place: Path, **variables: str) -> Ended:
    """A run in a process of its own, in an empty folder."""
    place.mkdir()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return Ended(next((place / "outputs" / "cnn").iterdir()), done.stdout, done.stderr)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One process, 64 images a step."""
    folder = tmp_path_factory.mktemp("alone") / "r"
    assert train.main([*WORDS, "batch_size=64", f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture(scope="module")
def by_torchrun(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Two processes that torchrun starts, of 32 images each."""
    torchrun = ["torch.distributed.run", "--nproc-per-node=2", "-m"]
    return started([*torchrun, "fashseg.train", *WORDS, "batch_size=32"], tmp_path_factory.mktemp("torchrun") / "c")


def files(folder: Path) -> list[str]:
    """All of them."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def numbers(tree: Any) -> list[float]:
    """All of them, in their order."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list):
        return [number for part in tree for number in numbers(part)]
    return [float("nan") if tree is None else float(tree)]


def assert_same_scores(one: Path, two: Path) -> None:
    """Counts are equal, all else to a millionth: sums of half the images are added up in another order."""
    first, second = results_of(one), results_of(two)
    for part in ("val", "test"):
        assert first[part]["confusion_matrix"] == second[part]["confusion_matrix"]
        np.testing.assert_allclose(numbers(first[part]), numbers(second[part]), rtol=0, atol=1e-6)
    rows = [
        [{k: float(v) for k, v in row.items() if v and k != "seconds"} for row in csv.DictReader(text.splitlines())]
        for text in ((folder / "metrics.csv").read_text(encoding="utf-8") for folder in (one, two))
    ]
    assert len(rows[0]) == len(rows[1])
    for left, right in zip(*rows, strict=True):
        assert left == pytest.approx(right, abs=1e-6)


def test_scores_are_those_of_one_process(alone: Path, by_torchrun: Ended) -> None:
    assert_same_scores(alone, by_torchrun.folder)
    one, two = weights(alone), weights(by_torchrun.folder)
    assert max(float((one[key] - two[key]).abs().max()) for key in one) < 1e-5
    assert sum(map(sum, results_of(by_torchrun.folder)["test"]["confusion_matrix"])) == 51
    assert results_of(by_torchrun.folder)["processes"] == 2


def test_the_page_shows_all_images_in_their_order(alone: Path, by_torchrun: Ended) -> None:
    for part in ("val", "test"):
        one, two = (np.load(folder / "evidence" / f"{part}.npz") for folder in (alone, by_torchrun.folder))
        assert set(one) == set(two)
        for name in set(one) - {"weights"}:
            if one[name].dtype.kind == "f":
                np.testing.assert_allclose(one[name], two[name], rtol=0, atol=1e-3)
            else:
                assert np.array_equal(one[name], two[name]), name
    assert (by_torchrun.folder / "report.html").stat().st_size > 10_000


def test_only_the_first_process_writes_and_speaks(alone: Path, by_torchrun: Ended) -> None:
    assert files(by_torchrun.folder) == files(alone)
    outputs = by_torchrun.folder.parents[1]
    assert sorted(path.name for path in outputs.iterdir()) == ["cnn", "latest"]
    assert len(list((outputs / "cnn").iterdir())) == 1, "one folder"
    assert by_torchrun.out.count("epoch 1/2") == by_torchrun.out.count("Accuracy on synthetic data") == 1
    assert "error" not in by_torchrun.err
    assert "sync_dist" not in (by_torchrun.folder / "run.log").read_text(encoding="utf-8")


def test_a_sweep_of_jobs_of_two_processes(run: Command, alone: Path, tmp_path: Path) -> None:
    """Each job has its own folder, and its own processes, which no other job's can be taken for."""
    words = [word for word in WORDS if not word.startswith("epochs")]
    jobs = ["epochs=2,1", "batch_size=32", "trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2"]
    done = run("train", "-m", *words, *jobs, "hydra.sweep.dir=s", "page=false")
    assert done.status == 0, done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s"], "no folder but that of the sweep"
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == ["0", "1", "multirun.yaml"]
    assert [results_of(tmp_path / "s" / job)["epochs_run"] for job in "01"] == [2, 1]
    assert_same_scores(alone, tmp_path / "s" / "0")
    assert os.environ.get("MASTER_PORT") is None, "nothing stays for the next command"


def test_a_run_in_shards_goes_on_in_one_process_and_the_other_way_round(
    run: Command, alone: Path, tmp_path: Path
) -> None:
    """The whole state of the optimizer is in the checkpoint, and is taken from it."""
    words = [*(word for word in WORDS if not word.startswith("epochs")), "page=false"]
    shards = ["trainer=fsdp", "trainer.accelerator=cpu", "trainer.devices=2", "batch_size=32"]
    assert run("train", *words, "epochs=1", *shards, "hydra.run.dir=r").status == 0
    again = ["trainer.devices=1", "trainer.strategy=auto", "batch_size=64"]
    done = run("train", "resume=r", "epochs=2", *again)
    assert done.status == 0, done.err
    assert "of 64 images from here on" not in done.out, "a step has as many as before"
    assert_same_scores(alone, tmp_path / "r")
    if SLOW:
        assert run("train", *words, "epochs=1", "batch_size=64", "hydra.run.dir=t").status == 0
        back = [word for word in shards if not word.startswith("trainer=")]
        assert run("train", "resume=t", "epochs=2", *back, "trainer.strategy=fsdp").status == 0
        assert_same_scores(alone, tmp_path / "t")


@pytest.mark.skipif(not SLOW, reason="make test-slow")
def test_two_machines_and_slurm(alone: Path, tmp_path: Path) -> None:
    """On the loopback, with the variables that srun sets."""
    shared = {"SLURM_JOB_ID": str(os.getpid()), "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2"}
    shared |= {"SLURM_STEP_NUM_NODES": "2", "SLURM_STEP_TASKS_PER_NODE": "1(x2)", "SLURM_STEP_NODELIST": "localhost"}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "SLURM_LOCALID": "0", **shared}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "fashseg.train", *WORDS, "batch_size=32"],
            cwd=tmp_path,
            env={**environment, "SLURM_PROCID": str(rank), "SLURM_NODEID": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=240)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert not said[1]
    (folder,) = (tmp_path / "outputs" / "cnn").iterdir()
    assert_same_scores(alone, folder)
