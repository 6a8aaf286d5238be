"""Where the arrays are kept, and that what stays on disk takes no memory."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from fashseg.config import Synthetic
from fashseg.data import residence
from fashseg.data.arrays import FileArray, OpenFile
from fashseg.data.module import MOST_WORKERS, ImageDataModule
from fashseg.data.residence import fits_in_memory, fits_on_device, free_memory
from fashseg.data.sources import SOURCES
from fashseg.data.stored import load

GPU = torch.device("cuda", 0)


@pytest.mark.parametrize(
    ("resident", "size", "memory", "device"),
    [
        ("auto", 50, True, True),
        ("auto", 51, False, False),
        (True, 50, True, True),
        (True, 51, True, False),
        (False, 1, False, False),
    ],
)
def test_data_is_kept_where_it_takes_half_of_what_is_free(
    resident: Any, size: int, memory: bool, device: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(residence, "free_memory", lambda: 100)
    monkeypatch.setattr(residence, "free_on_device", lambda _: 100)
    assert fits_in_memory(resident, size) == memory
    assert fits_on_device(resident, size, GPU) == device
    assert fits_on_device(resident, size, torch.device("cpu"))


def test_auto_goes_to_disk_where_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    options = Synthetic(name="synthetic_fashion", train_images=100, test_images=10)
    size = 110 * 785
    assert load(SOURCES[options.name], options).size == size
    for free, on_disk in ((2 * size, False), (2 * size - 2, True)):
        monkeypatch.setattr(residence, "free_memory", lambda free=free: free)
        assert isinstance(load(SOURCES[options.name], options).train.images, FileArray) == on_disk


def test_free_memory_heeds_the_container(tmp_path: Path) -> None:
    for name, text in {
        "proc/meminfo": "MemTotal: 100 kB\nMemAvailable: 50 kB\n",
        "proc/self/cgroup": "0::/a/b\n",
        "sys/fs/cgroup/a/b/memory.max": "max\n",
        "sys/fs/cgroup/a/b/memory.current": "10\n",
        "sys/fs/cgroup/a/memory.max": "30000\n",
        "sys/fs/cgroup/a/memory.current": "20000\n",
        "sys/fs/cgroup/a/memory.stat": "anon 1\ninactive_file 5000\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert free_memory(tmp_path) == 15_000
    (tmp_path / "sys/fs/cgroup/a/memory.max").unlink()
    assert free_memory(tmp_path) == 50 * 1024
    assert (free_memory() or 0) > 1 << 20


@pytest.mark.parametrize(
    ("wanted", "workers"), [(0, 0), (3, 3), (None, min(len(os.sched_getaffinity(0)), MOST_WORKERS))]
)
def test_workers_are_as_many_as_asked_for(wanted: int | None, workers: int) -> None:
    assert ImageDataModule(Synthetic(name="synthetic_fashion", workers=wanted)).workers == workers


def test_rows_on_disk_are_those_of_the_array(tmp_path: Path) -> None:
    array = torch.arange(250, dtype=torch.uint8).reshape(10, 5, 5)
    (tmp_path / "file").write_bytes(b"xyz" + array.numpy().tobytes() + b"beyond")
    file = FileArray(OpenFile(os.open(tmp_path / "file", os.O_RDONLY)), (10, 5, 5), 3)
    for rows in ([], [3], [0, 1, 2], [9, 0, 1, 1, 5, 6, 4], list(range(10))):
        wanted = torch.tensor(rows, dtype=torch.int64)
        assert torch.equal(file.index_select(0, wanted), array.index_select(0, wanted))
    for bad in (-1, 10):
        with pytest.raises(IndexError):
            file.index_select(0, torch.tensor([bad]))
    os.truncate(tmp_path / "file", 200)
    with pytest.raises(OSError, match="cut short"):
        file.index_select(0, torch.tensor([9]))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
def test_memory_does_not_grow_with_data_on_disk(tmp_path: Path) -> None:
    """What a process of its own takes for an epoch and a pass in order, with ten times the images."""
    code = """
import numpy as np, torch
from fashseg.data import cache, stored
from fashseg.data.arrays import ArrayDataset
from fashseg.data.loading import EvalLoader, TrainLoader

def use(images):
    shapes = dict(zip(stored.NAMES, [(images, 3, 32, 32), (images,), (1, 3, 32, 32), (1,)]))
    entry = cache.entry(str(images), {}, [], "1")
    piece = np.zeros((1000, 3, 32, 32), np.uint8)
    pieces = [("train_images", piece), ("train_targets", piece[:, 0, 0, 0])] * (images // 1000)
    entry.write(shapes, [*pieces, ("test_images", piece[:1]), ("test_targets", piece[0, 0, 0, :1])])
    part = ArrayDataset(*stored._on_disk(entry).train, torch.arange(images))
    seen = 0
    for loader in (TrainLoader(part, 64, seed=0, workers=2), EvalLoader(part, 500, workers=2)):
        seen += sum(len(images) for images, _ in loader)
    assert seen == 2 * images
    # Not ru_maxrss: that one begins with what the process before exec() took.
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))

little = use(8_000)
print(little, use(80_000) - little)
"""
    environment = {**os.environ, "FASHSEG_CACHE": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    little, more = map(int, done.stdout.split())
    print(f"{little / 1e6:.0f} MB with 25 MB of images, {more / 1e6:.1f} MB more with 246 MB of them")
    assert more < 20e6, "the numbers of 72,000 more images alone take 4 MB"
