"""Where a study is kept: a journal that survives a torn line, SQLite; what can't be used is refused in two lines."""

import errno
import json
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from stubs import a_search, no_waiting_for_the_disk, record, run  # noqa: F401

from conftest import Command, assert_two_lines
from fashseg.errors import UserError
from fashseg.sweep.storage import Storage, in_full_url, without_password
from fashseg.sweep.study import Study

SEARCH = ("train", "-m", "data=synthetic_fashion", "hydra/sweeper=optuna", "epochs=1,2")


def test_sqlite_gives_the_same_trials_as_a_journal(tmp_path: Path) -> None:
    journal = run(a_search(tmp_path / "a"))
    sqlite = run(a_search(tmp_path / "b", storage=f"sqlite:///{tmp_path}/s.db"))
    assert [trial["params"] for trial in sqlite["trials"]] == [trial["params"] for trial in journal["trials"]]
    assert len(run(a_search(tmp_path / "b", storage=f"sqlite:///{tmp_path}/s.db", n_trials=13))["trials"]) == 13


def test_line_that_was_being_written_is_taken_off(tmp_path: Path) -> None:
    run(a_search(tmp_path, n_trials=3))
    journal = tmp_path / "study.journal"
    whole = journal.read_bytes()
    lines = whole.splitlines(keepends=True)
    for kept in (len(lines[-1]) // 2, 1):
        journal.write_bytes(whole + lines[-1][:kept])
        assert [trial["state"] for trial in run(a_search(tmp_path, n_trials=3))["trials"]] == ["finished"] * 3
    other = Study(a_search(tmp_path, n_trials=4), tmp_path)
    with journal.open("ab") as file:
        file.write(lines[-1][:9])  # of a process that was killed while this one has the journal open
    assert other.claim()
    other.close()
    for line in journal.read_bytes().splitlines():
        json.loads(line)
    assert journal.read_bytes().startswith(whole)


def test_disk_that_is_full_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study(a_search(tmp_path), tmp_path)
    before = (tmp_path / "study.journal").read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            study.claim()
    assert (tmp_path / "study.journal").read_bytes() == before
    assert study.claim()
    study.close()


@pytest.mark.parametrize(
    "content", [b"\x00\x01\x02", b"hello\n", b"[1]\n", b'{"a": 1}\n', b'{"op_code": 99}\n', b'{"op_code": 4}\n']
)
def test_file_that_is_no_journal_is_refused_and_left_alone(content: bytes, run: Command, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(content)
    outcome = run(*SEARCH, "hydra.sweeper.storage=notes.txt")
    assert_two_lines(outcome, "notes.txt")
    assert (tmp_path / "notes.txt").read_bytes() == content


def test_damaged_line_within_a_journal_is_named(tmp_path: Path) -> None:
    run(a_search(tmp_path, n_trials=2))
    journal = tmp_path / "study.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3][:5] + b"\xff" + lines[3][6:]
    journal.write_bytes(b"".join(lines))
    with pytest.raises(UserError, match="line 4 can't be read"):
        Study(a_search(tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("storage", "parts"),
    [
        ("sqlite:///no.db", ["no.db can't be used: file is not a database", "Choose another"]),
        ("/proc/nowhere/study.journal", ["/proc/nowhere can't be written to"]),
        (".", ["is a folder"]),
        ("mysql://u:secret@h/d", ["mysql://u:***@h/d is no storage"]),
        (
            "postgresql://u:secret@127.0.0.1:9/d",
            ["postgresql+psycopg://u:***@127.0.0.1:9/d can't be used", "PGPASSWORD"],
        ),
    ],
)
def test_storage_that_cant_be_used_is_said_without_its_password(
    storage: str, parts: list[str], run: Command, tmp_path: Path
) -> None:
    (tmp_path / "no.db").write_bytes(b"no database at all, but long enough to be one, and longer" * 20)
    if "psycopg" in parts[0]:
        pytest.importorskip("psycopg")
    outcome = run(*SEARCH, f"hydra.sweeper.storage='{storage}'")
    assert_two_lines(outcome, *parts)
    assert "secret" not in outcome.err
    assert not list(tmp_path.glob("outputs/sweep/*/[0-9]*"))


def test_passwords_are_not_shown() -> None:
    assert without_password("postgresql://me:a:b@c@host/db") == "postgresql://me:***@host/db"
    assert without_password("hydra.sweeper.storage=postgresql://h/d?password=x&a=1") == (
        "hydra.sweeper.storage=postgresql://h/d?password=***&a=1"
    )
    assert without_password("postgresql://me@host:5432/db") == "postgresql://me@host:5432/db"


def test_url_means_the_same_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert in_full_url(None, Path("s")) == str(tmp_path / "s" / "study.journal")
    assert in_full_url("x.journal", Path("s")) == str(tmp_path / "x.journal")
    assert in_full_url("sqlite:///x.db", Path("s")) == f"sqlite:///{tmp_path}/x.db"
    assert in_full_url("postgres://h/d", Path("s")) == "postgresql+psycopg://h/d"


def hold(url: str, ready: Any) -> None:
    with Storage(url, "mine").lock():
        ready.set()
        signal.pause()


def test_lock_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    search = a_search(tmp_path)
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold, args=(search.storage, ready))
    process.start()
    assert ready.wait(60)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    study = Study(search, tmp_path)
    assert study.claim()
    study.close()


def test_password_is_in_no_file(tmp_path: Path) -> None:
    search = a_search(tmp_path)
    search.command = "python -m fashseg.train " + without_password("hydra.sweeper.storage=postgresql://me:secret@h/d")
    run(search)
    assert "secret" not in str(record(tmp_path))
