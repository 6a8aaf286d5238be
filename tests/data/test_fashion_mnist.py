"""The four files of Fashion-MNIST: read right, fetched where missing, refused where they are not the published ones."""

import gzip
import os
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from serving import Answer, Server, closed_port, serving
from tiny import fashion_files, idx, md5, real_data, real_root, tree

from fashseg.data.fashion_mnist import CLASS_NAMES, FILES, MEAN, STD, parse_idx, read_fashion_mnist
from fashseg.data.info import Arrays
from fashseg.errors import UserError

BODIES = fashion_files()
MD5S = {name: md5(body) for name, body in BODIES.items()}
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = BODIES


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def write(root: Path, bodies: Mapping[str, bytes]) -> Path:
    folder = root / "FashionMNIST" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    return folder


def read(root: Path, *servers: Server | str, download: bool = True) -> tuple[Arrays, Arrays]:
    mirrors = [server if isinstance(server, str) else server.url for server in servers]
    return read_fashion_mnist(root, mirrors=mirrors, download=download, files=MD5S)


def read_other(root: Path, name: str, body: bytes) -> tuple[Arrays, Arrays]:
    """Read a set in which one file is replaced by another that is taken for the published one."""
    write(root, BODIES | {name: body})
    return read_fashion_mnist(root, download=False, files=MD5S | {name: md5(body)})


def test_images_and_labels_are_what_the_files_hold(tmp_path: Path) -> None:
    write(tmp_path, BODIES)
    train, test = read(tmp_path, download=False)
    assert train.images.shape == (20, 1, 28, 28)
    assert test.images.shape == (10, 1, 28, 28)
    assert train.targets.shape == (20,)
    assert test.targets.shape == (10,)
    for arrays in (train, test):
        assert arrays.images.dtype == arrays.targets.dtype == np.uint8
        assert arrays.images.flags.writeable  # torch warns about arrays that are not
        assert arrays.images.flags.c_contiguous
    assert train.images.tobytes() == gzip.decompress(BODIES[TRAIN_IMAGES])[16:]
    assert test.targets.tobytes() == gzip.decompress(BODIES[TEST_LABELS])[8:]


def test_all_files_are_fetched_once(tmp_path: Path) -> None:
    with serving({name: Answer(body) for name, body in BODIES.items()}) as server:
        first = read(tmp_path, server)
        assert server.asked == list(BODIES)
        again = read(tmp_path, server)
        assert server.asked == list(BODIES)
    assert (first[0].images == again[0].images).all()


def test_only_the_missing_file_is_fetched(tmp_path: Path) -> None:
    folder = write(tmp_path, BODIES)
    (folder / TEST_LABELS).unlink()
    with serving({TEST_LABELS: Answer(BODIES[TEST_LABELS])}) as server:
        read(tmp_path, closed_port(), server)
        assert server.asked == [TEST_LABELS]
    assert tree(folder) == BODIES


def test_relative_root_is_told_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=f"{tmp_path}/data/FashionMNIST/raw lacks {TRAIN_IMAGES}"):
        read(Path("data"), download=False)


