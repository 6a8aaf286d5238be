"""Chunks that anybody may have written: nothing runs, nothing else is read, and the error names the file."""

import json
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from made_chunks import changed, open_chunks, write_chunks

from fashseg.data.streaming.part import ChunkedPart
from fashseg.errors import FashsegError, RunError, UserError


class Bomb:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_chunks(tmp_path / "d")
    return tmp_path / "d"


def refusal(folder: Path) -> str:
    """The error of what is opened and read to its end."""

    def read() -> None:
        for part in open_chunks(folder).parts.values():
            part.batch(range(len(part)))

    with pytest.raises(FashsegError) as caught:
        read()
    return caught.value.what


def test_an_index_that_asks_for_pickle_is_refused_and_no_chunk_is_unpickled(folder: Path, tmp_path: Path) -> None:
    bomb = pickle.dumps({"image": Bomb(tmp_path / "gone off"), "target": 1})
    chunk = folder / "train" / "chunk-0-0.bin"
    content = chunk.read_bytes()
    chunk.write_bytes(content[:100] + bomb + content[100 + len(bomb) :])
    changed(folder / "train" / "index.json", config__data_format=["pickle"])
    assert "kept as pickle" in refusal(folder)
    # With the format that is read, and the right checksum, its bytes are pixels.
    crc = zlib.crc32(chunk.read_bytes())
    changed(folder / "train" / "index.json", config__data_format=["numpy", "int"], chunks__0__crc32=crc)
    refusal(folder)  # for its labels
    assert not (tmp_path / "gone off").exists()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"chunks__0__filename": "../val/chunk-0-0.bin"}, "filename"),
        ({"chunks__0__filename": "/etc/passwd"}, "filename"),
        ({"chunks__0__chunk_size": 10**9}, "chunk_size"),
        ({"chunks__0__chunk_bytes": 2**40}, "chunk_bytes"),
        ({"chunks__0__crc32": -1}, "no checksum"),
        ({"chunks__0__crc32": "1"}, "no checksum"),
        ({"chunks": []}, "lists 0 chunks"),
        ({"chunks": {"0": 1}}, "lists 1 chunks"),
        ({"chunks": 7}, "can't be used"),
        ({"chunks__0": 7}, "can't be used"),
        ({"config": None}, "can't be used"),
        ({"config__data_format": ["numpy", "pickle"]}, "numpy, pickle"),
        ({"config__compression": "zstd"}, "compression"),
        ({"config__encryption": {"level": "chunk"}}, "encryption"),
    ],
)
def test_an_index_of_other_chunks_is_refused(folder: Path, value: dict[str, object], said: str) -> None:
    changed(folder / "train" / "index.json", **value)
    text = refusal(folder)
    assert said in text
    assert "train/index.json" in text


@pytest.mark.parametrize(
    "value",
    [
        {"format": 2},
        {"info": 3},
        {"info__task": "sorting"},
        {"info__class_names": []},
        {"info__class_names": ["a", "\x1b[2J", "c"]},
        {"info__shape": [1, 10**6, 10**6]},
        {"info__mean": [float("nan")]},
        {"info__more": 1},
        {"parts": {}},
        {"parts__train__images": 0},
        {"parts__train__images": 10**15},
        {"parts__train__images": 2.0},
        {"parts__train__chunk": 10**11},
        {"parts__train__chunk": True},
        {"parts__train__shape": [1, 4]},
        {"parts__train__shape": [1, 4, 7]},
        {"parts__train__fingerprint": "../../x"},
        {"parts__train__class_counts": [1]},
        {"parts__train__class_counts": [1, 2, -3]},
        {"order": "backwards"},
        {"split": "\x1b[31mred"},
        {"shared_groups": 10**9},
    ],
    ids=str,
)
def test_an_implausible_description_is_refused(folder: Path, value: dict[str, object]) -> None:
    changed(folder / "info.json", **value)
    assert "can't be used" in refusal(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 10**5, b"{}" + b" " * 2**23])
@pytest.mark.parametrize("name", ["info.json", "train/index.json"])
def test_what_is_no_json_is_refused(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    assert name in refusal(folder)


def test_missing_files_are_named(folder: Path) -> None:
    (folder / "val" / "chunk-0-0.bin").unlink()
    assert "val/chunk-0-0.bin" in refusal(folder)
    (folder / "test" / "index.json").unlink()
    assert "test/index.json" in refusal(folder)
    (folder / "info.json").unlink()
    assert "has no info.json" in refusal(folder)


@pytest.mark.parametrize("kind", ["short", "empty", "long", "bit", "label", "folder"])
def test_a_chunk_that_is_not_as_it_was_written_is_named(folder: Path, kind: str) -> None:
    path = folder / "train" / "chunk-0-1.bin"
    content = bytearray(path.read_bytes())
    if kind == "bit":
        content[-20] ^= 1
    if kind == "label":
        content[-8] = 3
        changed(folder / "train" / "index.json", chunks__1__crc32=zlib.crc32(content))
    path.unlink()
    if kind == "folder":
        path.mkdir()
    else:
        path.write_bytes({"short": content[:-1], "empty": b"", "long": content + b"0"}.get(kind, content))
    text = refusal(folder)
    assert "train/chunk-0-1.bin" in text
    words = {"bit": "checksum", "label": "none of the classes"}.get(kind, "bytes")
    assert words in text


def test_a_chunk_that_is_cut_short_while_it_is_read_is_named(folder: Path) -> None:
    part = open_chunks(folder).parts["train"]
    part.batch([0])
    with (folder / "train" / "chunk-0-0.bin").open("r+b") as file:
        file.truncate(40)
    with pytest.raises(RunError, match=r"train/chunk-0-0\.bin can't be read"):
        part.batch([1])


def test_rows_that_are_not_there_are_refused(folder: Path) -> None:
    part = open_chunks(folder).parts["train"]
    assert isinstance(part, ChunkedPart)
    for row in (-1, 23):
        with pytest.raises(IndexError):
            part.batch([row])


def test_too_many_images_to_shuffle_in_full_are_refused(folder: Path) -> None:
    info = json.loads((folder / "info.json").read_text())
    info["parts"]["train"] |= {"images": 10**10, "chunk": 3 * 10**7}
    (folder / "info.json").write_text(json.dumps(info))
    with pytest.raises(UserError, match=r"data\.shuffle=full: the order of 10,000,000,000 images"):
        open_chunks(folder, shuffle="full")
