"""The data sets ``image_folder`` and ``mask_folder``: what the rest of the project asks of them."""

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from fashseg import config as cfg
from fashseg.data import cache
from fashseg.data.folders.decoding import decode_pieces, decode_sets
from fashseg.data.folders.naming import names_of_values
from fashseg.data.folders.opening import Opened, decoding_version, note_names, opened
from fashseg.data.folders.palettes import generated_palette, palette_of
from fashseg.data.folders.parts import untrained, validation
from fashseg.data.info import Arrays, DataInfo
from fashseg.data.source import Inputs, Source
from fashseg.data.splits import IntArray
from fashseg.errors import UserError
from fashseg.text import first_of

log = logging.getLogger(__name__)

_SHOWN = 20
# Options that the arrays do not follow from.
_APART = ("resident", "workers", "val_share", "split_seed", "fold", "folds")


def read(options: cfg.OwnData) -> tuple[Arrays, Arrays]:
    """Training set, validation images included, and test set."""
    found = opened(options)
    return decode_sets(found.plan, found.parts.train, found.parts.test)


def by_pieces(options: cfg.OwnData) -> tuple[Iterator[Arrays], Iterator[Arrays]] | None:
    """The same in pieces; None where all images have to be looked at first."""
    found = opened(options)
    if found.plan.fit == "contain":
        return None
    return decode_pieces(found.plan, found.parts.train), decode_pieces(found.plan, found.parts.test)


def inputs(options: cfg.OwnData) -> Inputs:
    """What the arrays follow from: options, files, and the version of what turns these into arrays."""
    found = opened(options)
    items = [[asdict(item) for item in part] for part in (found.parts.train, found.parts.test)]
    naming = asdict(found.naming) if found.naming else list(found.names)
    digest = hashlib.sha256(json.dumps([items, naming, list(found.plan.shape)]).encode()).hexdigest()
    named = {key: value for key, value in asdict(options).items() if key not in _APART}
    return Inputs({**named, "root": str(found.root)}, found.files, f"{decoding_version()}, {digest}")


def counts(options: cfg.OwnData) -> tuple[int, int]:
    """Number of images of both sets."""
    parts = opened(options).parts
    return len(parts.train), len(parts.test)


def groups(options: cfg.OwnData) -> Sequence[str] | None:
    """What each image of the training set shows; None where nobody says."""
    return opened(options).parts.groups


def split(options: cfg.OwnData, images: int) -> tuple[IntArray, IntArray]:
    """Places of the training and of the validation images."""
    parts = opened(options).parts
    assert images == len(parts.train)
    train, val = validation(parts, options)
    if lacking := untrained(options, parts, train):
        raise UserError(
            f"data.root={options.root}: no image of the class {lacking[0]} is left for training.",
            "Add pictures of it, hold out fewer, or choose other groups, lists or seeds.",
        )
    return train, val


def said(options: cfg.OwnData) -> list[str]:
    """Sentences on what is in the folder and what becomes of it."""
    data = opened(options)
    names = data.names
    return [
        *(f"data.root={data.root}: {line}" for line in data.said),
        f"{len(names)} classes: {first_of(names, _SHOWN)}",
    ]


def describe(options: cfg.OwnData) -> DataInfo:
    """The facts, found in the folder; what takes reading all images is found once.

    Raises:
        UserError: the folder is not as it must be.
    """
    found = opened(options, anew=True)
    task = cfg.TASKS["data"][options.name]
    channels = found.plan.shape[0]
    info = DataInfo(
        name=options.name,
        task=task,
        class_names=found.names or tuple(map(str, range(256))),
        shape=found.plan.shape,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        fit=options.fit,
        ignore=found.naming.ignore if found.naming else None,
    )
    place = cache.entry(f"{options.name}_facts", *inputs(options))
    facts = cache.remembered(place, lambda: _measure(options, info))
    names = found.names or names_of_values(found.root, found.naming, facts["labels"])
    info = replace(info, class_names=names, mean=tuple(facts["mean"]), std=tuple(facts["std"]))
    if found.naming:
        info = replace(info, palette=_palette(found, len(names)))
    note_names(options, names)
    for line in said(options):
        log.info("%s", line)
    return info


def _palette(found: Opened, classes: int) -> tuple[str, ...]:
    assert found.naming is not None
    return found.naming.colours or palette_of(found.files[-1], classes) or generated_palette(classes)


def _measure(options: cfg.OwnData, info: DataInfo) -> dict[str, list[Any]]:
    """Mean and standard deviation per channel over the training set, validation images included so that they do not
    follow the split; and how often each label occurs in both sets.
    """
    import torch

    from fashseg.data.stored import load

    stored = load(Source(info, read, inputs, counts, by_pieces=by_pieces), options)
    total = square = np.zeros(info.shape[0])
    labels = np.zeros(256, np.int64)
    for part in (stored.train, stored.test):
        for rows in torch.split(torch.arange(len(part.images)), 64):
            labels += np.bincount(part.targets.index_select(0, rows).numpy().reshape(-1), minlength=256)
            if part is stored.train:
                values = part.images.index_select(0, rows).numpy().astype(np.float64)
                total = total + values.sum((0, 2, 3))
                square = square + (values**2).sum((0, 2, 3))
    pixels = len(stored.train.images) * info.shape[1] * info.shape[2]
    mean = total / pixels
    std = np.sqrt(np.maximum(square / pixels - mean**2, 0))
    std[std < 0.5] = 1  # images of one single value
    return {"mean": mean.round(3).tolist(), "std": std.round(3).tolist(), "labels": labels.tolist()}
