"""What is unpacked is whole and inside its folder, or nothing is: whatever the archive is made of."""

import io
import os
import resource
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny import tree

from amounts import amount, record
from fashseg.data.archives import unpack
from fashseg.errors import UserError

NOISE = np.random.default_rng(0).bytes(100_000)
FILES = {"base/a.jpg": NOISE, "base/a.png": b"\x89PNG" * 5000, "readme.txt": b"", "extended/b/c.xml": b"<a/>"}
FOLDERS = dict.fromkeys(("base", "extended", "extended/b"))
KINDS = ["zip", "tar", "tar.gz", "tar.xz", "tar.bz2"]
LIMITS = {"max_bytes": 1_000_000, "max_files": 20}


def write_zip(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members:
            archive.writestr(member, content)
    return path


def write_tar(path: Path, *members: tuple[str | tarfile.TarInfo, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for member, content in members:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member)
            if content:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def write(path: Path, kind: str, *members: tuple[str, bytes]) -> Path:
    if kind == "zip":
        return write_zip(path, *members)
    return write_tar(path, *members, mode="w:" + kind.removeprefix("tar").removeprefix("."))


def refused(archive: Path, *parts: str, into: Path | None = None, **limits: int) -> None:
    """The archive is refused in two lines with these parts, and nothing is left behind or changed."""
    top = archive.parent
    before = tree(top)
    with pytest.raises(UserError) as caught:
        unpack(archive, into or top / "new/out", **(LIMITS | limits))
    assert len(str(caught.value).splitlines()) == 2
    assert str(caught.value).isprintable() or "\n" in str(caught.value)
    for part in (str(archive), *parts):
        assert part in caught.value.what
    assert tree(top) == before


@pytest.mark.parametrize("kind", KINDS)
def test_all_files_come_out_as_they_went_in(tmp_path: Path, kind: str) -> None:
    archive = write(tmp_path / "any.name", kind, *FILES.items())
    (tmp_path / "out").mkdir()  # an empty folder is no obstacle
    for folder in ("out", "new/deep"):
        unpack(archive, tmp_path / folder, **LIMITS)
        assert tree(tmp_path / folder) == FILES | FOLDERS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["any.name", "new", "out"]


@pytest.mark.parametrize("kind", KINDS)
def test_folders_and_dots_in_names_are_no_attack(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    if kind == "zip":
        write_zip(path, ("x/", b""), ("./x/y", b"1"), ("x/./", b""))
    else:
        folder = tarfile.TarInfo("./x")
        folder.type = tarfile.DIRTYPE
        write_tar(path, (folder, b""), ("./x/y", b"1"), (folder, b""), mode="w:" + kind[4:])
    unpack(path, tmp_path / "out", **LIMITS)
    assert tree(tmp_path / "out") == {"x": None, "x/y": b"1"}


def test_files_get_the_rights_of_any_new_file(tmp_path: Path) -> None:
    evil = tarfile.TarInfo("run.sh")
    evil.mode, evil.uid = 0o6777, 12345
    unpack(write_tar(tmp_path / "a.tar", (evil, b"#!/bin/sh")), tmp_path / "out", **LIMITS)
    (tmp_path / "other").touch()
    (tmp_path / "folder").mkdir()
    for made, other in (("out/run.sh", "other"), ("out", "folder")):
        made_stat, other_stat = (tmp_path / made).stat(), (tmp_path / other).stat()
        assert (made_stat.st_mode, made_stat.st_uid) == (other_stat.st_mode, other_stat.st_uid)


NAMES = {
    "/etc/passwd": "absolute path",
    "//server/share": "absolute path",
    "C:/windows": "absolute path",
    "a/d:b": "absolute path",
    "../evil": "leads out",
    "a/../../evil": "leads out",
    "..": "leads out",
    "a\\..\\..\\evil": "other systems",
    "\x1b[2Jevil": "other systems",
    "a\nb": "other systems",
    "/".join("abcdefghijklmnopqr"): "folders deep",
    "n" * 300: "cannot be written: File name too long",
    ".": "there twice",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS[:3])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, kind: str, name: str) -> None:
    archive = write(tmp_path / "evil", kind, ("good", b"1"), (name, b"2"), ("later", b"3"))
    refused(archive, repr(name[:200]), NAMES[name])


def test_a_name_with_a_zero_byte_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", ("good.txt?.exe", b"1"))
    archive.write_bytes(archive.read_bytes().replace(b"good.txt?", b"good.txt\0"))
    refused(archive, r"'good.txt\x00.exe'", "other systems")


@pytest.mark.parametrize(
    "names", [("a", "a"), ("a", "./a"), ("a", "A"), ("d/é", "d/e\u0301"), ("a", "a/b"), ("a/b", "a")]
)
@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_refused(tmp_path: Path, kind: str, names: tuple[str, str]) -> None:
    archive = write(tmp_path / "twice", kind, *((name, name.encode()) for name in names))
    refused(archive, repr(names[1]), "is there twice")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"V", b"Z"]
)
def test_links_and_devices_in_a_tar_file_are_refused(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("link")
    member.type, member.linkname = kind, "good"
    refused(write_tar(tmp_path / "a.tar", ("good", b"1"), (member, b"")), "'link'", "is a link, a device or")


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o010666, 0o140777])
def test_links_and_devices_in_a_zip_file_are_refused(tmp_path: Path, mode: int) -> None:
    member = zipfile.ZipInfo("link")
    member.create_system, member.external_attr = 3, mode << 16
    refused(write_zip(tmp_path / "a.zip", ("good", b"1"), (member, b"/etc")), "'link'", "is a link or a device")


