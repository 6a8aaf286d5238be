"""A data root or a part of it that is not what it should be: two lines that name it, nothing waits, nothing is made."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tiny import tree, write_facade

from fashseg.config import Facade, FashionMNIST
from fashseg.data import fashion_mnist
from fashseg.data.facade import read_facade
from fashseg.data.sources import SOURCES
from fashseg.data.stored import load
from fashseg.errors import UserError

NOBODY = 65534


@pytest.fixture(autouse=True)
def _cache_of_this_test(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASHSEG_CACHE", str(tmp_path_factory.mktemp("cache")))


@contextmanager
def somebody_else() -> Iterator[None]:
    """For the superuser, who may read everything, have the rights of a user."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may look into, unlike tmp_path."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder)


def told(name: str, root: Path | str) -> str:
    """What is said about a root, which is the same when it is read again."""
    options: FashionMNIST | Facade = (
        FashionMNIST(name=name, root=str(root), download=False)
        if name == "fashion_mnist"
        else Facade(name=name, root=str(root))
    )
    texts = []
    for _ in range(2):
        with pytest.raises(UserError) as caught:
            load(SOURCES[name], options)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]
    assert len(texts[0].splitlines()) == 2
    return texts[0]


def is_missing(path: Path) -> None:
    pass


def is_a_file(path: Path) -> None:
    path.touch()


def is_a_dead_link(path: Path) -> None:
    path.symlink_to("/nowhere/at/all")


def is_a_ring_of_links(path: Path) -> None:
    path.symlink_to(path)


def is_a_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("name", ["fashion_mnist", "facade"])
@pytest.mark.parametrize("make", [is_missing, is_a_file, is_a_dead_link, is_a_ring_of_links, is_a_pipe])
def test_a_root_that_is_none_is_told(tmp_path: Path, name: str, make: Callable[[Path], None]) -> None:
    root = tmp_path / "root"
    make(root)
    text = told(name, root)
    assert str(root) in text
    assert f"data=synthetic_{name.removesuffix('_mnist')}" in text or "loop" in text or "symbolic" in text
    if make is is_a_dead_link:
        assert f"{root} is a link to /nowhere/at/all, which is not there" in text


@pytest.mark.parametrize("name", ["fashion_mnist", "facade"])
def test_a_root_with_an_impossible_name_is_told(tmp_path: Path, name: str) -> None:
    assert "File name too long" in told(name, tmp_path / ("n" * 300))


@pytest.mark.parametrize("name", ["fashion_mnist", "facade"])
def test_the_home_of_nobody_is_told(name: str) -> None:
    assert "data.root=~no_such_user_x/data" in told(name, "~no_such_user_x/data")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *(("facade", part) for part in ("", "facade", "facade/train")),
        *(("fashion_mnist", part) for part in ("", "FashionMNIST", "FashionMNIST/raw")),
    ],
)
def test_a_folder_that_may_not_be_read_is_told(open_folder: Path, name: str, part: str) -> None:
    for folder in ("facade/train", "facade/test_dev", "FashionMNIST/raw"):
        (open_folder / folder).mkdir(parents=True)
    (open_folder / part).chmod(0)
    with somebody_else():
        text = told(name, open_folder)
    assert "ermission denied" in text
    assert str(open_folder / part) in text


def test_a_file_that_may_not_be_read_is_told(open_folder: Path) -> None:
    pairs = write_facade(open_folder, 2, 1)
    path = open_folder / "facade/train/eecs442_0001.png"
    path.chmod(0)
    with somebody_else(), pytest.raises(UserError, match=r"eecs442_0001.png cannot be read \(Permission denied\)"):
        read_facade(open_folder, manifest=pairs)


@pytest.mark.parametrize("name", ["manifest.csv", "train/eecs442_0001.jpg", "train/eecs442_0001.png"])
@pytest.mark.parametrize("make", [is_a_pipe, is_a_ring_of_links, Path.mkdir])
def test_what_is_no_file_in_the_place_of_one_is_told(tmp_path: Path, name: str, make: Callable[[Path], None]) -> None:
    pairs = write_facade(tmp_path, 2, 1)
    path = tmp_path / "facade" / name
    path.unlink(missing_ok=True)
    make(path)
    if name == "manifest.csv" and make is is_a_ring_of_links:
        read_facade(tmp_path, manifest=pairs)  # there is no manifest behind it: the published checksums count
        return
    with pytest.raises(UserError) as caught:
        read_facade(tmp_path, manifest=pairs)
    assert str(path) in caught.value.what


@pytest.mark.parametrize(("make", "why"), [(is_a_pipe, "no regular file"), (is_a_ring_of_links, "symbolic links")])
def test_fashion_file_that_is_none_is_told(tmp_path: Path, make: Callable[[Path], None], why: str) -> None:
    path = tmp_path / fashion_mnist.FOLDER / "train-labels-idx1-ubyte.gz"
    path.parent.mkdir(parents=True)
    make(path)
    text = told("fashion_mnist", tmp_path)
    assert f"{path} cannot be read" in text
    assert why in text


def test_a_huge_file_under_a_known_name_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / fashion_mnist.FOLDER / "train-labels-idx1-ubyte.gz"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(10 * 2**30)  # takes no room on the disk
    assert "it has 10,737,418,240 bytes, at most 67,108,864 are expected" in told("fashion_mnist", tmp_path)


def test_nothing_is_made_in_a_root_that_is_not_there(tmp_path: Path) -> None:
    told("fashion_mnist", tmp_path / "root")
    told("facade", tmp_path / "root")
    assert tree(tmp_path) == {}
