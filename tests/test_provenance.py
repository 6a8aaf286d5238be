"""What is noted about the code of a run."""

import importlib.util
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fashseg import provenance


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout that holds the module as this one does, not committed yet."""
    package = tmp_path / "src" / "fashseg"
    package.mkdir(parents=True)
    shutil.copy(provenance.__file__, package)
    (tmp_path / "conf").mkdir()
    git(tmp_path, "init", "--quiet")
    return tmp_path


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *who, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def state_of(checkout: Path) -> dict[str, Any] | None:
    spec = importlib.util.spec_from_file_location("copied", checkout / "src" / "fashseg" / "provenance.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    state: dict[str, Any] | None = module.git_state()
    return state


def test_without_a_commit_of_this_code_there_is_no_state(checkout: Path) -> None:
    assert state_of(checkout) is None  # nothing is tracked
    git(checkout, "add", "src")
    assert state_of(checkout) is None  # nothing is committed
    shutil.rmtree(checkout / ".git")
    assert state_of(checkout) is None


def change_code(checkout: Path) -> None:
    with (checkout / "src" / "fashseg" / "provenance.py").open("a", encoding="utf-8") as file:
        file.write("\n")


def add_a_choice(checkout: Path) -> None:
    (checkout / "conf" / "mine.yaml").touch()


def add_something_else(checkout: Path) -> None:
    (checkout / "notes.txt").touch()


@pytest.mark.parametrize(
    ("change", "dirty"),
    [(change_code, True), (add_a_choice, True), (add_something_else, False)],
    ids=["code", "conf", "elsewhere"],
)
def test_the_state_names_the_commit_and_what_differs(
    checkout: Path, change: Callable[[Path], None], dirty: bool
) -> None:
    (checkout / ".gitignore").write_text("__pycache__\n", encoding="utf-8")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "-m", "first")
    commit = git(checkout, "rev-parse", "HEAD")
    assert state_of(checkout) == {"commit": commit, "dirty": False}
    change(checkout)
    assert state_of(checkout) == {"commit": commit, "dirty": dirty}
