"""Writes a data set in chunks: the images and targets of its parts as litdata keeps them, and what it is."""

import contextlib
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fashseg import __version__
from fashseg.data.arrays import ArrayDataset
from fashseg.data.info import DataInfo
from fashseg.data.streaming.description import Description, Part, chunk_name
from fashseg.data.streaming.layout import MOST_CHUNK_BYTES, Layout
from fashseg.data.streaming.places import INDEX, INFO
from fashseg.files import write_atomically
from fashseg.text import bytes_in_words, counted

KEPT_BYTES = 2 * 10**9
"""Training images of up to so many bytes are written in the order of their source, if nobody says otherwise: with them
an epoch can be shuffled in full."""

_AT_ONCE = 256  # images that are taken out of the source

Send = Callable[[Path, str], None]


@dataclass(frozen=True)
class Plan:
    """How it is written.

    Attributes:
        chunk_bytes: of a chunk, about.
        order: ``kept``, ``random`` or ``auto``, of the training images.
        seed: of a random order.
        send: puts a file, which is then deleted here, in its place under a name; None leaves all in the folder.
    """

    chunk_bytes: int
    order: str
    seed: int
    send: Send | None = None


def write(
    folder: Path, info: DataInfo, parts: dict[str, ArrayDataset], facts: dict[str, Any], plan: Plan
) -> Iterator[str]:
    """Write all of it, and tell line by line.

    Args:
        folder: is there and empty.
        info: of the data set.
        parts: ``train``, ``val`` and ``test``; all of each image is written.
        facts: ``split``, ``shared_groups``, ``partial`` and ``source`` of `Description`.
        plan: how.

    Raises:
        OSError: the disk does not take it.
        PlaceError: it can't be sent.
    """
    order = plan.order
    if order == "auto":
        order = "kept" if len(parts["train"]) * parts["train"].item_bytes <= KEPT_BYTES else "random"
    if order == "random":
        parts = {**parts, "train": _shuffled(parts["train"], plan.seed)}
    known = {}
    for name, part in parts.items():
        known[name] = _write_part(folder, name, part.whole(), info, plan)
        chunks = -(-known[name].images // known[name].chunk)
        size = known[name].images * Layout.of(info, known[name].shape).image_bytes
        yield f"{name}: {counted(known[name].images, 'image')} in {counted(chunks, 'chunk')}, {bytes_in_words(size)}"
    described = Description(info, known, order, **facts)
    _put(folder, INFO, json.dumps(described.to_dict(__version__), indent=1, ensure_ascii=False) + "\n", plan.send)
    yield f"training images are in {'their' if order == 'kept' else 'random'} order"


def _shuffled(part: ArrayDataset, seed: int) -> ArrayDataset:
    raw = np.random.PCG64(np.random.SeedSequence([seed, len(part)])).random_raw(len(part))
    indices = part.indices[torch.from_numpy(np.argsort(raw, kind="stable"))]
    return ArrayDataset(part.images, part.targets, indices, part.window)


def _write_part(folder: Path, name: str, part: ArrayDataset, info: DataInfo, plan: Plan) -> Part:
    from litdata.streaming.writer import BinaryWriter

    shape: tuple[int, int, int] = tuple(part.images.shape[1:])  # type: ignore[assignment]
    layout = Layout.of(info, shape)
    chunk = max(1, min(plan.chunk_bytes, MOST_CHUNK_BYTES) // layout.image_bytes)
    target = folder / name
    target.mkdir()
    writer = BinaryWriter(str(target), chunk_size=chunk)
    checksums: list[int] = []

    def done(paths: Sequence[str | None]) -> None:
        for path in filter(None, paths):
            checksums.append(_crc(Path(path)))
            if plan.send:
                plan.send(Path(path), chunk_name(name, len(checksums) - 1))
                Path(path).unlink()

    for number, (image, label) in enumerate(_items(part)):
        done([writer.add_item(number, {"image": image, "target": label})])
    done(writer.done())
    writer.merge()
    index = json.loads((target / INDEX).read_text(encoding="utf-8"))
    for entry, crc in zip(index["chunks"], checksums, strict=True):
        entry["crc32"] = crc
    _put(folder, f"{name}/{INDEX}", json.dumps(index, sort_keys=True), plan.send)
    counts = part.class_counts(len(info.class_names), info.ignore)
    return Part(len(part), shape, chunk, part.fingerprint, tuple(counts))


def _items(part: ArrayDataset) -> Iterator[tuple[Any, Any]]:
    """Image and target of each item, as litdata's serialisers take them."""
    for rows in torch.split(part.indices, _AT_ONCE):
        images, targets = part.raw(rows)
        labels: Tensor | list[int] = targets if targets.ndim > 1 else targets.tolist()
        for image, label in zip(images, labels, strict=True):
            yield image.numpy(), label.numpy() if isinstance(label, Tensor) else label


def _crc(path: Path) -> int:
    with path.open("rb") as file:
        crc = 0
        while piece := file.read(2**20):
            crc = zlib.crc32(piece, crc)
    return crc


def _put(folder: Path, name: str, text: str, send: Send | None) -> None:
    write_atomically(folder / name, text)
    if send:
        send(folder / name, name)


@contextlib.contextmanager
def to_be_sent() -> Iterator[Path]:
    """A folder for what is sent away file by file."""
    with tempfile.TemporaryDirectory(prefix=f"fashseg-{os.getpid()}-") as folder:
        yield Path(folder)
