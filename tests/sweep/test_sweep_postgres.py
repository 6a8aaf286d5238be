"""A study on a PostgreSQL server, which several machines can reach."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from postgres import postgres  # noqa: F401
from stubs import a_search, no_waiting_for_the_disk, owner_gone, run  # noqa: F401
from test_sweep_storage import hold

from fashseg.errors import UserError
from fashseg.sweep.outcome import FINISHED, Outcome
from fashseg.sweep.study import Study


def test_study_on_a_server(postgres: str, tmp_path: Path) -> None:  # noqa: F811
    search = a_search(tmp_path / "server", storage=postgres)
    content = run(search)
    journal = run(a_search(tmp_path / "journal"))
    assert [trial["params"] for trial in content["trials"]] == [trial["params"] for trial in journal["trials"]]
    assert "secret" not in (tmp_path / "server" / "study.json").read_text()


def test_two_on_a_server_share_the_trials_and_find_a_lost_one_once(postgres: str, tmp_path: Path) -> None:  # noqa: F811
    searches = [a_search(tmp_path / name, storage=postgres, n_trials=4) for name in "ab"]
    for search in searches:
        search.study_name = "shared"
    one, two = (Study(search, search.folder) for search in searches)
    lost = one.claim()
    assert lost
    owner_gone(one, lost.number)
    claims = [study.claim() for study in (two, one, two, one, two)]
    assert [claim.number if claim else None for claim in claims] == [1, 2, 3, 4, None]
    assert [claim.replaces for claim in claims if claim] == [0, None, None, None]
    for study, claim in zip((two, one, two, one), claims, strict=False):
        assert claim
        study.tell(claim.number, Outcome(FINISHED, (1.0,)))
    assert one.ended == two.ended == 4
    one.close()
    two.close()


def test_lock_of_a_killed_process_is_free_at_once(postgres: str, tmp_path: Path) -> None:  # noqa: F811
    search = a_search(tmp_path, storage=postgres)
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold, args=(search.storage, ready))
    process.start()
    assert ready.wait(60)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    study = Study(search, tmp_path)
    study.close()


def test_wrong_password_is_said_and_not_shown(postgres: str, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(UserError) as refused:
        Study(a_search(tmp_path, storage=postgres.replace("a%3Ab%40secret", "hunter2")), tmp_path)
    assert "password authentication failed" in str(refused.value)
    assert "hunter2" not in str(refused.value)
