"""How soon a command is at work: what it does not load, and that it keeps up with the least that there is."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from bench import start
from conftest import TINY_CNN, TINY_SEGNET

# Each of them takes longer to load than all that is said before a run begins.
HEAVY = (
    *("torch", "pytorch_lightning", "torchmetrics", "torchvision", "numpy", "PIL", "matplotlib", "tensorboard"),
    *("torch.utils.tensorboard", "google.protobuf", "jinja2", "rich", "sklearn", "scipy", "pandas", "onnx"),
    *("gradio", "fastapi", "mlflow", "wandb", "sqlalchemy"),
)

# What is needed when the first epoch is through, or at the end of the run.
FOR_LATER = ("tensorboard", "torch.utils.tensorboard", "google.protobuf", "jinja2", "fashseg.report.making")

SHORT = {
    "help": ["--help"],
    "configuration": ["--cfg", "job"],
    "unknown option": ["optimizer.lrr=1"],
    "unknown choice": ["model=nope"],
    "out of range": ["epochs=-1"],
}

# Runs the words of the command line and tells which modules it has loaded.
MODULES_AT_END = """
import json, runpy, sys
try:
    runpy.run_module("fashseg", run_name="__main__", alter_sys=True)
except SystemExit as end:
    print("LOADED", json.dumps({"status": end.code, "modules": sorted(sys.modules)}))
"""

# Trains, and tells at the first step of an epoch how things stand.
AT_A_STEP = """
import gc, json, os, sys
from fashseg import train
from fashseg.importing import heavy_imports

with heavy_imports():
    from fashseg.tasks.base import Task

epoch, original = int(sys.argv[1]), Task.training_step

def step(task, *batch):
    if task.current_epoch < epoch:
        return original(task, *batch)
    kept = {"collects": gc.isenabled(), "frozen": gc.get_freeze_count()}
    print("LOADED", json.dumps({"modules": sorted(sys.modules), **kept}), flush=True)
    os._exit(0)

Task.training_step = step
train.main(sys.argv[2:])
"""

LIGHTNING_ALONE = """
import json, sys, pytorch_lightning
print("LOADED", json.dumps({"modules": sorted(sys.modules)}))
"""


def loaded(program: str, folder: Path, *words: str) -> dict[str, Any]:
    """What a program tells about its modules."""
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("LOADED ")] or [done.stderr]
    content: dict[str, Any] = json.loads(line.removeprefix("LOADED "))
    return {**content, "said": done.stderr}


def test_a_folder_that_cannot_be_trained_on_is_refused_before_torch_is_loaded(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "own" / name).mkdir(parents=True)
        (tmp_path / "own" / name / "text.jpg").write_text("no picture", encoding="utf-8")
    own = ["model=cnn", "data=image_folder"]
    facades = (["model=segnet", f"data={name}", "data.root=absent"] for name in ("facade", "cmp_facade"))
    for words in ([*own, "data.root=absent"], [*own, "data.root=own"], *facades):
        found = loaded(MODULES_AT_END, tmp_path, "train", *words)
        assert found["status"] == 2
        assert "torch" not in found["modules"]
        assert not (tmp_path / "outputs").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is the device that is to be missing")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "trainer=gpu"], "finds no such device"),
        (["predict", "model=facade", "x.png", "trainer=gpu"], "finds no such device"),
        (["predict", "model=facade", "x.png", "invert=true"], "invert=true is not for segmentation"),
        (["predict", "model=fashion", "x.png", "short_side=99"], "short_side=99 is not for classification"),
    ],
)
def test_what_does_not_fit_is_refused_before_torch_is_loaded(words: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "x.png").touch()
    found = loaded(MODULES_AT_END, tmp_path, *words)
    assert found["status"] == 2
    assert "torch" not in found["modules"]
    assert said in found["said"]


@pytest.mark.parametrize("words", SHORT.values(), ids=SHORT)
def test_nothing_heavy_is_loaded_before_a_run_begins(words: list[str], tmp_path: Path) -> None:
    found = loaded(MODULES_AT_END, tmp_path, "train", *words)
    assert found["status"] == (0 if words[0].startswith("--") else 2)
    assert not set(HEAVY) & set(found["modules"])


@pytest.mark.parametrize("words", [["--help"], ["run=nope"]], ids=["help", "error"])
@pytest.mark.parametrize("verb", ["evaluate", "report", "compare", "export", "predict", "prepare", "demo"])
def test_nothing_heavy_is_loaded_for_the_other_commands(verb: str, words: list[str], tmp_path: Path) -> None:
    words = ["nope"] if verb == "compare" and words[0] != "--help" else words
    found = loaded(MODULES_AT_END, tmp_path, verb, *words)
    assert found["status"] == (0 if words[0].startswith("--") else 2)
    assert not set(HEAVY) & set(found["modules"])


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What Lightning loads by itself."""
    return set(loaded(LIGHTNING_ALONE, tmp_path_factory.mktemp("alone"))["modules"])


@pytest.mark.parametrize("options", [TINY_CNN, TINY_SEGNET], ids=["cnn", "segnet"])
def test_the_first_step_waits_for_nothing_but_lightning(
    options: tuple[str, ...], brought: set[str], tmp_path: Path
) -> None:
    found = loaded(AT_A_STEP, tmp_path, "0", *options, "page=true", "logger=tensorboard")
    late = set(found["modules"]) & set(HEAVY + FOR_LATER) - brought
    assert not late
    assert found["collects"]
    assert found["frozen"] > 100_000  # what was loaded is left alone by the garbage collector


def test_the_end_of_a_run_is_loaded_with_its_first_epoch(tmp_path: Path) -> None:
    """So that a run of hours ends with the code that it began with."""
    found = loaded(AT_A_STEP, tmp_path, "1", *TINY_CNN, "page=true", "logger=tensorboard")
    assert set(FOR_LATER) <= set(found["modules"])
    found = loaded(AT_A_STEP, tmp_path, "1", *TINY_CNN, "page=false", "logger=none")
    assert not {"tensorboard", "jinja2"} & set(found["modules"])


def test_a_process_that_has_loaded_everything_ends_in_silence(tmp_path: Path) -> None:
    program = "from fashseg.importing import heavy_imports\nwith heavy_imports():\n    import pytorch_lightning"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout + done.stderr == ""


def least(commands: list[list[str]], folder: Path, rounds: int) -> list[float]:
    """Least processor times of commands that run in turn: others on the machine only add to them."""
    times = [[start.run_once(command, folder)[1] for command in commands] for _ in range(rounds)]
    return [min(of_one) for of_one in zip(*times, strict=True)]


@pytest.mark.alone
def test_short_commands_take_hardly_longer_than_an_empty_hydra_program(tmp_path: Path) -> None:
    empty = tmp_path / "empty.py"
    empty.write_text(start.EMPTY_HYDRA, encoding="utf-8")
    short = [[sys.executable, "-m", "fashseg.train", *words] for words in SHORT.values()]
    against, *mine = least([[sys.executable, str(empty), "--help"], *short], tmp_path, rounds=5)
    assert {name: time for name, time in zip(SHORT, mine, strict=True) if time > 1.5 * against} == {}, against


@pytest.mark.alone
def test_the_first_step_comes_hardly_later_than_lightning(tmp_path: Path) -> None:
    command = [sys.executable, "-c", start.FIRST_STEP, "train", *TINY_CNN, "logger=tensorboard"]
    mine, against = least([command, [sys.executable, "-c", start.IMPORT_LIGHTNING]], tmp_path, rounds=2)
    assert mine < 1.5 * against
