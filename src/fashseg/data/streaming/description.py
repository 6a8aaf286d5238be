"""``info.json`` and ``index.json``: what a data set in chunks tells about itself, read as if anybody had written it.

``info.json`` is written last, so that where it is all of the data set is:

- ``format``, 1; ``fashseg``, the version that wrote it; ``info``, the facts of `fashseg.data.info.DataInfo`;
- ``parts``: for ``train``, ``val`` and ``test`` the number of ``images``, their ``shape`` (channels, height, width; of
  training larger than that of the facts where windows are drawn), images a chunk (``chunk``), the ``fingerprint`` that
  the same images and targets in memory have, and how many images or pixels there are of each class (``class_counts``);
- ``order``: ``kept``, that of the source, or ``random``; ``split``, how validation images were held out;
  ``shared_groups`` and ``partial``, as of the source; ``source``, the options that it was read by.

An ``index.json`` is litdata's, whose entries for chunks have one value more, their ``crc32``.
"""

import re
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from fashseg.data.info import DataInfo
from fashseg.data.plausible import MOST_VALUES, checked_info
from fashseg.data.streaming.layout import MOST_CHUNK_BYTES, Layout
from fashseg.data.streaming.places import INDEX, INFO, PARTS, Place, PlaceError
from fashseg.text import printable
from fashseg.untrusted import RefusedError, parsed_json

FORMAT = 1
ORDERS = ("kept", "random")
_MOST_INFO_BYTES = 2**22
_MOST_INDEX_BYTES = 2**27  # of a million chunks
_MOST_IMAGES = 10**12
_OTHER = "It is damaged, or was written by another version of fashseg; write it anew by fashseg.prepare shards=."


@dataclass(frozen=True)
class Part:
    """What is known of a part before its index is read; see the module for the meaning."""

    images: int
    shape: tuple[int, int, int]
    chunk: int
    fingerprint: str
    class_counts: tuple[int, ...]


@dataclass(frozen=True)
class Description:
    """The content of ``info.json``."""

    info: DataInfo
    parts: dict[str, Part]
    order: str
    split: str
    shared_groups: int | None
    partial: bool
    source: dict[str, Any]

    def to_dict(self, version: str) -> dict[str, Any]:
        """As it is written, plain values only."""
        parts = {name: asdict(part) for name, part in self.parts.items()}
        values = {name: getattr(self, name) for name in ("order", "split", "shared_groups", "partial", "source")}
        return {"format": FORMAT, "fashseg": version, "info": self.info.to_dict(), "parts": parts, **values}