def test_files_with_holes_are_refused(tmp_path: Path) -> None:
    member = tarfile.TarInfo("holes")
    member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(10**12)}
    content = b"1\n0\n1\n".ljust(512, b"\0") + b"x"
    refused(write_tar(tmp_path / "a.tar", (member, content)), "holes")


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_bytes_are_refused(tmp_path: Path, kind: str) -> None:
    archive = write(tmp_path / "bomb", kind, ("a", bytes(600_000)), ("b", bytes(600_000)))
    refused(archive, "'b'", "goes beyond the limit")
    unpack(archive, tmp_path / "out", max_bytes=1_200_000, max_files=2)


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_members_are_refused(tmp_path: Path, kind: str) -> None:
    archive = write(tmp_path / "bomb", kind, *((f"f{i}", b"1") for i in range(21)))
    refused(archive, "'f20'", "20 files and folders are the limit")


def zip_that_says_less(path: Path) -> None:
    """100 MB behind a size of 10 bytes, in both tables."""
    write_zip(path, ("a", bytes(100_000_000)))
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 100_000_000), struct.pack("<I", 10)))


def zip_with_a_long_table(path: Path) -> None:
    """A table of contents of 200,000 lines."""
    table = (b"PK\1\2" + bytes(42)) * 200_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(table), 30, 0)
    path.write_bytes(b"PK\3\4" + bytes(26) + table + end)


