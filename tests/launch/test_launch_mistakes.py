"""Launchers that are not there, and options that are wrong: told in two lines before anything starts."""

import sys
from pathlib import Path

import pytest

from conftest import TINY_CNN, Command, assert_two_lines

SWEEP = ("-m", *TINY_CNN, "seed=0,1")
JOBLIB = "hydra/launcher=joblib"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("hydra/launcher=jobib",), ("hydra/launcher=jobib is not a choice", "Did you mean joblib?")),
        ((JOBLIB, "hydra.launcher.n_jobs=0"), ("hydra.launcher.n_jobs=0 is out of range", "-1, or at least 1")),
        ((JOBLIB, "hydra.launcher.n_jobs=-2"), ("hydra.launcher.n_jobs=-2 is out of range",)),
        ((JOBLIB, "hydra.launcher.n_jobs=two"), ("hydra.launcher.n_jobs=two has the wrong type: it must be a whole",)),
        ((JOBLIB, "hydra.launcher.njobs=2"), ("njobs is no option", "Did you mean hydra.launcher.n_jobs?")),
        ((JOBLIB, "+hydra.launcher.njobs=2"), ("njobs is no option", "Did you mean hydra.launcher.n_jobs?")),
        ((JOBLIB, "hydra.launcher=2"), ("hydra.launcher=2: this is no option",)),
        ((JOBLIB, "~hydra.launcher.pin"), ("a sweep has one launcher, with all of its options",)),
        (("hydra/launcher=joblib,basic",), ("a sweep has one launcher",)),
        (("hydra.launcher.n_jobs=2",), ("no option of hydra/launcher=basic", "hydra/launcher=joblib has it")),
        ((JOBLIB, "hydra.launcher.partition=a"), ("partition is no option", "hydra/launcher=submitit_slurm has it")),
        (
            ("hydra/launcher=submitit_slurm",),
            ("needs SLURM's sbatch, which is not found here", "hydra/launcher=joblib"),
        ),
        (("hydra/launcher=submitit_local", "hydra.launcher.mem_gb=much"), ("must be a number or null",)),
        (("hydra/launcher=submitit_local", "hydra.launcher.nodes=2"), ("started as one process", "trainer.devices=")),
        ((JOBLIB, "hydra.sweep.subdir=one"), ("hydra.sweep.subdir=one gives jobs 0 and 1 one folder",)),
    ],
)
def test_wrong_launchers_and_options(
    words: tuple[str, ...], parts: tuple[str, ...], run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert_two_lines(run("train", *SWEEP, *words), *parts)


def test_a_launcher_without_a_sweep(run: Command) -> None:
    assert_two_lines(run("train", *TINY_CNN, JOBLIB), "is for the jobs of a sweep", "Add -m")


@pytest.mark.parametrize(
    ("name", "package", "extra"), [("joblib", "joblib", "sweep"), ("submitit_slurm", "submitit", "slurm")]
)
def test_a_launcher_that_is_not_installed(
    name: str, package: str, extra: str, run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    outcome = run("train", *SWEEP, f"hydra/launcher={name}")
    assert_two_lines(outcome, f"needs {package}, which is not installed", f"pip install 'fashseg[{extra}]'")
    assert not list(tmp_path.rglob("results.json"))
