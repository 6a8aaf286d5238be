"""Reads files that anybody may have written: a run folder that was downloaded, sent, or damaged. Imports no torch.

What is read is data and nothing else: no code of a file is run, no environment variable and no other file is looked up,
and memory and time are bounded, by limits far above what a run writes. What breaks a rule is refused by
`RefusedError`, which is a ValueError and says what is wrong in one line.
"""

import csv
import io
import json
import math
import os
import stat
from collections.abc import Hashable, Iterable
from itertools import zip_longest
from pathlib import Path
from typing import Any

MOST_BYTES = 4 * 2**20  # of a file of text; a run writes some kilobytes
MOST_YAML_BYTES = 2**20  # of which PyYAML reads a megabyte in some seconds
MOST_NODES = 20_000  # values of a YAML file
MOST_DEPTH = 20
MOST_CELLS = 2_000_000  # of metrics.csv
MOST_DIGITS = 25  # of a whole number
MOST_LETTERS = 1000  # of a number in YAML: one of a base of 60 takes the square of its length


class RefusedError(ValueError):
    """A file that is not read any further."""


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a regular file of at most so many bytes.

    Raises:
        OSError: it is missing or can't be read.
        RefusedError: it is no file or too large. A pipe or a device, which might never end, is not opened for reading.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError("it is no regular file")
        # Room is made for as many as are asked for; a file that grows meanwhile is too large, or refused as cut off.
        content = file.read(min(most, status.st_size) + 1)
    if len(content) > most:
        raise RefusedError(f"it has more than {most:,} bytes")
    return content


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """The same as UTF-8 without NUL characters."""
    return _text(read_bytes(path, most))


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(f"it is not UTF-8: {error.reason} at byte {error.start}") from error
    if "\0" in text:
        raise RefusedError("it holds a NUL character")
    return text


def read_json(path: Path, most: int = MOST_BYTES) -> Any:
    """JSON of at most so many bytes. What is no finite number is null, as in the files that a run writes.

    Raises:
        OSError: it is missing or can't be read.
        RefusedError: it is no JSON, too large or too deep, or holds a key twice or a whole number of too many digits.
    """
    return parsed_json(read_bytes(path, most))


def parsed_json(data: bytes) -> Any:
    """The same of bytes that were read already.

    Raises:
        RefusedError: as `read_json`.
    """
    text = _text(data)
    try:
        content = json.loads(
            text,
            object_pairs_hook=_without_doubles,
            parse_int=_whole_number,
            parse_float=_finite,
            parse_constant=_nothing,
        )
    except json.JSONDecodeError as error:
        raise RefusedError(str(error)) from error
    except RecursionError:
        raise RefusedError("its lists and objects are nested too deeply") from None
    _refuse_depth(content)
    return content


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise RefusedError(f"it holds the key {_first_double(key for key, _ in pairs)!r} more than once")
    return content


def _first_double(keys: Iterable[Hashable]) -> Hashable:
    seen: set[Hashable] = set()
    return next(key for key in keys if key in seen or seen.add(key))  # type: ignore[func-returns-value]


def _whole_number(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise RefusedError(f"it holds a whole number of {len(digits)} digits")
    return int(digits)


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _nothing(_name: str) -> None:
    return None


def _refuse_depth(content: Any) -> None:
    level: list[Any] = [content]
    for _ in range(MOST_DEPTH + 1):
        inside = (item.values() if isinstance(item, dict) else item for item in level)
        level = [value for values in inside for value in values if isinstance(value, (dict, list))]
        if not level:
            return
    raise RefusedError(f"its lists and objects are nested more than {MOST_DEPTH} deep")


def read_yaml(path: Path) -> Any:
    """YAML of one document: texts, numbers, lists, and groups whose keys are texts.

    Raises:
        OSError: it is missing or can't be read.
        RefusedError: it is no YAML, too large or too deep, holds a key twice, or has anchors, aliases or tags, which
            could make little of it much, or another thing than a value.
    """
    import yaml
    from omegaconf._utils import get_yaml_loader  # reads 1e-3 as the number that it is

    text = read_text(path, MOST_YAML_BYTES)
    try:
        _scan(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        content = yaml.load(text, Loader=get_yaml_loader())
    except RefusedError:
        raise
    except (yaml.YAMLError, ValueError, TypeError, LookupError, OverflowError) as error:
        raise RefusedError(" ".join(str(error).split())) from error
    _refuse_odd_values(content)
    return content


def _scan(events: Iterable[Any]) -> None:
    """Refuse what is too much before anything is built of it."""
    depth = 0
    for count, event in enumerate(events):
        if getattr(event, "anchor", None) is not None:
            raise RefusedError(f"it holds the anchor or alias {event.anchor}, which no run writes")
        if getattr(event, "tag", None) is not None:
            raise RefusedError(f"it holds the tag {event.tag}, which no run writes")
        if (
            len(value := getattr(event, "value", "")) > MOST_LETTERS
            and value[0] in "+-.0123456789"
            and event.implicit[0]
        ):
            raise RefusedError(f"it holds a number of {len(value):,} letters")
        kind = type(event).__name__
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        if depth > MOST_DEPTH:
            raise RefusedError(f"its lists and groups are nested more than {MOST_DEPTH} deep")
        if count > MOST_NODES:
            raise RefusedError(f"it holds more than {MOST_NODES:,} values")


def _refuse_odd_values(content: Any) -> None:
    if isinstance(content, dict):
        for key, value in content.items():
            if not isinstance(key, str):
                raise RefusedError(f"its key {key!r:.60} is no text")
            _refuse_odd_values(value)
    elif isinstance(content, list):
        for value in content:
            _refuse_odd_values(value)
    elif isinstance(content, str):
        if "\0" in content:
            raise RefusedError("it holds a NUL character")
    elif isinstance(content, int):
        if abs(content) >= 10**MOST_DIGITS:
            raise RefusedError(f"it holds a whole number of more than {MOST_DIGITS} digits")
    elif not isinstance(content, float) and content is not None:
        raise RefusedError(f"it holds a value of the type {type(content).__name__}")


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a header, each cell by the name of its column: empty where the row ends before it.

    Raises:
        OSError: it is missing or can't be read.
        RefusedError: it is no such table, or too large.
    """
    rows: list[dict[str, str]] = []
    reader = csv.reader(io.StringIO(read_text(path, 4 * MOST_BYTES), newline=""))
    try:
        header = next(reader, [])
        for cells in reader:
            if (len(rows) + 1) * len(header) > MOST_CELLS:
                raise RefusedError(f"it holds more than {MOST_CELLS:,} cells")
            if cells:
                rows.append(
                    {name: text for name, text in zip_longest(header, cells[: len(header)], fillvalue="") if name}
                )
    except csv.Error as error:
        raise RefusedError(str(error)) from error
    return rows
