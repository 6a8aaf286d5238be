"""What is wrong with a tracker is told before anything is trained, and before torch is loaded."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import TINY_CNN, Command, assert_two_lines
from loggers.tracked import empty_store, made_store, nobody_logged_in, store

__all__ = ["empty_store", "made_store", "nobody_logged_in"]

# As in an environment without the extras.
WITHOUT = """
import json, sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(name)

ABSENT = sys.argv.pop(1).split(",")
sys.meta_path.insert(0, Absent())
import importlib.util
plain = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in ABSENT else plain(name, *more)
from fashseg import train
status = train.main(sys.argv[1:])
print("LOADED", json.dumps({"status": status, "torch": "torch" in sys.modules}))
"""


@pytest.mark.parametrize(
    ("absent", "logger", "missing"),
    [
        ("mlflow,alembic", "[tensorboard,mlflow]", "mlflow and alembic, which are"),
        ("wandb", "wandb", "wandb, which is"),
    ],
)
def test_a_package_that_is_missing(absent: str, logger: str, missing: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT, absent, *TINY_CNN, f"logger={logger}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True)
    assert json.loads(done.stdout.split("LOADED ")[1]) == {"status": 2, "torch": False}
    assert f"needs {missing} not installed." in done.stderr
    assert "pip install 'fashseg[" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert not list(tmp_path.iterdir())


REFUSED = {
    "nobody listens": (["logger=mlflow", "logger.mlflow_uri=http://127.0.0.1:9"], ["127.0.0.1:9", "refused"]),
    "no such database": (["logger=mlflow", "logger.mlflow_uri=postgresql://127.0.0.1:9/x"], ["127.0.0.1:9"]),
    "no store": (["logger=mlflow", "logger.mlflow_uri=nonsense://x"], ["nonsense://x"]),
    "files": (["logger=mlflow", "logger.mlflow_uri=./mlruns"], ["./mlruns", "can't be used"]),
    "no folder": (["logger=mlflow", "logger.mlflow_uri=sqlite:////proc/none/m.db"], ["/proc/none"]),
    "port": (["logger=mlflow", "logger.mlflow_uri=http://h:99999999"], ["can't be used"]),
    "password": (["logger=mlflow", "logger.mlflow_uri=http://me:secretly@h/"], ["MLFLOW_TRACKING_URI"]),
    "not logged in": (["logger=wandb", "logger.wandb_mode=online"], ["not logged in", "wandb_mode=offline"]),
    "mode": (["logger=wandb", "logger.wandb_mode=on"], ["wandb_mode=on ", "auto, online, offline"]),
    "no choice": (["logger=nope"], ["csv, mlflow, none, tensorboard, wandb"]),
    "none of a list": (["logger=[mlflow,nope]"], ["nope"]),
    "project": (["logger=mlflow", "logger.project="], ["logger.project"]),
    "of a sweep": (["-m", "seed=0,1", "logger=mlflow", "logger.mlflow_uri=http://127.0.0.1:9"], ["127.0.0.1:9"]),
}


@pytest.mark.parametrize(("words", "parts"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_used(run: Command, tmp_path: Path, words: list[str], parts: list[str]) -> None:
    outcome = run("train", *TINY_CNN, *words)
    assert_two_lines(outcome, *parts)
    assert "secretly" not in outcome.err
    assert not (tmp_path / "outputs" / "cnn").exists()
    assert not (tmp_path / "outputs" / "sweep").exists()


def test_a_key_that_is_none_is_not_shown(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "much too short")
    outcome = run("train", *TINY_CNN, "logger=wandb")
    assert_two_lines(outcome, "wandb login")
    assert "much too short" not in outcome.err


def test_a_run_goes_on_with_its_own_trackers_of_which_each_can_be_switched(
    run: Command, trained_once: Callable[[str], Path]
) -> None:
    folder = trained_once("cnn")
    assert_two_lines(run("train", f"resume={folder}", "epochs=3", "logger=mlflow"), "logger.NAME=VALUE", "mlflow")


def test_two_switches_that_disagree(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert_two_lines(run("train", *TINY_CNN, "logger=wandb", "logger.wandb_mode=online"), "WANDB_MODE=offline")


@pytest.mark.usefixtures("empty_store")
def test_an_experiment_that_was_deleted(run: Command) -> None:
    from mlflow import MlflowClient

    from fashseg.trackers.mlflow_store import mlflow_settings

    with mlflow_settings():
        client = MlflowClient(store())
        client.delete_experiment(client.create_experiment("fashseg"))
    assert_two_lines(run("train", *TINY_CNN, "logger=mlflow"), "was deleted", "logger.project")
