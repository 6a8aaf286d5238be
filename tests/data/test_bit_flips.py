"""One bit flipped at random, in each kind of file that is read: found, or without any effect on the arrays."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from test_facade import write_manifest
from tiny import checksums, fashion_files, md5, write_facade

from amounts import amount, record
from fashseg.config import FashionMNIST
from fashseg.data import cache, fashion_mnist
from fashseg.data.facade import read_facade
from fashseg.data.fashion_mnist import read_fashion_mnist
from fashseg.data.info import Arrays
from fashseg.data.sources import SOURCES
from fashseg.data.stored import load
from fashseg.errors import UserError

Sets = tuple[Arrays, Arrays]


def facade(root: Path) -> Callable[[], Sets]:
    pairs = write_facade(root, 1, 1)
    return lambda: read_facade(root, manifest=pairs)


def facade_with_own_manifest(root: Path) -> Callable[[], Sets]:
    published = write_facade(root, 3, 2)
    write_manifest(root, checksums(root))
    return lambda: read_facade(root, manifest=published)


def fashion(root: Path) -> Callable[[], Sets]:
    bodies = fashion_files()
    folder = root / "FashionMNIST/raw"
    folder.mkdir(parents=True)
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    return lambda: read_fashion_mnist(root, download=False, files={name: md5(body) for name, body in bodies.items()})


FILES: dict[str, tuple[Callable[[Path], Callable[[], Sets]], str]] = {
    "facade JPEG": (facade, "facade/train/eecs442_0000.jpg"),
    "facade PNG mask": (facade, "facade/test_dev/eecs442_0000.png"),
    "facade manifest.csv": (facade_with_own_manifest, "facade/manifest.csv"),
    "gzip images": (fashion, "FashionMNIST/raw/train-images-idx3-ubyte.gz"),
    "gzip labels": (fashion, "FashionMNIST/raw/t10k-labels-idx1-ubyte.gz"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_flipped_bit_is_found_and_its_file_named(tmp_path: Path, kind: str) -> None:
    prepare, name = FILES[kind]
    read = prepare(tmp_path)
    good = [array.copy() for arrays in read() for array in arrays]
    path, tried, harmless = tmp_path / name, amount(20, 200), 0
    content = path.read_bytes()
    for seed in range(tried):
        path.write_bytes(flipped(content, seed))
        try:
            found = read()
        except UserError as error:
            message = str(error)
        else:
            message = ""
            assert name.endswith(".csv"), f"flip {seed} was not found"
            for array, expected in zip((array for arrays in found for array in arrays), good, strict=True):
                assert np.array_equal(array, expected), f"flip {seed}: wrong arrays in silence"
            harmless += 1
        assert not message or (str(path) in message and len(message.splitlines()) == 2), message
    record(
        f"one bit flipped in a {kind}", tried=tried, survived=tried, remarks=f"{tried - harmless} refused by file name"
    )


@pytest.mark.parametrize("way", ["read", "open"])
def test_a_flipped_bit_in_the_cache_has_the_data_decoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    read = fashion(tmp_path)
    files = {name: md5(body) for name, body in fashion_files().items()}
    monkeypatch.setenv("FASHSEG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fashion_mnist.read_fashion_mnist, "__defaults__", (fashion_mnist.MIRRORS, False, files))
    caplog.set_level(logging.INFO)
    options = FashionMNIST(name="fashion_mnist", root=str(tmp_path), download=False, resident=way == "read")
    good = [array for arrays in read() for array in arrays]
    load(SOURCES["fashion_mnist"], options)
    (path,) = cache.folder().iterdir()
    content, tried, again = path.read_bytes(), amount(20, 200), 0
    for seed in range(tried):
        damaged = flipped(content, seed)
        path.write_bytes(damaged)
        caplog.clear()
        stored = load(SOURCES["fashion_mnist"], options)
        for array, expected in zip((*stored.train, *stored.test), good, strict=True):
            rows = np.arange(len(expected))
            assert np.array_equal(array.index_select(0, torch.from_numpy(rows)).numpy(), expected), f"flip {seed}"
        if "the data is decoded again" in caplog.text:
            again += 1
            assert str(path) in caplog.text
            assert path.read_bytes() == content, "and the cache is mended"
    assert again
    record(
        f"one bit flipped in the cache of decoded arrays ({way})",
        tried=tried,
        survived=tried,
        remarks=f"{again} decoded again, the others were in unused zeros",
    )


def flipped(content: bytes, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    damaged = bytearray(content)
    damaged[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
    return bytes(damaged)