def tar_with_a_long_header(path: Path) -> None:
    """A name of 300 MB."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 300_000_000
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        archive.fileobj.write(member.tobuf())  # type: ignore[union-attr]
        for _ in range(300):
            archive.fileobj.write(b"n" * 1_000_000)  # type: ignore[union-attr]


def tar_with_a_long_end(path: Path) -> None:
    """200 MB of zeros behind its end."""
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        archive.addfile(tarfile.TarInfo("a"))
        archive.fileobj.write(bytes(200_000_000))  # type: ignore[union-attr]


def tar_with_a_large_file(path: Path) -> None:
    write_tar(path, ("a", bytes(100_000_000)), mode="w:xz")


@pytest.mark.parametrize(
    ("bomb", "why"),
    [
        (zip_that_says_less, "damaged"),
        (zip_with_a_long_table, "table of contents"),
        (tar_with_a_long_header, "a header of more than"),
        (tar_with_a_long_end, "holds more than"),
        (tar_with_a_large_file, "goes beyond the limit"),
    ],
)
def test_bombs_take_no_memory(tmp_path: Path, bomb: Callable[[Path], None], why: str) -> None:
    """Nor is any of the 20 megabytes or more that they hold written to the disk."""
    archive = tmp_path / "bomb"
    bomb(archive)
    code = (
        "import sys, resource; from pathlib import Path; from fashseg.data.archives import unpack\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: unpack(Path(sys.argv[1]), Path(sys.argv[1] + '.out'), max_bytes=1_000_000, max_files=20)\n"
        "except Exception as error: print(error, '|', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, archive], capture_output=True, text=True, check=True)
    message, grown = done.stdout.rsplit("|", 1)
    assert message.startswith(f"error: {archive}")
    assert why in message
    assert int(grown) < 30_000, "KiB"
    assert [path.name for path in tmp_path.iterdir()] == ["bomb"]


def test_encrypted_zip_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", ("secret", b"1"))
    content = bytearray(archive.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(content)
    refused(archive, "'secret'", "is encrypted")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_methods_without_measure_are_refused(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("a", b"1")
    refused(tmp_path / "a.zip", "'a'", "compressed in a way that is not read")


@pytest.mark.parametrize("kind", KINDS)
def test_every_flipped_bit_is_found_or_does_nothing(tmp_path: Path, kind: str) -> None:
    """Contents of a plain tar file have no checksum, so its bits are flipped in headers and ends alone."""
    archive = write(tmp_path / "a", kind, *FILES.items())
    good = archive.read_bytes()
    if kind == "tar":
        contents = [range(at, at + len(c)) for c in FILES.values() if (at := good.find(c)) >= 0 and c]
        places = [place for place in range(len(good)) if not any(place in content for content in contents)]
    else:
        places = list(range(len(good)))
    rng = np.random.default_rng(0)
    tried = amount(60, 400)
    found = 0
    for place in rng.choice(places, tried):
        damaged = bytearray(good)
        damaged[place] ^= 1 << int(rng.integers(8))
        archive.write_bytes(damaged)
        try:
            unpack(archive, tmp_path / "out", **LIMITS)
        except UserError as error:
            message = error.what
        else:
            message = ""
        if message:
            assert str(archive) in message
            assert not (tmp_path / "out").exists()
            found += 1
        else:
            contents = sorted(c for c in tree(tmp_path / "out").values() if c is not None)
            assert contents == sorted(FILES.values()), f"byte {place}"
            shutil.rmtree(tmp_path / "out")
    record(
        f"one bit flipped in a {kind} archive", tried=tried, survived=tried, remarks=f"{found} refused, others harmless"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_is_found(tmp_path: Path, kind: str) -> None:
    archive = write(tmp_path / "a", kind, *FILES.items())
    good = archive.read_bytes()
    ends = [512 * block for block in range(len(good) // 512)] if kind == "tar" else []
    padding = len(good.rstrip(b"\0")) if kind == "tar" else len(good)
    for length in [0, 1, 3, 100, len(good) // 2, len(good) - 1, *ends[::7]]:
        archive.write_bytes(good[:length])
        if length < padding:
            refused(archive)


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04" * 500, b"\x1f\x8b\x08" + bytes(99)])
def test_what_is_no_archive_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    refused(tmp_path / "a.zip", "is damaged or incomplete")


@pytest.mark.parametrize("kind", KINDS[:2])
def test_an_empty_archive_is_told(tmp_path: Path, kind: str) -> None:
    refused(write(tmp_path / "a", kind))
    (tmp_path / "zeros").write_bytes(bytes(20_000))
    refused(tmp_path / "zeros", "holds no content")
    refused(write(tmp_path / "b", kind, ("a", b"")), "holds no content")


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "missing", "No such file")
    refused(tmp_path / "folder", "is no file")
    refused(tmp_path / "pipe", "is no file")


def test_a_folder_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    archive = write(tmp_path / "a", "zip", *FILES.items())
    (tmp_path / "out").mkdir()
    (tmp_path / "out/own").touch()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").touch()
    before = tree(tmp_path)
    for folder in ("out", "link", "file", "file/out"):
        with pytest.raises(UserError, match="cannot be written"):
            unpack(archive, tmp_path / folder, **LIMITS)
        assert tree(tmp_path) == before


def test_full_disk_is_told(tmp_path: Path) -> None:
    archive = write(tmp_path / "a", "zip", ("large", NOISE * 5))
    before, limits = tree(tmp_path), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        with pytest.raises(UserError, match="large cannot be written: File too large"):
            unpack(archive, tmp_path / "out", **LIMITS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert tree(tmp_path) == before
