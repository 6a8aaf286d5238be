"""Files as they are after an accident, a bad medium or a bad intention."""

import io
import json
import random
import re
from typing import Any

import numpy as np
import yaml

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7, 0.5, -0.5, 1e308, -1e308, 1e-320, 10**24, -(10**24), 2**63, float("nan")),
    *(
        "",
        "x",
        " ",
        "<script>",
        "\x1b[31m",
        "[red]",
        "[/b]",
        "${oc.env:HOME}",
        "${a}",
        "${seed}",
        "finished",
        "running",
    ),
    *("failed", "classification", "segmentation", "cnn", "é" * 300, "x" * 20_000, "nan", "1e5", "true", "../..", "/"),
    *(
        [],
        {},
        [[]],
        [None],
        {"": None},
        {"mean": None},
        {"a": 1},
        [1, 2, 3],
        ["a", "b"],
        [[1, 2], [3, 4]],
        {"name": "x"},
    ),
)
PIECES = (
    *(
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\r",
        b"\n",
        b"\t",
        b"'",
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b"-",
        b"#",
    ),
    *(b"&a", b"*a", b"!!python/none", b"${a}", b"${oc.env:HOME}", b"PK\x03\x04", b"NaN", b"1e999", b"9" * 400, b"<b>"),
    *(
        b"[" * 3000,
        b'{"a":' * 3000,
        b"\x1b[2J",
        b"null",
        b"true",
        b"\\",
        b"\\u0000",
        b"\\ud800",
        b"\xed\xa0\x80",
        b"? [",
    ),
)


def mutated(content: bytes, chance: random.Random, others: tuple[bytes, ...] = ()) -> bytes:
    """Bytes with one to three changes: bits, ends, pieces of other files, numbers that are too large."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        content = chance.choice(CHANGES)(content, chance, others)
    return content


def _flip(content: bytes, chance: random.Random, _others: tuple[bytes, ...]) -> bytes:
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 4, 64)) if data else 0):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _truncate(content: bytes, chance: random.Random, _others: tuple[bytes, ...]) -> bytes:
    place = chance.randrange(len(content) + 1)
    return chance.choice((content[:place], content[place:], content[: max(0, len(content) - 3)], b""))


def _insert(content: bytes, chance: random.Random, _others: tuple[bytes, ...]) -> bytes:
    place = chance.randrange(len(content) + 1)
    piece = chance.choice((*PIECES, chance.randbytes(chance.randrange(1, 40))))
    return content[:place] + piece + content[place:]


def _delete(content: bytes, chance: random.Random, _others: tuple[bytes, ...]) -> bytes:
    place = chance.randrange(len(content) + 1)
    return content[:place] + content[place + chance.choice((1, 3, 30, 1000)) :]


def _splice(content: bytes, chance: random.Random, others: tuple[bytes, ...]) -> bytes:
    source = chance.choice((content, *others))
    start, place = chance.randrange(len(source) + 1), chance.randrange(len(content) + 1)
    piece = source[start : start + chance.choice((4, 40, 400))]
    return content[:place] + piece + content[place + chance.choice((0, len(piece))) :]


def _number(content: bytes, chance: random.Random, _others: tuple[bytes, ...]) -> bytes:
    found = list(re.finditer(rb"\d+", content))
    if not found:
        return content
    where = chance.choice(found)
    value = chance.choice(
        (b"0", b"-1", b"9" * 18, b"9" * 400, b"1e400", b"-", b"0x1", b"1_0", b".", b"1:1:1", b"1e-400")
    )
    return content[: where.start()] + value + content[where.end() :]


CHANGES = (_flip, _truncate, _insert, _delete, _splice, _number)


def changed_tree(tree: Any, chance: random.Random) -> Any:
    """Nested dictionaries and lists with something in them replaced, left out, renamed or nested."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        tree = _changed(json.loads(json.dumps(tree)), chance)
    return tree


def _changed(tree: Any, chance: random.Random) -> Any:
    places = list(_places(tree))
    if not places:
        return chance.choice(ODD)
    holder, key = chance.choice(places)
    kind = chance.randrange(6)
    if kind < 3:
        holder[key] = chance.choice(ODD)
    elif kind == 3:
        del holder[key]
    elif kind == 4 and isinstance(holder, dict):
        holder[chance.choice(("", "x", "mean", "<b>", "\x1b[1m", f"{key}.{key}", "name"))] = holder.pop(key)
    else:
        for _ in range(chance.choice((1, 5, 30, 200))):
            holder[key] = chance.choice(([holder[key]], {"a": holder[key]}))
    return tree


def _places(tree: Any) -> Any:
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield tree, key
        yield from _places(value)


def mutated_json(content: bytes, chance: random.Random, others: tuple[bytes, ...] = ()) -> bytes:
    """JSON with other bytes, or other values."""
    if chance.random() < 0.4:
        return mutated(content, chance, others)
    return json.dumps(changed_tree(json.loads(content), chance), ensure_ascii=chance.random() < 0.5).encode()


def mutated_yaml(content: bytes, chance: random.Random, others: tuple[bytes, ...] = ()) -> bytes:
    """YAML with other bytes, or other values."""
    if chance.random() < 0.4:
        return mutated(content, chance, others)
    tree = changed_tree(yaml.safe_load(content), chance)
    return yaml.safe_dump(tree, allow_unicode=True, default_flow_style=chance.random() < 0.2).encode()


def mutated_npz(content: bytes, chance: random.Random, others: tuple[bytes, ...] = ()) -> bytes:
    """An archive with other bytes, or arrays of other types, shapes and values."""
    if chance.random() < 0.4:
        return mutated(content, chance, others)
    arrays = dict(np.load(io.BytesIO(content)))
    for _ in range(chance.choice((1, 1, 2))):
        name = chance.choice(list(arrays))
        arrays[name] = np.asarray(chance.choice(ARRAYS)(arrays[name], chance))
    if chance.random() < 0.2:
        del arrays[chance.choice(list(arrays))]
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _odd_value(array: Any, chance: random.Random) -> Any:
    array = array.copy()
    if array.size and array.dtype.kind in "iuf":
        place = chance.randrange(array.size)
        highest = np.finfo(array.dtype).max if array.dtype.kind == "f" else np.iinfo(array.dtype).max
        array.reshape(-1)[place] = chance.choice((highest, 0, highest // 2, 1))
        if array.dtype.kind == "f":
            array.reshape(-1)[place] = chance.choice((np.nan, np.inf, -np.inf, -1, highest))
        elif array.dtype.kind == "i":
            array.reshape(-1)[place] = chance.choice((-1, np.iinfo(array.dtype).min))
    return array


ARRAYS = (
    _odd_value,
    _odd_value,
    lambda array, _: array[..., :-1] if array.ndim else array,
    lambda array, _: array[:-1] if array.ndim else array,
    lambda array, _: array[:0] if array.ndim else np.zeros((0,)),
    lambda array, _: np.concatenate([array, array]) if array.ndim else np.array([array, array]),
    lambda array, _: array[None],
    lambda array, _: array.reshape(-1),
    lambda array, _: array.T,
    lambda array, chance: (
        array.astype(chance.choice(["f2", "f8", "i8", "u1", "S4", "c16", "?"]))
        if array.dtype.kind in "iuf"
        else np.array(3)
    ),
    lambda _, chance: np.zeros(tuple(chance.choice((0, 1, 2, 10)) for _ in range(chance.randrange(5)))),
    lambda array, chance: np.full(
        array.shape, chance.choice((0, 1, 255)), array.dtype if array.dtype.kind != "U" else "i4"
    ),
    lambda *_: np.array("x" * 3000),
)
