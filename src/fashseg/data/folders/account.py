"""A readable account of a folder of one's own before anything is trained on it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from fashseg import config as cfg
from fashseg.data.folders.alike import equal_files, near_pairs
from fashseg.data.folders.headers import Header
from fashseg.data.folders.looking import UNUSABLE, Look, look_at_all
from fashseg.data.folders.masks import name_the_others
from fashseg.data.folders.naming import names_of_values
from fashseg.data.folders.opening import Found, find, plan_for
from fashseg.data.folders.parts import untrained, validation
from fashseg.errors import UserError
from fashseg.text import counted, listed, percent

_PARTS = ("training", "validation", "test")
_SHOWN = 5


class HasData(Protocol):
    """Options of a verb, among them those of a data set."""

    @property
    def data(self) -> Any:
        """Of the data set."""


def prepare(options: HasData) -> Iterator[str]:
    """What ``fashseg.prepare`` does for one's own data: the account."""
    return account(options.data)


def account(options: cfg.OwnData) -> Iterator[str]:
    """Look at every file, and tell line by line: counts, sizes, classes, what is suspicious.

    Raises:
        UserError: after all is told, where it can't be trained on.
    """
    found = find(options)
    headers = found.headers(options.name)
    yield f"{found.root}: {counted(len(found.items), 'image')}"
    readable = [header for header in headers if not header.problem]
    if not readable:
        raise UserError(
            f"None of the images below {found.root} can be read: {found.items[0].name} {headers[0].problem}.",
            "Name a folder of pictures.",
        )
    yield from _kinds(readable)
    plan, why = plan_for(options, found, readable)
    yield f"training: {why}, {'grey' if plan.shape[0] == 1 else 'RGB'}"
    looks = look_at_all(plan, found.items, headers)
    parts = _parts(options, found)
    yield _split(options, found, parts)
    yield from _classes(found, looks, parts)
    yield from _suspicious(found, looks, parts)
    bad = [note for look in looks for note in look.notes if note[0] == UNUSABLE]
    if bad:
        raise UserError(
            f"{counted(len(bad), 'file')} can't be used, first {found.root / bad[0][1]}, which {bad[0][2]}.",
            name_the_others([said for _, _, said in bad]) or "Mend or remove what is listed above.",
        )
    if not found.names:
        names_of_values(found.root, found.naming, _pixels(looks))
    yield "all of it can be trained on"


def _kinds(headers: Sequence[Header]) -> Iterator[str]:
    kinds = Counter(f"{header.kind} {header.mode}" for header in headers)
    yield "kinds: " + ", ".join(f"{name} {count:,}" for name, count in kinds.most_common(8))
    sizes = Counter((header.width, header.height) for header in headers)
    if len(sizes) <= _SHOWN:
        yield "sizes: " + ", ".join(f"{width}×{height} {count:,}" for (width, height), count in sizes.most_common())
        return
    widths, heights = zip(*sizes, strict=True)
    (width, height), most = sizes.most_common(1)[0]
    yield (
        f"sizes: {len(sizes):,}, {min(widths)} to {max(widths)} wide and {min(heights)} to {max(heights)} high, most "
        f"often {width}×{height} ({most:,})"
    )


def _parts(options: cfg.OwnData, found: Found) -> list[str]:
    """The part of each image."""
    train, val = validation(found.parts, options)
    if lacking := untrained(options, found.parts, train):
        raise UserError(
            f"No image of the class {lacking[0]} is left for training.",
            "Add pictures of it, hold out fewer, or choose other groups, lists or seeds.",
        )
    parts = np.full(len(found.items), "test", dtype="U10")
    parts[train], parts[val] = "training", "validation"
    return parts.tolist()


