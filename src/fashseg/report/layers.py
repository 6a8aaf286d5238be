"""The layers of a deep network, gathered until one can read them."""

import itertools
from collections.abc import Sequence
from typing import Any

MOST = 200  # rows of the table on the page


def gathered(layers: Sequence[dict[str, Any]], most: int = MOST) -> list[dict[str, Any]]:
    """As many layers as there are, or blocks of those that follow each other, as deep as rows allow.

    Args:
        layers: see `fashseg.report.network.layers`.
        most: rows.

    Returns:
        Rows like those, of blocks with the sums of their numbers and the output of their last layer.
    """
    if len(layers) <= most:
        return list(layers)
    deepest = max(layer["name"].count(".") for layer in layers)
    for depth in range(deepest, -1, -1):
        blocks = _blocks(layers, depth)
        if len(blocks) <= most:
            return [_as_one(name, block) for name, block in blocks]
    return [_as_one("…", list(layers))]


def _blocks(layers: Sequence[dict[str, Any]], depth: int) -> list[tuple[str, list[dict[str, Any]]]]:
    """Layers that follow each other and have a name in common, down to so many dots."""
    return [
        (name, list(block)) for name, block in itertools.groupby(layers, lambda layer: _above(layer["name"], depth))
    ]


def _above(name: str, depth: int) -> str:
    return ".".join(name.split(".")[: depth + 1])


def _as_one(name: str, block: list[dict[str, Any]]) -> dict[str, Any]:
    if len(block) == 1:
        return block[0]
    sums = {key: sum(layer[key] for layer in block) for key in ("parameters", "multiply_adds")}
    return {"name": name, "kind": f"{name}: {len(block)} layers", "output": block[-1]["output"], **sums}
