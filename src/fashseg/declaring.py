"""How an option is declared: its default, its meaning, its rule."""

from collections.abc import Sequence
from dataclasses import field
from typing import Any


def option(
    default: Any,
    help: str,
    *,
    choices: Sequence[str | int] = (),
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
) -> Any:
    """A field with its meaning and its rule: allowed words or numbers, or bounds (``ge`` is ≥, ...)."""
    rules = {"choices": tuple(choices), "ge": ge, "gt": gt, "le": le, "lt": lt}
    metadata = {"help": help, **{k: v for k, v in rules.items() if v not in (None, ())}}
    if isinstance(default, (list, dict)):
        return field(default_factory=lambda: type(default)(default), metadata=metadata)
    return field(default=default, metadata=metadata)
