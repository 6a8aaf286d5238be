"""Folders that are no friendly ones: loops of links, folders nobody may look into, depths, and thousands of files."""

import codecs
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_runs import make_run

from conftest import Command, assert_two_lines
from fashseg.compare import runs
from fashseg.compare.noise import measure
from fashseg.compare.rows import group_runs
from fashseg.compare.runs import find_runs
from fashseg.errors import UserError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*words: str) -> list[str]:
    return [run.name for run in find_runs(words)[0]]


def test_loops_of_links_end(here: Path, run: Command) -> None:
    make_run(here / "all" / "a" / "run")
    (here / "all" / "up").symlink_to(here / "all")
    (here / "all" / "a" / "up").symlink_to("..")
    (here / "all" / "itself").symlink_to("itself")
    (here / "all" / "one").symlink_to("two")
    (here / "all" / "two").symlink_to("one")
    (here / "all" / "gone").symlink_to("nowhere")
    assert names("all", "all/up", "all/a/up/a") == ["all/a/run"]
    for word in ("all/itself", "all/gone"):
        assert_two_lines(run("compare", word), word)


def test_a_tree_deeper_than_python_calls_is_looked_through(here: Path) -> None:
    make_run(here / "all" / "z")
    os.chdir(here / "all")
    for _ in range(1500):
        os.mkdir("d")  # noqa: PTH102 - the whole path would be too long
        os.chdir("d")
    os.chdir(here)
    assert names("all") == ["all/z"]
    subprocess.run(["rm", "-r", here / "all"], check=True)  # which pytest could not


def test_ten_thousand_files_take_seconds(here: Path) -> None:
    make_run(here / "all" / "z")
    for folder in range(100):
        (here / "all" / str(folder)).mkdir()
        for file in range(100):
            (here / "all" / str(folder) / f"{file}.txt").touch()
    start = time.perf_counter()
    assert names("all") == ["all/z"]
    assert time.perf_counter() - start < 5


def test_more_folders_than_anybody_has_are_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MOST_FOLDERS", 50)
    for folder in range(60):
        (here / "all" / str(folder)).mkdir(parents=True)
    with pytest.raises(UserError, match="too many to look through"):
        find_runs(["all"])


@pytest.fixture
def as_somebody() -> Iterator[Path]:
    """A folder in which this process has no more rights than anybody; it may be root's."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    before, user = Path.cwd(), os.geteuid()
    os.chdir(folder)
    codecs.lookup("cp437")  # names in .npz files; what Python can't import as somebody else, it never tries again
    yield folder
    os.seteuid(user)
    os.chdir(before)
    for path in folder.glob("all/**/"):
        path.chmod(0o755)
    shutil.rmtree(folder)


def test_what_nobody_may_look_into_is_passed_over(as_somebody: Path) -> None:
    here = as_somebody
    for name in ("good", "secret/run", "closed", "half"):
        make_run(here / "all" / name)
    (here / "all" / "secret").chmod(0)
    (here / "all" / "closed" / "results.json").chmod(0)
    (here / "all" / "half" / "config.yaml").chmod(0)
    (here / "all" / "half" / "evidence").chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)
    found, unreadable = find_runs(["all"])
    assert {run.name: run.options is None for run in found} == {"all/good": False, "all/half": True}
    assert [other.name for other in unreadable] == ["all/closed"]
    (group, *_) = group_runs(found)
    assert "evidence/test.npz can't be read" in measure(group, 100).missing["all/half"]
    for word in ("all/secret", "all/secret/run", "all/closed"):
        with pytest.raises(UserError, match=word):
            find_runs([word])


def test_curves_of_numbers_that_no_chart_has_room_for(here: Path, run: Command) -> None:
    header = "epoch,train_loss_running,train_loss,val_loss,val_accuracy"
    huge = ["1,1e300,-1e308,1e40,0.5", "2,0.5,1e308,nan,1e39", "1e308,0.4,inf,0.1,-1e300", "3,0.3,1e38,-1e38,0.6"]
    none = ["epoch,0.4,0.4,0.4,0.4", ",0.4,0.4,0.4,0.4"]
    for name, rows in {"a": huge, "b": ["1,1,1,1,1"], "c": none, "d": [*huge, *none]}.items():
        (make_run(here / name) / "metrics.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    epochs = {each.name: [row["epoch"] for row in each.epochs] for each in find_runs(["."])[0]}
    assert epochs == {"a": [1, 2, 3], "b": [1], "c": [], "d": [1, 2, 3]}
    outcome = run("compare", "a", "b", "c", "d")
    assert (outcome.status, outcome.err) == (0, "")
    assert "</html>" in (here / "compare.html").read_text(encoding="utf-8")
