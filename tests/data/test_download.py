"""A file is complete and verified, or it is absent."""

import subprocess
import sys
from pathlib import Path

import pytest
from serving import Answer, closed_port, serving
from tiny import md5, tree

from fashseg.data.download import DownloadError, fetch, md5_of

BODY = bytes(range(256)) * 2000
MD5 = md5(BODY)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_file_arrives_in_new_folder(tmp_path: Path) -> None:
    with serving({"a.gz": Answer(BODY)}) as server:
        path = fetch("a.gz", tmp_path / "x/y", MD5, [server.url])
    assert path == tmp_path / "x/y/a.gz"
    assert tree(tmp_path) == {"x": None, "x/y": None, "x/y/a.gz": BODY}
    assert md5_of(path) == MD5


def test_file_is_as_readable_as_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    with serving({"a.gz": Answer(BODY)}) as server:
        path = fetch("a.gz", tmp_path, MD5, [server.url])
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_mirror_may_end_without_a_slash(tmp_path: Path) -> None:
    with serving({"data/a.gz": Answer(BODY)}) as server:
        assert fetch("a.gz", tmp_path, MD5, [server.url + "data"]).read_bytes() == BODY


def test_answer_without_length_arrives(tmp_path: Path) -> None:
    with serving({"a.gz": Answer(BODY, length=None)}) as server:
        assert fetch("a.gz", tmp_path, MD5, [server.url]).read_bytes() == BODY


def test_second_mirror_mends_wrong_bytes_of_the_first(tmp_path: Path) -> None:
    with serving({"1/a.gz": Answer(b"wrong"), "2/a.gz": Answer(BODY), "3/a.gz": Answer(BODY)}) as server:
        fetch("a.gz", tmp_path, MD5, [server.url + "1/", server.url + "2/", server.url + "3/"])
        assert server.asked == ["1/a.gz", "2/a.gz"]
    assert tree(tmp_path) == {"a.gz": BODY}


def test_longer_first_answer_does_not_show_through(tmp_path: Path) -> None:
    with serving({"1/a.gz": Answer(BODY + b"tail"), "2/a.gz": Answer(BODY)}) as server:
        fetch("a.gz", tmp_path, MD5, [server.url + "1/", server.url + "2/"])
    assert tree(tmp_path) == {"a.gz": BODY}


def test_verified_file_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(b"old")
    with serving({"a.gz": Answer(BODY)}) as server:
        fetch("a.gz", tmp_path, MD5, [server.url])
    assert tree(tmp_path) == {"a.gz": BODY}


FAILURES = {
    "wrong bytes": (Answer(BODY[:-1] + b"?"), "wrong bytes"),
    "empty": (Answer(b""), "wrong bytes"),
    "not found": (Answer(b"<html>", 404), "HTTP 404"),
    "server error": (Answer(b"", 503), "HTTP 503"),
    "cut short, no length": (Answer(BODY[:300_000], length=None), "wrong bytes"),
    "too long, said so": (Answer(BODY * 3), "more than the limit of 1,000,000"),
    "too long, not said": (Answer(BODY * 3, length=None), "more bytes than the limit of 1,000,000"),
    "silent": (Answer(silent=True), "timed out"),
    "redirected to a file": (Answer(status=302, location="file:///etc/passwd"), "HTTP 302"),
    "redirected to ftp": (Answer(status=302, location="ftp://127.0.0.1/a.gz"), "unknown url type"),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("existing", [None, b"the user's own file"])
def test_failure_leaves_everything_as_it_was(tmp_path: Path, failure: str, existing: bytes | None) -> None:
    answer, reason = FAILURES[failure]
    folder = tmp_path / "x/y"
    if existing is not None:
        folder.mkdir(parents=True)
        (folder / "a.gz").write_bytes(existing)
    before = tree(tmp_path)
    with serving({"a.gz": answer}) as server, pytest.raises(DownloadError) as caught:
        fetch("a.gz", folder, MD5, [server.url], timeout=0.2, max_bytes=1_000_000)
    assert tree(tmp_path) == before
    assert len(caught.value.reasons) == 1
    assert caught.value.reasons[0].startswith(server.url)
    assert reason in caught.value.reasons[0]


def test_reasons_name_every_mirror(tmp_path: Path) -> None:
    with serving({}) as server, pytest.raises(DownloadError) as caught:
        fetch("a.gz", tmp_path, MD5, [closed_port(), server.url, "https://no host/", "http://[::1/"], timeout=1)
    refused, missing, *bad = caught.value.reasons
    assert "Connection refused" in refused
    assert "HTTP 404" in missing
    assert len(bad) == 2
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("scheme", ["file", "ftp", "data"])
def test_only_http_is_used(tmp_path: Path, scheme: str) -> None:
    (tmp_path / "a.gz").write_bytes(BODY)
    with pytest.raises(DownloadError, match="only http and https"):
        fetch("a.gz", tmp_path / "new", MD5, [f"{scheme}://{tmp_path}/"])
    assert tree(tmp_path) == {"a.gz": BODY}


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        serving({"a.gz": Answer(BODY)}) as server,
        pytest.raises(DownloadError, match="cannot be written to") as caught,
    ):
        fetch("a.gz", tmp_path / "file/x", MD5, [server.url])
    assert str(tmp_path / "file/x") in str(caught.value)
    assert server.asked == []
    assert tree(tmp_path) == {"file": b""}


def test_readers_start_without_the_heavy_packages() -> None:
    code = (
        "import sys; from fashseg.data import download, facade, fashion_mnist, splits;"
        "sys.exit(str({'torch', 'torchvision', 'pytorch_lightning', 'hydra', 'matplotlib'} & sys.modules.keys() or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
