"""An archive is unpacked whole or not at all, and nothing of it comes to lie outside its folder."""

import io
import random
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import tree

from amounts import amount, record
from fashseg.data.archives import unpack
from fashseg.errors import UserError

FILES = {"base/a.txt": b"first", "base/deep/b.bin": bytes(range(256)) * 50, "c": b""}
LIMITS = {"max_bytes": 100_000, "max_files": 10}


def zipped(path: Path, files: dict[str, bytes] = FILES) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def tarred(path: Path, files: dict[str, bytes] = FILES, mode: str = "w:gz") -> None:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o4777
            archive.addfile(info, io.BytesIO(content))


WRITERS: dict[str, Callable[..., None]] = {
    "zip": zipped,
    "tar": lambda path, files=FILES: tarred(path, files, "w"),
    "tar.gz": tarred,
    "tar.xz": lambda path, files=FILES: tarred(path, files, "w:xz"),
    "tar.bz2": lambda path, files=FILES: tarred(path, files, "w:bz2"),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_files_arrive(tmp_path: Path, kind: str) -> None:
    WRITERS[kind](tmp_path / "archive")
    unpack(tmp_path / "archive", tmp_path / "x" / "out", **LIMITS)
    found = {name: content for name, content in tree(tmp_path / "x" / "out").items() if content is not None}
    assert found == FILES
    assert not (tmp_path / "x" / "out" / "c").stat().st_mode & 0o4111, "permissions of the archive are not taken over"


def linked(path: Path, kind: bytes, name: str, target: str) -> None:
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        archive.addfile(info)
        inside = tarfile.TarInfo(f"{name}/x")
        archive.addfile(inside)


def zip_link(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc")
        archive.writestr("link/passwd", "x")


def many_times(path: Path) -> None:
    zipped(path, {f"{number}": b"x" for number in range(11)})


def bomb(path: Path) -> None:
    zipped(path, {"zeros": bytes(50_000_000)})


def lying_bomb(path: Path) -> None:
    """It says that it holds ten bytes, in the list at its end and ahead of the content."""
    bomb(path)
    content = path.read_bytes()
    path.write_bytes(content.replace((50_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))


def encrypted(path: Path) -> None:
    zipped(path, {"a": b"x" * 100})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)


ATTACKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "upwards": (lambda path: zipped(path, {"../evil": b"x"}), "leads out"),
    "upwards from below": (lambda path: tarred(path, {"a/../../evil": b"x"}), "leads out"),
    "absolute": (lambda path: tarred(path, {"/tmp/evil": b"x"}), "leads out"),
    "of a drive": (lambda path: zipped(path, {"C:/evil": b"x"}), "leads out"),
    "with backslashes": (lambda path: tarred(path, {"..\\evil": b"x"}), "other systems"),
    "that acts on a terminal": (lambda path: tarred(path, {"\x1b[2Jevil": b"x"}), "other systems"),
    "symbolic link": (lambda path: linked(path, tarfile.SYMTYPE, "up", "../.."), "a link or a device"),
    "hard link": (lambda path: linked(path, tarfile.LNKTYPE, "up", "/etc/passwd"), "a link or a device"),
    "device": (lambda path: linked(path, tarfile.CHRTYPE, "null", ""), "a link or a device"),
    "pipe": (lambda path: linked(path, tarfile.FIFOTYPE, "pipe", ""), "a link or a device"),
    "link in a zip": (zip_link, "no plain file"),
    "twice": (lambda path: tarred(path, {"a": b"1", "A": b"2"}), "there twice"),
    "file and folder": (lambda path: tarred(path, {"a": b"1", "a/b": b"2"}), "'a/b'"),
    "deep": (lambda path: tarred(path, {"d/" * 40 + "x": b"1"}), "folders deep"),
    "too many": (many_times, "more than the 10 files"),
    "bomb": (bomb, "limit of bytes"),
    "bomb in a tar": (lambda path: tarred(path, {"zeros": bytes(50_000_000)}), "limit of bytes"),
    "lying bomb": (lying_bomb, "'zeros'"),
    "encrypted": (encrypted, "encrypted"),
    "no archive": (lambda path: path.write_bytes(b"<html>not here</html>"), "can't be unpacked"),
    "empty": (lambda path: path.write_bytes(b""), "can't be unpacked"),
    "missing": (lambda _: None, "No such file"),
    "a folder": (lambda path: path.mkdir(), "can't be unpacked"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_leave_nothing_behind(tmp_path: Path, attack: str) -> None:
    make, reason = ATTACKS[attack]
    place = tmp_path / "place"
    place.mkdir()
    make(place / "archive")
    before = tree(place)
    start = time.perf_counter()
    with pytest.raises(UserError, match=reason) as caught:
        unpack(place / "archive", place / "out", **LIMITS)
    assert time.perf_counter() - start < 5
    assert tree(place) == before
    assert {path.name for path in tmp_path.iterdir()} == {"place"}
    assert str(place / "archive") in caught.value.what
    assert "\x1b" not in str(caught.value)


def test_what_is_there_stays(tmp_path: Path) -> None:
    zipped(tmp_path / "archive")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(UserError, match="holds something already"):
        unpack(tmp_path / "archive", tmp_path / "out", **LIMITS)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz"])
def test_flipped_bits_and_cuts_are_found(tmp_path: Path, kind: str) -> None:
    """Except where they change nothing but names and other entries: then every file has its content."""
    WRITERS[kind](tmp_path / "archive")
    whole, chance, tries = (tmp_path / "archive").read_bytes(), random.Random(kind), amount(30, 200)
    found = harmless = 0
    for number in range(tries):
        damaged = bytearray(whole)
        bit = chance.randrange(8 * len(whole))
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / "archive").write_bytes(damaged if number % 2 else whole[: bit // 8])
        out = tmp_path / f"out{number}"
        try:
            unpack(tmp_path / "archive", out, **LIMITS)
        except UserError:
            found += 1
            assert not out.exists()
        else:
            harmless += sorted(filter(None, tree(out).values())) == sorted(filter(None, FILES.values()))
    record(f"archive, {kind}, a bit flipped or cut off", tried=tries, survived=found + harmless)
    assert found + harmless == tries
    assert found > tries / 2
