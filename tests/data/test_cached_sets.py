"""Data sets in the cache: read or drawn once, and never other than their sources say."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import fashion_files

from fashseg.config import FashionMNIST, Synthetic
from fashseg.data import fashion_mnist, stored
from fashseg.data.download import md5_of
from fashseg.data.info import Arrays
from fashseg.data.sources import SOURCES
from fashseg.data.stored import load
from fashseg.data.synthetic_facade import draw_facades
from fashseg.data.synthetic_fashion import draw_garments
from fashseg.errors import UserError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Path:
    """The cache of this test alone."""
    monkeypatch.setenv("FASHSEG_CACHE", str(tmp_path / "cache"))
    caplog.set_level(logging.INFO)
    return tmp_path / "cache"


@pytest.fixture
def fashion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FashionMNIST:
    """A tiny Fashion-MNIST."""
    raw = tmp_path / "data/FashionMNIST/raw"
    raw.mkdir(parents=True)
    for name, content in fashion_files().items():
        (raw / name).write_bytes(content)
    known = {path.name: md5_of(path) for path in raw.iterdir()}
    files = {name: known[name] for name in fashion_mnist.FILES}
    monkeypatch.setattr(fashion_mnist.read_fashion_mnist, "__defaults__", (fashion_mnist.MIRRORS, True, files))
    return FashionMNIST(name="fashion_mnist", root=str(tmp_path / "data"), download=False)


def changed_time(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


@pytest.mark.parametrize("kind", ["file", "read-only"])
def test_a_folder_that_cannot_be_written_to_is_no_error(
    kind: str, folder: Path, fashion: FashionMNIST, caplog: pytest.LogCaptureFixture
) -> None:
    if kind == "file":
        folder.write_bytes(b"")
    else:
        folder.mkdir(mode=0o500)
        if os.access(folder, os.W_OK):
            pytest.skip("this user may write everywhere")
    for resident in (True, False):
        fashion.resident = resident
        data = load(SOURCES["fashion_mnist"], fashion)
        assert data.train.images.shape == (20, 1, 28, 28)
        assert "the decoded data is not cached" in caplog.text
    assert "is kept in memory" in caplog.text
    folder.chmod(0o700)


def test_the_second_time_nothing_is_decoded(fashion: FashionMNIST, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(SOURCES["fashion_mnist"], fashion)
    with monkeypatch.context() as patch:
        patch.setattr(fashion_mnist, "parse_idx", lambda *_: pytest.fail("decoded again"))
        for resident in (True, False):
            fashion.resident = resident
            again = load(SOURCES["fashion_mnist"], fashion)
            for part, expected in ((again.train, first.train), (again.test, first.test)):
                rows = torch.arange(expected.images.shape[0])
                for array, wanted in zip(part, expected, strict=True):
                    assert torch.equal(array.index_select(0, rows), wanted.index_select(0, rows))


def test_damaged_sources_are_named_although_they_are_cached(fashion: FashionMNIST) -> None:
    load(SOURCES["fashion_mnist"], fashion)
    path = Path(fashion.root) / fashion_mnist.FOLDER / "train-labels-idx1-ubyte.gz"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(UserError, match="train-labels"):
        load(SOURCES["fashion_mnist"], fashion)
    path.unlink()
    with pytest.raises(UserError, match="train-labels"):
        load(SOURCES["fashion_mnist"], fashion)
    path.write_bytes(content)
    assert load(SOURCES["fashion_mnist"], fashion)


def test_sources_that_change_while_they_are_read_are_not_cached(
    fashion: FashionMNIST, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(fashion.root) / fashion_mnist.FOLDER / "train-labels-idx1-ubyte.gz"
    source, read = SOURCES["fashion_mnist"], fashion_mnist.read_fashion_mnist

    def slow(*words: object) -> tuple[Arrays, Arrays]:
        arrays = read(*words)  # type: ignore[arg-type]
        changed_time(path)
        return arrays

    monkeypatch.setattr(fashion_mnist, "read_fashion_mnist", slow)
    load(source, fashion)
    assert not folder.exists()


@pytest.mark.parametrize("name", ["synthetic_fashion", "synthetic_facade"])
def test_drawings_are_kept_where_they_take_long(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = Synthetic(name=name, train_images=12, test_images=2)
    monkeypatch.setattr(stored, "WORTH_SECONDS", 1000)
    load(SOURCES[name], options)
    assert not folder.exists()
    monkeypatch.setattr(stored, "WORTH_SECONDS", 0)
    load(SOURCES[name], options)
    assert [path.name.startswith(name) for path in folder.iterdir()] == [True]


@pytest.mark.parametrize("draw", [draw_garments, draw_facades])
def test_drawings_in_pieces_are_the_same(draw: Callable[..., Arrays]) -> None:
    whole = draw(13, 3)
    for first, count in ((0, 3), (3, 8), (11, 2), (10, 0)):
        for array, expected in zip(draw(count, 3, first), whole, strict=True):
            assert np.array_equal(array, expected[first : first + count])


@pytest.mark.parametrize(("name", "most"), [("fashion_mnist", 0.5), ("facade", 1.0)])
def test_real_data_opens_at_once_after_the_first_time(name: str, most: float, real_data: Path) -> None:
    from fashseg.checking import check
    from fashseg.composing import compose
    from fashseg.config import Train
    from fashseg.scoring import build_data

    model = "cnn" if name == "fashion_mnist" else "segnet"
    seconds = []
    for _ in range(4):
        data = build_data(check(Train, compose("train", [f"model={model}", f"data.root={real_data}"])))
        start = time.perf_counter()
        data.setup()
        seconds.append(time.perf_counter() - start)
    print(f"{name}: first {seconds[0]:.2f} s, then {', '.join(f'{s:.3f}' for s in seconds[1:])} s")
    assert min(seconds[1:]) < most
