"""Tiny data sets in chunks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fashseg.config import Streaming
from fashseg.data.arrays import ArrayDataset
from fashseg.data.info import DataInfo
from fashseg.data.source import Opened
from fashseg.data.streaming.source import opened
from fashseg.data.streaming.writing import Plan, write

GREY = DataInfo("grey", "classification", ("a", "b", "c"), (1, 4, 6), (100.0,), (50.0,))
MASKS = DataInfo(
    "masks", "segmentation", ("a", "b", "c"), (3, 6, 4), (100.0,) * 3, (50.0,) * 3, ("#000000", "#FF0000", "#00FF00"),
    ignore=255,
)  # fmt: skip
COUNTS = {"train": 23, "val": 5, "test": 7}
FACTS = {"split": "random", "shared_groups": None, "partial": False, "source": {"name": "grey"}}


def arrays(info: DataInfo, count: int, seed: int) -> ArrayDataset:
    rng = np.random.default_rng(seed)
    images = torch.from_numpy(rng.integers(0, 256, (count, *info.shape), np.uint8))
    sides = info.shape[1:] if info.task == "segmentation" else ()
    targets = torch.from_numpy(rng.integers(0, 3, (count, *sides), np.uint8))
    if info.ignore is not None:
        targets[..., 0] = info.ignore
    return ArrayDataset(images, targets, torch.arange(count))


def write_chunks(
    folder: Path, info: DataInfo = GREY, order: str = "kept", each: int = 5, seed: int = 0
) -> dict[str, ArrayDataset]:
    """A data set in chunks of ``each`` images; returns what is in it."""
    parts = {name: arrays(info, count, seed + i) for i, (name, count) in enumerate(COUNTS.items())}
    folder.mkdir(parents=True, exist_ok=True)
    size = 60 if info is GREY else 148
    list(write(folder, info, parts, FACTS, Plan(each * size, order, 0)))
    return parts


def options(url: str | Path, **values: Any) -> Streaming:
    return Streaming(name="streaming", url=str(url), **values)


def open_chunks(url: str | Path, **values: Any) -> Opened:
    return opened(options(url, **values))


def changed(path: Path, **values: Any) -> None:
    """Change entries at the top of a JSON file; dotted by __."""
    content = json.loads(path.read_text())
    for key, value in values.items():
        inside = content
        *way, last = key.split("__")
        for name in way:
            inside = inside[int(name) if isinstance(inside, list) else name]
        inside[int(last) if isinstance(inside, list) else last] = value
    path.write_text(json.dumps(content))