def read_description(place: Place) -> Description:
    """What a data set tells about itself.

    Raises:
        PlaceError: there is none, or it is not plausible.
    """
    content = place.read(INFO, _MOST_INFO_BYTES)
    try:
        return _description(parsed_json(content))
    except KeyError as error:
        raise _refused(place, INFO, f"it has no {error}") from error
    except (RefusedError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise _refused(place, INFO, str(error)) from error


def read_checksums(place: Place, name: str, part: Part, layout: Layout) -> npt.NDArray[np.uint32]:
    """The CRC-32 of each chunk of a part, from its index, which has to be as this format has it.

    Raises:
        PlaceError: there is no index, or it is of other chunks than these.
    """
    file = f"{name}/{INDEX}"
    content = place.read(file, _MOST_INDEX_BYTES)
    try:
        index = parsed_json(content)
        _check_config(index["config"], layout)
        return _checksums(index["chunks"], part, layout)
    except KeyError as error:
        raise _refused(place, file, f"it has no {error}") from error
    except (RefusedError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise _refused(place, file, str(error)) from error


def chunk_name(part: str, number: int) -> str:
    """The file of a chunk, as one process of litdata's names it."""
    return f"{part}/chunk-0-{number}.bin"


def _refused(place: Place, file: str, reason: str) -> PlaceError:
    return PlaceError(f"{place.where}/{file} can't be used: {reason[:300]}.", _OTHER)


def _description(values: Any) -> Description:
    if values["format"] != FORMAT:
        raise ValueError(f"it is of format {values['format']!r:.20}, this version of fashseg reads {FORMAT}")
    info = checked_info(values["info"])
    parts = {name: _part(values["parts"][name], info, trained=name != "test") for name in PARTS}
    if values["order"] not in ORDERS:
        raise ValueError(f"its images are in the order {values['order']!r:.60}")
    split, shared = values["split"], values["shared_groups"]
    if not isinstance(split, str) or len(split) > 60 or printable(split) != split:
        raise ValueError("it does not say how validation images were held out")
    if shared is not None and not _whole(shared, 0, parts["val"].images):
        raise ValueError("it does not say how many validation images show what is trained on")
    source = values["source"]
    return Description(
        info,
        parts,
        values["order"],
        split,
        shared,
        values["partial"] is True,
        source if isinstance(source, dict) else {},
    )


def _part(values: Any, info: DataInfo, trained: bool) -> Part:
    shape, counts, mark = tuple(values["shape"]), values["class_counts"], values["fingerprint"]
    images, chunk = values["images"], values["chunk"]
    if not _whole(images, 1, _MOST_IMAGES) or not _whole(chunk, 1, _MOST_IMAGES):
        raise ValueError("it does not say how many images there are, in chunks of how many")
    if len(shape) != 3 or not all(_whole(side, 1, MOST_VALUES) for side in shape):
        raise ValueError("it does not say how large its images are")
    larger = trained and info.task == "segmentation" and shape[0] == info.shape[0]
    fits = all(side >= seen for side, seen in zip(shape, info.shape, strict=True)) if larger else shape == info.shape
    if not fits or prod(shape) > MOST_VALUES:
        raise ValueError(f"its images are {' × '.join(map(str, shape))}, where {info.shape} are described")
    if Layout.of(info, shape).chunk_bytes(chunk) > MOST_CHUNK_BYTES:
        raise ValueError(f"its chunks have more than {MOST_CHUNK_BYTES:,} bytes")
    if not isinstance(mark, str) or not re.fullmatch("[0-9a-f]{64}", mark):
        raise ValueError("its fingerprint is no SHA-256")
    most = _MOST_IMAGES * MOST_VALUES
    if len(counts) != len(info.class_names) or not all(_whole(count, 0, most) for count in counts):
        raise ValueError("it does not say how much there is of each class")
    return Part(images, shape, chunk, mark, tuple(counts))


def _check_config(config: Any, layout: Layout) -> None:
    if config["data_format"] != layout.formats:
        raise ValueError(
            f"its images are kept as {', '.join(map(str, config['data_format']))}; read are {', '.join(layout.formats)}"
        )
    for name in ("compression", "encryption"):
        if config.get(name) is not None:
            raise ValueError(f"its chunks have {name}, which is not read")


def _checksums(chunks: Any, part: Part, layout: Layout) -> npt.NDArray[np.uint32]:
    count = -(-part.images // part.chunk)
    if len(chunks) != count:
        raise ValueError(f"it lists {len(chunks):,} chunks, where {count:,} belong")
    checksums = np.empty(count, np.uint32)
    for number, chunk in enumerate(chunks):
        images = min(part.chunk, part.images - number * part.chunk)
        expected = {
            "filename": chunk_name("", number)[1:],
            "chunk_size": images,
            "chunk_bytes": layout.chunk_bytes(images),
        }
        for name, value in expected.items():
            if chunk[name] != value:
                raise ValueError(f"its chunk {number} has {name}={chunk[name]!r:.60}, where {value} belongs")
        if not _whole(chunk["crc32"], 0, 2**32 - 1):
            raise ValueError(f"its chunk {number} has no checksum")
        checksums[number] = chunk["crc32"]
    return checksums


def _whole(number: Any, least: int, most: int) -> bool:
    return type(number) is int and least <= number <= most
