"""Files are read within a limit, into as much memory as they need."""

import sys
import tracemalloc
from pathlib import Path

import pytest

from fashseg.data.reading import read_at_most


def test_a_small_file_takes_little_memory_whatever_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "small"
    path.write_bytes(bytes(1000))
    tracemalloc.start()
    try:
        assert read_at_most(path, 2**30) == bytes(1000)
        assert tracemalloc.get_traced_memory()[1] < 2**17
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 3 * 2**20 + 1])
def test_a_file_is_read_in_full_up_to_the_limit(size: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content := bytes(i % 251 for i in range(size)))
    assert read_at_most(path, size) == read_at_most(str(path), size + 1) == content
    if size:
        with pytest.raises(OSError, match=rf"it has {size:,} bytes, at most {size - 1:,}"):
            read_at_most(path, size - 1)


@pytest.mark.skipif(sys.platform != "linux", reason="such a file is known on Linux")
def test_a_file_that_says_that_it_is_empty_is_read_too() -> None:
    path = Path("/proc/self/status")
    assert path.stat().st_size == 0
    assert b"VmHWM" in read_at_most(path, 2**20)
    with pytest.raises(OSError, match="at most 10"):
        read_at_most(path, 10)
