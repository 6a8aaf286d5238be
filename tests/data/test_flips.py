"""Single bits that flip in a file on disk, and files that take each other's place: found by name, in every kind."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tiny import checksums, fashion_files, md5, write_facade, write_mask

from amounts import amount, record
from fashseg.data import cache
from fashseg.data.facade import read_facade
from fashseg.data.fashion_mnist import FOLDER, read_fashion_mnist
from fashseg.errors import UserError

FACADE = ("facade/train/eecs442_0000.jpg", "facade/train/eecs442_0000.png")
FASHION = ("train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")


def flipped(path: Path, flips: int) -> Iterator[int]:
    """The file with one bit changed, so many times; as it was afterwards."""
    good, chance = path.read_bytes(), random.Random(path.name)
    for _ in range(flips):
        bit = chance.randrange(8 * len(good))
        body = bytearray(good)
        body[bit // 8] ^= 1 << bit % 8
        path.write_bytes(body)
        yield bit
    path.write_bytes(good)


def count_found(path: Path, read: Callable[[], object], what: str) -> None:
    """Each flip is an error of ours that names the file first."""
    tries, found = amount(20, 200), 0
    for bit in flipped(path, tries):
        with pytest.raises(UserError) as caught:
            read()
        assert caught.value.what.startswith(f"{path} "), bit
        found += 1
    record(f"a bit flipped in {what}", tried=tries, survived=found, remarks="all found, file and reason named")


@pytest.mark.parametrize("name", FACADE)
def test_a_flipped_bit_of_a_facade_is_found(tmp_path: Path, name: str) -> None:
    manifest = write_facade(tmp_path, 1, 1)
    kind = {".jpg": "a JPEG image", ".png": "a PNG mask"}[Path(name).suffix]
    count_found(tmp_path / name, lambda: read_facade(tmp_path, manifest=manifest), kind)


@pytest.mark.parametrize("name", FASHION)
def test_a_flipped_bit_of_fashion_mnist_is_found(tmp_path: Path, name: str) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    files = fashion_files()
    for file, content in files.items():
        (folder / file).write_bytes(content)
    sums = {file: md5(content) for file, content in files.items()}
    kind = "a file of images (IDX, gzip)" if "images" in name else "a file of labels (IDX, gzip)"
    count_found(folder / name, lambda: read_fashion_mnist(tmp_path, download=False, files=sums), kind)


def test_a_flipped_bit_of_the_cache_is_found_or_harmless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASHSEG_CACHE", str(tmp_path / "cache"))
    arrays = {"images": np.arange(30_000).astype(np.uint8).reshape(100, 300), "labels": np.arange(100, dtype=np.uint8)}
    entry = cache.entry("mine", {}, [], "1")
    assert entry
    assert entry.write({name: array.shape for name, array in arrays.items()}, arrays.items())
    tries, found, harmless = amount(20, 200), 0, 0
    for _ in flipped(entry.path, tries):
        read = entry.read()
        found += read is None
        harmless += read is not None and all(np.array_equal(read[name], arrays[name]) for name in arrays)
    record(
        "a bit flipped in the cache of decoded images",
        tried=tries,
        survived=found + harmless,
        remarks=f"{found} found, {harmless} in the gaps between arrays",
    )
    assert found + harmless == tries
    assert found > tries / 2


def test_a_flipped_bit_of_a_manifest_is_found_or_harmless(tmp_path: Path) -> None:
    pairs = write_facade(tmp_path, 2, 1)
    path = tmp_path / "facade" / "manifest.csv"
    lines = [f"{pair.split},{pair.index},{pair.image_sha256},{pair.mask_sha256}" for pair in pairs]
    path.write_text("\n".join(["split,index,image_sha256,mask_sha256", *lines, ""]))
    expected = read_facade(tmp_path, manifest=pairs)
    tries, found, harmless = amount(20, 200), 0, 0
    for _ in flipped(path, tries):
        try:
            read = read_facade(tmp_path, manifest=pairs)
        except UserError:
            found += 1
        else:
            harmless += all(map(np.array_equal, (*read[0], *read[1]), (*expected[0], *expected[1])))
    record("a bit flipped in manifest.csv", tried=tries, survived=found + harmless, remarks=f"{found} found")
    assert found + harmless == tries


def exchange(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_images_and_masks_of_another_pair_are_found(tmp_path: Path, suffix: str) -> None:
    manifest = write_facade(tmp_path, 3, 1)
    stem = tmp_path / "facade" / "train"
    if suffix == ".png":  # masks of noise alone are alike
        write_mask(stem / "eecs442_0001.png", np.zeros((256, 256)))
        manifest = checksums(tmp_path)
    exchange(stem / f"eecs442_0001{suffix}", stem / f"eecs442_0002{suffix}")
    with pytest.raises(UserError, match="is not the expected file"):
        read_facade(tmp_path, manifest=manifest)


@pytest.mark.parametrize(("one", "other"), [(0, 2), (1, 3), (0, 1)])
def test_files_of_fashion_mnist_in_each_others_place_are_found(tmp_path: Path, one: int, other: int) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    files = fashion_files()
    names = list(files)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    exchange(folder / names[one], folder / names[other])
    with pytest.raises(UserError) as caught:
        read_fashion_mnist(tmp_path, download=False, files={file: md5(content) for file, content in files.items()})
    assert caught.value.what.startswith(f"{folder / names[one]} is not the published file")
