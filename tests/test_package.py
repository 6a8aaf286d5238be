"""The package as users get it: a wheel that trains from any directory, a README whose commands are right."""

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from conftest import TINY_CNN
from fashseg.checking import check, option_paths
from fashseg.composing import compose, parse
from fashseg.config import Train
from fashseg.verb_options import Compare, Demo, Evaluate, Export, Predict, Prepare, Report

SCHEMAS = {
    "train": Train,
    "demo": Demo,
    "evaluate": Evaluate,
    "export": Export,
    "predict": Predict,
    "report": Report,
    "compare": Compare,
    "prepare": Prepare,
}

ROOT = Path(__file__).parents[1]


def test_a_wheel_holds_the_configuration_and_trains_from_any_directory(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, text=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "fashseg/conf/train.yaml" in names
    assert {"hydra_plugins/fashseg_joblib.py", "fashseg/conf/hydra/launcher/joblib.yaml"} <= set(names)
    assert "fashseg/data/facade_source_map.csv" in names
    assert {f"fashseg/pages/page.{kind}" for kind in ("html.j2", "css", "js")} <= set(names)
    assert "hydra_plugins/fashseg_optuna.py" in names
    assert not [name for name in names if "tests/" in name]
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    # An environment of its own sees the dependencies of this one, but not the checkout.
    venv.create(tmp_path / "env", with_pip=False)
    here = [path for path in sys.path if path.endswith("site-packages")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), *here])}
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        [tmp_path / "env" / "bin" / "python", "-m", "fashseg", "train", *TINY_CNN, "epochs=1", "hydra.run.dir=r"],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((work / "r" / "results.json").read_text(encoding="utf-8"))["git"] is None
    assert {path.name for path in work.iterdir()} == {"r"}


def test_the_command_knows_its_verbs(tmp_path: Path) -> None:
    def fashseg(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "fashseg", *words], cwd=tmp_path, capture_output=True, text=True)

    assert "evaluate" in fashseg("--help").stdout
    assert fashseg("--version").stdout.strip()
    wrong = fashseg("trian")
    assert wrong.returncode == 2
    assert "Did you mean train?" in wrong.stderr
    assert fashseg("train", "optimizer.lrr=1").returncode == 2


def commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"^(python -m fashseg\.\w+ [^\n#]+)", text, re.MULTILINE)))


def test_readme_starts_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.index("make demo") < text.index("make test") < text.index("python -m fashseg")
    assert len(commands()) > 5


@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_readme_is_one(command: str) -> None:
    words = [word.strip("'\"") for word in command.split()[3:] if word != "-m"]
    verb = command.split()[2].partition(".")[2]
    if verb == "train" and not any(word.startswith(("resume=", "-")) for word in words):
        plain = [re.sub(r"=([^,]+),.*", r"=\1", word) for word in words]
        check(Train, compose("train", plain))
    else:
        # Words without a value are runs to compare.
        overrides = [word for word in words if not word.startswith("-") and (verb != "compare" or "=" in word)]
        known = set(option_paths(SCHEMAS[verb])) | {"data"}
        if "weights" in known:
            known |= {"model"}  # as users write it
        assert {override.key_or_group for override in parse(overrides)} <= known