DAMAGES = {
    "half": lambda body: body[: len(body) // 2],
    "last byte missing": lambda body: body[:-1],
    "empty": lambda _: b"",
    "one byte more": lambda body: body + b"\0",
    "a web page": lambda _: b"<html>Not found</html>",
    "unpacked": gzip.decompress,
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_file_is_named_and_kept(tmp_path: Path, name: str, damage: str) -> None:
    body = DAMAGES[damage](BODIES[name])
    folder = write(tmp_path, BODIES | {name: body})
    before = tree(tmp_path)
    with serving({n: Answer(b) for n, b in BODIES.items()}) as server, pytest.raises(UserError) as caught:
        read(tmp_path, server)
    assert server.asked == []
    assert tree(tmp_path) == before
    for text in (str(folder / name), f"{len(body):,} bytes", md5(body), MD5S[name]):
        assert text in caught.value.what
    assert "Delete it" in caught.value.way_out


def test_damaged_file_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    write(tmp_path, {TEST_LABELS: b"damaged"})
    with serving({n: Answer(b) for n, b in BODIES.items()}) as server, pytest.raises(UserError, match=TEST_LABELS):
        read(tmp_path, server)
    assert server.asked == []


def test_without_network_the_error_says_what_belongs_where(tmp_path: Path) -> None:
    folder = write(tmp_path, {TRAIN_IMAGES: BODIES[TRAIN_IMAGES]})
    before = tree(tmp_path)
    nobody = closed_port()
    with serving({TRAIN_LABELS: Answer(b"wrong")}) as server, pytest.raises(UserError) as caught:
        read(tmp_path, nobody, server)
    assert tree(tmp_path) == before
    text = str(caught.value)
    assert f"{folder} lacks {TRAIN_LABELS}, {TEST_IMAGES}, {TEST_LABELS}, and" in text
    assert f"{nobody} (Connection refused)" in text
    assert f"{server.url} (wrong bytes" in text
    assert "data=synthetic_fashion" in caught.value.way_out
    assert len(text.splitlines()) == 2


def test_root_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=f"{tmp_path}/file/FashionMNIST/raw cannot be written to") as caught:
        read(tmp_path / "file")
    assert "data=synthetic_fashion" in caught.value.way_out


def test_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    folder = write(tmp_path, {})
    (folder / TRAIN_IMAGES).mkdir()
    with pytest.raises(UserError, match=f"{folder / TRAIN_IMAGES} cannot be read: Is a directory"):
        read(tmp_path, download=False)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_file_without_permission_is_told(tmp_path: Path) -> None:
    folder = write(tmp_path, BODIES)
    (folder / TRAIN_IMAGES).chmod(0)
    with pytest.raises(UserError, match=f"{folder / TRAIN_IMAGES} cannot be read: Permission denied"):
        read(tmp_path, download=False)


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        (TRAIN_IMAGES, b"no gzip", "Not a gzipped file"),
        (TRAIN_IMAGES, BODIES[TRAIN_IMAGES][:-9], "ended before"),
        (TRAIN_IMAGES, BODIES[TRAIN_IMAGES][:40] + b"????" + BODIES[TRAIN_IMAGES][44:], "cannot be decoded"),
        (TRAIN_IMAGES, BODIES[TRAIN_LABELS], "starts with 00000801 .* 00000803"),
        (TRAIN_LABELS, gzip.compress(b"\0\0\x08\x01", mtime=0), "4 bytes, too few"),
        (TRAIN_LABELS, gzip.compress(b"", mtime=0), "0 bytes, too few"),
        (
            TRAIN_LABELS,
            gzip.compress(idx(np.zeros(20, np.uint8)) + b"?", mtime=0),
            "21 values where its header says 20",
        ),
        (
            TRAIN_IMAGES,
            gzip.compress(b"\0\0\x08\x03" + b"\xff" * 12, mtime=0),
            "0 values where .* 4294967295 x 4294967295",
        ),
        (TRAIN_LABELS, BODIES[TEST_LABELS], "10 labels for the 20 images"),
        (TRAIN_LABELS, gzip.compress(idx(np.full(20, 10, np.uint8)), mtime=0), "label 10"),
        (TRAIN_IMAGES, gzip.compress(idx(np.zeros((20, 32, 32), np.uint8)), mtime=0), "32x32"),
    ],
)
def test_well_known_but_impossible_file_is_told(tmp_path: Path, name: str, body: bytes, why: str) -> None:
    with pytest.raises(UserError, match=f"{name}.*{why}"):
        read_other(tmp_path, name, body)


def test_parse_idx_gives_back_any_array() -> None:
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    parsed = parse_idx(idx(values), 3)
    assert (parsed == values).all()
    assert parsed.flags.writeable


@real_data("FashionMNIST/raw")
def test_real_files_are_as_published() -> None:
    start = time.process_time()
    train, test = read_fashion_mnist(real_root(), download=False)
    assert time.process_time() - start < 3  # 0.3 s measured
    assert train.images.shape == (60_000, 1, 28, 28)
    assert test.images.shape == (10_000, 1, 28, 28)
    assert np.bincount(train.targets).tolist() == [6_000] * 10
    assert np.bincount(test.targets).tolist() == [1_000] * 10
    counts = np.bincount(train.images.reshape(-1), minlength=256)
    mean = counts @ np.arange(256) / counts.sum()
    std = np.sqrt(counts @ (np.arange(256) - mean) ** 2 / counts.sum())
    assert (mean / 255, std / 255) == pytest.approx((0.2860, 0.3530), abs=5e-5)
    assert (mean, std) == pytest.approx((*MEAN, *STD), abs=0.02)
    assert len(CLASS_NAMES) == 10
    # A trouser is narrower than a pullover: labels belong to images.
    width = [(train.images[train.targets == label] > 30).any(axis=2).sum(axis=-1).mean() for label in (1, 2)]
    assert width[0] < 0.7 * width[1]
