"""What has arrived of a file is not asked for again, whatever has stopped it, and one process at a time goes on."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from serving import Answer, serving
from tiny import md5, tree

from fashseg.data import partial
from fashseg.data.download import DownloadError, fetch

BODY = bytes(range(256)) * 2000
MD5 = md5(BODY)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


CUT = Answer(BODY, cut=300_000, ranges=True)
WHOLE = Answer(BODY, ranges=True)
PART = ".a.gz.part"


def test_what_has_arrived_before_a_cut_stays(tmp_path: Path) -> None:
    with serving({"a.gz": CUT}) as server, pytest.raises(DownloadError, match="ended after 300,000 of 512,000 bytes"):
        fetch("a.gz", tmp_path / "x", MD5, [server.url])
    assert tree(tmp_path / "x") == {PART: BODY[:300_000]}


def test_a_stall_is_a_cut(tmp_path: Path) -> None:
    with serving({"a.gz": CUT._replace(stalls=True)}) as server, pytest.raises(DownloadError, match="timed out"):
        fetch("a.gz", tmp_path, MD5, [server.url], timeout=0.2)
    assert tree(tmp_path) == {PART: BODY[:300_000]}


def test_the_next_command_goes_on_where_the_last_one_was_cut(tmp_path: Path) -> None:
    answers = {"a.gz": CUT}
    with serving(answers) as server:
        for _ in range(2):
            with pytest.raises(DownloadError):
                fetch("a.gz", tmp_path, MD5, [server.url])
            answers["a.gz"] = CUT._replace(cut=100_000)
        answers["a.gz"] = WHOLE
        fetch("a.gz", tmp_path, MD5, [server.url])
        assert server.ranges == [None, "bytes=300000-", "bytes=400000-"]
        assert server.sent == [300_000, 100_000, 112_000]
    assert tree(tmp_path) == {"a.gz": BODY}


def test_the_next_mirror_goes_on_where_the_last_one_was_cut(tmp_path: Path) -> None:
    with serving({"1/a.gz": CUT, "3/a.gz": WHOLE}) as server:
        fetch("a.gz", tmp_path, MD5, [f"{server.url}{number}/" for number in (1, 2, 3)])
        assert server.ranges == [None, "bytes=300000-", "bytes=300000-"]
        assert server.sent[2] == 212_000
    assert tree(tmp_path) == {"a.gz": BODY}


AFTER_A_CUT = {  # the second mirror, and what it is asked for
    "no ranges": (Answer(BODY), ["bytes=300000-"]),
    "no length": (Answer(BODY, length=None), ["bytes=300000-"]),
    "range of another start": (WHOLE._replace(says="bytes 0-511999/512000"), ["bytes=300000-", None]),
    "range of another end": (WHOLE._replace(says="bytes 300000-400000/512000"), ["bytes=300000-", None]),
    "range without a meaning": (WHOLE._replace(says="bytes all"), ["bytes=300000-", None]),
    "total unknown": (WHOLE._replace(says="bytes 300000-511999/*"), ["bytes=300000-"]),
}


@pytest.mark.parametrize("case", AFTER_A_CUT)
def test_servers_that_do_not_go_on_are_asked_for_all(tmp_path: Path, case: str) -> None:
    answer, ranges = AFTER_A_CUT[case]
    with serving({"1/a.gz": CUT, "2/a.gz": answer}) as server:
        fetch("a.gz", tmp_path, MD5, [server.url + "1", server.url + "2"])
        assert server.ranges == [None, *ranges]
    assert tree(tmp_path) == {"a.gz": BODY}


def test_a_part_that_nobody_asked_for_is_refused(tmp_path: Path) -> None:
    with (
        serving({"1/a.gz": CUT, "2/a.gz": Answer(BODY, status=206)}) as server,
        pytest.raises(DownloadError, match="HTTP 206 where all of the file was asked for"),
    ):
        fetch("a.gz", tmp_path, MD5, [server.url + "1", server.url + "2"])
    assert tree(tmp_path) == {PART: BODY[:300_000]}


@pytest.mark.parametrize("old", [b"?" * 300_000, b"?" * 512_000, b"?" * 600_000, b"?" * 2_000_000])
def test_bytes_of_another_file_are_thrown_away(tmp_path: Path, old: bytes) -> None:
    """It has changed between two attempts, or another mirror has another one."""
    (tmp_path / PART).write_bytes(old)
    with serving({"a.gz": WHOLE}) as server:
        fetch("a.gz", tmp_path, MD5, [server.url], max_bytes=1_000_000)
        assert server.ranges == ([f"bytes={len(old)}-", None] if len(old) < 1_000_000 else [None])
    assert tree(tmp_path) == {"a.gz": BODY}


def test_wrong_bytes_behind_the_right_start_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / PART).write_bytes(BODY[:300_000])
    with (
        serving({"a.gz": WHOLE._replace(body=BODY[:-1] + b"?")}) as server,
        pytest.raises(DownloadError, match="wrong bytes"),
    ):
        fetch("a.gz", tmp_path, MD5, [server.url])
    assert server.ranges == ["bytes=300000-", None], "once more from the start, and no more than once"
    assert tree(tmp_path) == {}


def test_a_download_that_was_whole_but_not_renamed_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / PART).write_bytes(BODY)
    fetch("a.gz", tmp_path, MD5, [])
    assert tree(tmp_path) == {"a.gz": BODY}


def test_a_link_in_the_place_of_the_partial_file_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes(b"the user's own file")
    (tmp_path / PART).symlink_to(tmp_path / "own")
    with serving({"a.gz": WHOLE}) as server, pytest.raises(DownloadError, match=f"{PART} cannot be written to"):
        fetch("a.gz", tmp_path, MD5, [server.url])
    assert (tmp_path / "own").read_bytes() == b"the user's own file"


# Where the tests run in the background, Ctrl-C is something that processes are born deaf to.
FETCH = f"""
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
from fashseg.data import partial
from fashseg.data.download import fetch
fetch("a.gz", Path(sys.argv[1]), "{MD5}", sys.argv[2:])
"""


def start(*words: str | Path, before: str = "") -> subprocess.Popen[str]:
    """A process that fetches."""
    return subprocess.Popen([sys.executable, "-c", before + FETCH, *map(str, words)], stderr=subprocess.PIPE, text=True)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_download_goes_on(tmp_path: Path, end: signal.Signals) -> None:
    part = tmp_path / PART
    answers = {"a.gz": CUT._replace(stalls=True)}
    with serving(answers) as server:
        with start(tmp_path, server.url) as process:
            wait_for(lambda: part.exists() and part.stat().st_size == 300_000)
            process.send_signal(end)
        assert tree(tmp_path) == {PART: BODY[:300_000]}
        answers["a.gz"] = WHOLE
        fetch("a.gz", tmp_path, MD5, [server.url])
        assert server.sent == [300_000, 212_000]
    assert tree(tmp_path) == {"a.gz": BODY}


def test_processes_that_fetch_at_once_fetch_once(tmp_path: Path) -> None:
    answers = {"a.gz": CUT._replace(stalls=True)}
    with serving(answers) as server:
        first = start(tmp_path, server.url)
        wait_for(lambda: (tmp_path / PART).exists() and (tmp_path / PART).stat().st_size == 300_000)
        others = [start(tmp_path, server.url) for _ in range(3)]
        time.sleep(0.5)  # they wait by now, or find the file there: both are right
        assert len(server.asked) == 1, "nobody downloads beside the first"
        answers["a.gz"] = WHOLE
        first.kill()
        for process in (first, *others):
            _, err = process.communicate()
            assert (process.returncode, err) == (0 if process is not first else -signal.SIGKILL, "")
        assert server.sent == [300_000, 212_000], "one of them went on, the others found the file"
    assert tree(tmp_path) == {"a.gz": BODY}


@pytest.mark.parametrize("missing", ["module", "locks"])
def test_without_locks_nobody_writes_into_the_file_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    if missing == "module":
        monkeypatch.setattr(partial, "fcntl", None)
    else:
        monkeypatch.setattr("fcntl.flock", refuse)
    with serving({"a.gz": CUT}) as server, pytest.raises(DownloadError):
        fetch("a.gz", tmp_path, MD5, [server.url])
    assert tree(tmp_path) == {}
    (tmp_path / PART).write_bytes(BODY[:300_000])  # perhaps of a process that is at it
    with serving({"a.gz": WHOLE}) as server:
        fetch("a.gz", tmp_path, MD5, [server.url])
        assert server.ranges == [None]
    assert tree(tmp_path) == {PART: BODY[:300_000], "a.gz": BODY}


def test_full_disk_is_told_and_not_taken_for_a_bad_mirror(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
    with serving({"a.gz": WHOLE}) as server:
        _, err = start(tmp_path, server.url, server.url, before=limit).communicate()
        assert f"{PART} cannot be written to (File too large)" in err
        assert len(server.asked) == 1
        fetch("a.gz", tmp_path, MD5, [server.url])
        assert server.sent[1] == len(BODY) - 200_000
    assert tree(tmp_path) == {"a.gz": BODY}
