"""The cache: what is taken from it is what the sources say, or it is not taken from it."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny import tree

from fashseg.data import cache

ARRAYS = {"a": np.arange(5000, dtype=np.uint8).reshape(50, 100), "b": np.arange(7, dtype=np.uint8)}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Path:
    """The cache of this test alone."""
    monkeypatch.setenv("FASHSEG_CACHE", str(tmp_path / "cache"))
    caplog.set_level(logging.INFO)
    return tmp_path / "cache"


@pytest.fixture
def entry(tmp_path: Path) -> cache.Entry:
    """A data set of one file, in the cache."""
    (tmp_path / "source").write_bytes(b"1234")
    found = cache.entry("set", {}, [tmp_path / "source"], "1")
    assert found
    assert found.write({name: array.shape for name, array in ARRAYS.items()}, ARRAYS.items())
    return found


def equal(arrays: dict[str, np.ndarray] | None) -> bool:
    return arrays is not None and all(np.array_equal(arrays[name], array) for name, array in ARRAYS.items())


@pytest.mark.parametrize("shared", [False, True])
def test_arrays_come_back_as_they_were_and_can_be_written_to(shared: bool, entry: cache.Entry) -> None:
    arrays = entry.read(shared)
    assert arrays
    assert equal(arrays)
    assert list(arrays) == list(ARRAYS)
    arrays["a"][:] = 0
    assert equal(entry.read())
    descriptor, segments = entry.open() or (-1, {})
    for name, array in ARRAYS.items():
        assert os.pread(descriptor, array.size, segments[name].offset) == array.tobytes()
    os.close(descriptor)


def test_every_changed_byte_that_matters_is_found(entry: cache.Entry, caplog: pytest.LogCaptureFixture) -> None:
    good = entry.path.read_bytes()
    assert len(good) < 20_000
    rng = np.random.default_rng(0)
    for place in range(len(good)):
        if place > 300 and place % 17:
            continue
        damaged = bytearray(good)
        damaged[place] ^= 1 << int(rng.integers(8))
        entry.path.write_bytes(damaged)
        arrays = entry.read()
        found = entry.open()
        if found:
            os.close(found[0])
        assert (arrays is None) == (found is None) == (entry.read(shared=True) is None)
        assert arrays is None or (equal(arrays) and good[place] == 0), f"byte {place}"
    assert "is damaged: the data is decoded again" in caplog.text


@pytest.mark.parametrize(
    "content", [b"", b"fashseg\n", b"PK\x03\x04" * 5000, bytes(20_000), b"fashseg\n" + b"\xff" * 99]
)
def test_foreign_files_are_not_used(entry: cache.Entry, content: bytes) -> None:
    entry.path.write_bytes(content)
    assert entry.read() is None
    assert entry.open() is None


@pytest.mark.parametrize("length", [-1, -4000, -5000, 1])
def test_a_wrong_length_is_found(entry: cache.Entry, length: int) -> None:
    good = entry.path.read_bytes()
    entry.path.write_bytes(good + b"0" if length > 0 else good[:length])
    assert entry.read() is None
    assert entry.open() is None


def changed_size(path: Path) -> None:
    path.write_bytes(b"12345")


def changed_time(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


@pytest.mark.parametrize("change", [changed_size, changed_time])
def test_a_changed_source_is_another_one(entry: cache.Entry, change: Callable[[Path], None], tmp_path: Path) -> None:
    change(tmp_path / "source")
    now = cache.entry("set", {}, [tmp_path / "source"], "1")
    assert now
    assert now.path == entry.path
    assert now.read() is None
    assert now.write({"a": (1,)}, [("a", np.zeros(1, np.uint8))])
    assert entry.read() is None
    assert len(list(entry.path.parent.iterdir())) == 1, "what is out of date is replaced"


def test_options_and_decoding_are_part_of_the_source(entry: cache.Entry, tmp_path: Path) -> None:
    files = [tmp_path / "source"]
    for other in (cache.entry("set", {"x": 1}, files, "1"), cache.entry("set", {}, files, "2")):
        assert other
        assert other.source != entry.source
        assert other.read() is None
    assert cache.entry("set", {}, [*files, tmp_path / "missing"], "1") is None


def test_a_piece_that_cannot_be_made_leaves_nothing_behind(entry: cache.Entry) -> None:
    def pieces() -> object:
        yield "a", ARRAYS["a"][:20]
        raise KeyboardInterrupt

    before = tree(entry.path.parent)
    with pytest.raises(KeyboardInterrupt):
        entry.write({"a": (50, 100)}, pieces())  # type: ignore[arg-type]
    assert tree(entry.path.parent) == before
    assert equal(entry.read())


def test_processes_that_write_at_once_leave_one_whole_file(folder: Path) -> None:
    """Each writes and reads over and over; none ever finds a file that is not whole."""
    code = (
        "import logging, sys, numpy as np; from pathlib import Path; from fashseg.data import cache;"
        "logging.basicConfig(level='INFO', stream=sys.stdout);"
        "entry = cache.entry('set', {}, [], '1'); array = np.arange(3_000_000, dtype=np.uint8);"
        "ok = [entry.write({'a': array.shape}, [('a', array)]) and (entry.read()['a'] == array).all()"
        " for _ in range(20)]; sys.exit(not all(ok))"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for process in running:
        out, _ = process.communicate()
        assert (process.returncode, out) == (0, "")
    assert len(list(folder.iterdir())) == 1


def test_what_is_unused_for_long_is_deleted(entry: cache.Entry, folder: Path) -> None:
    day = 24 * 3600
    ages = {"new.arrays": 29, "old.arrays": 31, "now.part": 0, "left.part": 2, "other.txt": 1000}
    for name, days in ages.items():
        (folder / name).touch()
        os.utime(folder / name, (0, time.time() - days * day))
    os.utime(entry.path, (0, time.time() - 31 * day))
    assert entry.read(), "reading counts as use"
    assert entry.write({"a": (1,)}, [("a", np.zeros(1, np.uint8))])
    assert {path.name for path in folder.iterdir()} == {entry.path.name, "new.arrays", "now.part", "other.txt"}


def test_the_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache.folder() == tmp_path / "cache"
    monkeypatch.delenv("FASHSEG_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache.folder() == tmp_path / ".cache/fashseg"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache.folder() == tmp_path / ".cache/fashseg"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder() == tmp_path / "xdg/fashseg"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.folder() == tmp_path / "Library/Caches/fashseg"
