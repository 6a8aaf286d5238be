"""``prepare``: each data set has its entry, and what is there is counted and verified."""

from pathlib import Path

import pytest

from conftest import Command, assert_two_lines
from data.serving import Answer, closed_port, serving
from data.tiny import fashion_files, md5
from fashseg.config import CHOICES
from fashseg.data import fashion_mnist
from fashseg.prepare.table import PREPARERS, preparer


def test_every_data_set_can_be_prepared() -> None:
    assert set(PREPARERS) <= set(CHOICES["data"])
    for name in CHOICES["data"]:
        assert callable(preparer(name)), name


@pytest.mark.parametrize("name", ["synthetic_fashion", "synthetic_facade"])
def test_what_is_drawn_needs_nothing(name: str, run: Command, tmp_path: Path) -> None:
    outcome = run("prepare", f"data={name}")
    assert outcome.status == 0
    assert "nothing is to be prepared" in outcome.out
    assert not list(tmp_path.iterdir())


def test_what_is_missing_is_fetched_verified_and_counted(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = fashion_files(n_train=20, n_test=10)
    known = {name: md5(content) for name, content in files.items()}
    monkeypatch.setattr(fashion_mnist, "FILES", known)
    monkeypatch.setattr(fashion_mnist.read_fashion_mnist, "__defaults__", (fashion_mnist.MIRRORS, True, known))
    with serving({name: Answer(content) for name, content in files.items()}) as server:
        outcome = run("prepare", "data=fashion_mnist", f"mirrors=['{server.url}']")
        assert outcome.status == 0, outcome.err
        assert sorted(server.asked) == sorted(files)
        again = run("prepare", "data=fashion_mnist", f"mirrors=['{server.url}']")
        assert len(server.asked) == len(files), "nothing is fetched twice"
    assert "4 files to fetch" in outcome.out
    assert "20 training and 10 test images, 28x28, grey" in outcome.out
    assert "all files are there" in again.out
    assert str(tmp_path / "data" / fashion_mnist.FOLDER) in again.out


@pytest.mark.parametrize(
    ("words", "parts"),
    {
        "no such data set": (["data=facad"], ["Did you mean facade?"]),
        "no such option": (["data=facade", "data.download=true"], ["data.download", "fashion_mnist"]),
        "a sweep": (["-m", "data=facade,fashion_mnist"], ["-m is for train"]),
        "nobody's home": (["data.root='~no_such_user_x'"], ["there is no such user"]),
        "no connection": (["data.download=false"], ["downloading is switched off", "train-images"]),
        "rebuild of no truth value": (["rebuild=perhaps"], ["rebuild=perhaps", "true or false"]),
    }.values(),
    ids=lambda value: value[-1] if isinstance(value, list) else None,
)
def test_what_is_wrong_is_said_in_two_lines(words: list[str], parts: list[str], run: Command, tmp_path: Path) -> None:
    assert_two_lines(run("prepare", *words), *parts)
    assert not list(tmp_path.iterdir())


def test_no_mirror_that_answers(run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fashion_mnist, "MIRRORS", ())
    outcome = run("prepare", "data=fashion_mnist", f"mirrors=['{closed_port()}']")
    assert "downloading failed" in outcome.err
    assert outcome.status == 2
    assert not list(tmp_path.iterdir())
