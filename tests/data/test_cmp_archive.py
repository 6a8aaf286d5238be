"""The archive of the CMP base set: found, fetched, unpacked; what is there is never changed."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from data.cmp_like import TEST, TRAIN, write_archive, write_buildings
from data.serving import Answer, closed_port, serving
from data.tiny import tree
from fashseg.data import cmp_archive
from fashseg.data.cmp_archive import NAME, obtain
from fashseg.data.cmp_base import FOLDER, lacking
from fashseg.errors import UserError

WANTED = (*TRAIN, TEST)


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    write_buildings(tmp_path / "source")
    return write_archive(tmp_path / "base.zip", tmp_path / "source" / FOLDER).read_bytes()


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cmp_archive, "MIRRORS", ())


def get(root: Path, mirrors: Sequence[str] = (), *, fetching: bool = True) -> list[str]:
    return list(obtain(root, WANTED, mirrors, fetching=fetching))


def test_it_is_fetched_where_it_is_missing(archive: bytes, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with serving({NAME: Answer(archive)}) as server:
        lines = get(root, [closed_port(), server.url])
        assert server.asked == [NAME]
        assert get(root, [server.url]) == [], "everything is there"
        assert server.asked == [NAME]
    assert lines[0] == f"downloading {NAME}"
    assert "9 files were added" in lines[-1]
    assert lacking(root / FOLDER, WANTED) == []
    assert {path.name for path in (root / "cmp_facade").iterdir()} == {"base", NAME}


@pytest.mark.parametrize("place", ["cmp_facade", "."])
@pytest.mark.parametrize("inside", ["base", "CMP_facade_DB_base/base", "."])
def test_one_that_is_there_is_taken(archive: bytes, place: str, inside: str, tmp_path: Path) -> None:
    del archive
    root = tmp_path / "root"
    (root / place).mkdir(parents=True)
    write_archive(root / place / NAME, tmp_path / "source" / FOLDER, inside)
    get(root)
    assert lacking(root / FOLDER, WANTED) == []


def test_what_is_there_stays_as_it_is(archive: bytes, tmp_path: Path) -> None:
    root = tmp_path / "root"
    own = write_buildings(root, TRAIN[:1])
    (own / f"{TRAIN[0]}.jpg").write_bytes(b"mine")
    (root / NAME).write_bytes(archive)
    assert "6 files were added" in get(root)[-1]
    assert (own / f"{TRAIN[0]}.jpg").read_bytes() == b"mine"


def test_the_network_is_left_alone_where_that_is_said(tmp_path: Path) -> None:
    with serving({}) as server:
        assert get(tmp_path, [server.url], fetching=False) == []
        assert server.asked == []


@pytest.mark.parametrize("answer", [Answer(b"<html>moved</html>"), Answer(b"", 404), Answer(b"PK\x03\x04 half of it")])
def test_what_is_no_archive_is_not_kept(answer: Answer, tmp_path: Path) -> None:
    with serving({NAME: answer}) as server, pytest.raises(UserError) as caught:
        get(tmp_path, [server.url])
    assert "lacks 3 of 3 buildings (cmp_b0019, cmp_b0021, cmp_b0366), and downloading failed" in caught.value.what
    assert server.url in caught.value.what
    assert str(tmp_path / "cmp_facade") in caught.value.way_out
    assert not tree(tmp_path)


def test_the_next_mirror_is_asked_after_a_wrong_file(archive: bytes, tmp_path: Path) -> None:
    with serving({NAME: Answer(b"<html>")}) as bad, serving({NAME: Answer(archive)}) as good:
        get(tmp_path / "root", [bad.url, good.url])
    assert lacking(tmp_path / "root" / FOLDER, WANTED) == []


def test_a_cut_download_goes_on(archive: bytes, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with serving({NAME: Answer(archive, cut=5000, ranges=True)}) as server, pytest.raises(UserError):
        get(root, [server.url])
    with serving({NAME: Answer(archive, ranges=True)}) as server:
        get(root, [server.url])
        assert server.ranges == ["bytes=5000-"]
    assert lacking(root / FOLDER, WANTED) == []


@pytest.mark.parametrize("content", [b"no archive", b""])
def test_a_file_that_is_no_archive_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(UserError) as caught:
        get(tmp_path)
    assert f"{tmp_path / NAME} can't be unpacked" in caught.value.what
    assert f"Delete {tmp_path / NAME}" in caught.value.way_out
    assert set(tree(tmp_path)) <= {NAME, "cmp_facade"}


def test_a_folder_that_takes_no_files_is_told(archive: bytes, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / NAME).write_bytes(archive)
    (root / "cmp_facade").mkdir()
    (root / FOLDER).write_text("in the way", encoding="utf-8")
    with pytest.raises(UserError, match="can't be written to: "):
        get(root)
    assert {path.name for path in (root / "cmp_facade").iterdir()} == {"base"}