def _split(options: cfg.OwnData, found: Found, parts: Sequence[str]) -> str:
    counts = Counter(parts)
    alone = "one by one" if isinstance(options, cfg.MaskFolder) else "class by class"
    how = "by group" if options.split == "group" else alone
    given = {item.part for item in found.items}
    drawn = [name for name, part in (("validation", "val"), ("test", "test")) if part not in given]
    said = f"{listed(drawn)} drawn {how}" if drawn else "as they are given"
    if options.fold is not None:
        folded = "by group" if found.parts.groups is not None else alone
        said = f"fold {options.fold} of {options.folds}, drawn {folded}, validates; test images stay"
    groups = {item.group for item in found.items if item.group is not None}
    return f"split: {', '.join(f'{counts[name]:,} {name}' for name in _PARTS)}; {said}" + (
        f"; {len(groups):,} groups" if groups else ""
    )


def _pixels(looks: Sequence[Look]) -> list[int]:
    """How many pixels of all masks have each label."""
    counts = np.zeros(256, np.int64)
    for look in looks:
        counts += np.array(look.pixels or (0,) * 256)
    return counts.tolist()


def _classes(found: Found, looks: Sequence[Look], parts: Sequence[str]) -> Iterator[str]:
    """A table: of each class the images that show it, by part, and its share of all images or pixels."""
    in_pixels = found.naming is not None
    ignore = found.naming.ignore if found.naming else None
    pixels, images = np.zeros((len(_PARTS), 256), np.int64), np.zeros((len(_PARTS), 256), np.int64)
    for item, look, part in zip(found.items, looks, parts, strict=True):
        row = _PARTS.index(part)
        if not in_pixels:
            images[row, found.names.index(item.target)] += 1
        elif look.pixels:
            pixels[row] += look.pixels
            images[row] += np.array(look.pixels) > 0
    shares = pixels if in_pixels else images
    if ignore is not None:
        share = float(pixels[:, ignore].sum() / max(pixels.sum(), 1))
        yield f"pixels that count for nothing (value {ignore}): {percent(share)}"
        shares[:, ignore] = 0
    present = [value for value in np.flatnonzero(shares.any(0)).tolist() if value != ignore]
    names = dict(enumerate(found.names)) or {value: f"class {value}" for value in present}
    wide = max(5, *map(len, names.values()))
    counts, whole = ("images that show it", "pixels") if in_pixels else ("images", "images")
    yield f"{'':<{wide}}  {counts:<28}  share of {whole}"
    yield f"{'class':<{wide}}" + "".join(f"{part:>10}" for part in ("train", "val", "test") * 2)
    each = np.maximum(shares.sum(1), 1)
    for label, name in names.items():
        numbers = "".join(f"{count:>10,}" for count in images[:, label])
        said = "".join(f"{percent(float(share)):>10}" for share in shares[:, label] / each)
        yield f"{name:<{wide}}{numbers}{said}"


def _suspicious(found: Found, looks: Sequence[Look], parts: Sequence[str]) -> Iterator[str]:
    kinds: dict[str, list[str]] = {}
    for look in looks:
        for kind, name, said in look.notes:
            kinds.setdefault(kind, []).append(f"{name} {said}")
    names = [item.name for item in found.items]
    equal = equal_files(looks)
    across = [group for group in equal if len({parts[i] for i in group}) > 1]
    within = [group for group in equal if len({parts[i] for i in group}) == 1]
    for title, groups in (("the same file in two parts", across), ("the same file twice", within)):
        if groups:
            kinds[title] = [" = ".join(f"{names[i]} ({parts[i]})" for i in group[:3]) for group in groups]
    if alike := near_pairs(looks, parts):
        kinds["nearly the same in two parts"] = [
            f"{names[i]} ({parts[i]}) and {names[j]} ({parts[j]})" for i, j in alike
        ]
    if found.naming is None and (told := _two_classes(found, equal)):
        kinds["the same file in two classes"] = told
    if not kinds:
        yield "nothing is suspicious"
    for kind, lines in kinds.items():
        yield f"{kind}: {len(lines):,}"
        yield from (f"  {line}" for line in lines[:_SHOWN])
        if lines[_SHOWN:]:
            yield f"  and {len(lines) - _SHOWN:,} more"


def _two_classes(found: Found, equal: Sequence[Sequence[int]]) -> list[str]:
    items = found.items
    return [
        f"{items[one].name} = {items[other].name}"
        for group in equal
        for one, other in pairwise(group)
        if items[one].target != items[other].target
    ]
