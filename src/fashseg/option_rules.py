"""The rules of single options: what their dataclasses say of type, choices and bounds. Imports no torch."""

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from fashseg.errors import UserError
from fashseg.nearest import did_you_mean

SWITCH = "switch"
"""Among the rules of an option: whether it takes true and false as well."""


class RefusedValueError(UserError):
    """A value that is none of the choices of its option, or out of its range.

    Args:
        path: dotted, of the option.
        value: that was given.
        rule: which it breaks, as the end of a sentence.
        way_out: what to do about it.
    """

    def __init__(self, path: str, value: Any, rule: str, way_out: str) -> None:
        super().__init__(f"{path}={shown(value)} {rule}", way_out)
        self.path, self.value, self.rule = path, value, rule

    def set_by(self, preset: str) -> UserError:
        """The error where the value is not of the command line, but of the preset that it names."""
        return UserError(
            f"{self.path}={shown(self.value)}, which experiment={preset} sets, {self.rule}",
            f"Give {self.path} another value. {self.way_out}",
        )


def values_of(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted path, value and rules of every option of a tree of dataclasses."""
    for item in fields(tree):
        path, value = f"{prefix}{item.name}", getattr(tree, item.name)
        if is_dataclass(value):
            yield from values_of(value, f"{path}.")
        else:
            yield path, value, {**item.metadata, SWITCH: "bool" in str(item.type)}


def check_value(path: str, value: Any, rules: Mapping[str, Any]) -> None:
    """Hold a value against the choices and the bounds of its option.

    Raises:
        RefusedValueError: it is none of the choices, or out of range.
    """
    if value is None or isinstance(value, bool):
        return
    meaning = rules.get("help", "")
    choices = rules.get("choices", ())
    numbers = isinstance(value, int | float) and bool({"ge", "gt", "le", "lt"} & rules.keys())
    if choices and value not in choices and not numbers:
        choices = [*map(str, choices), *(("true", "false") if rules.get(SWITCH) else ())]
        number = " and no number" if {"ge", "gt"} & rules.keys() else ""
        raise RefusedValueError(
            path,
            value,
            f"is not one of {', '.join(choices)}{number} ({meaning}).",
            did_you_mean(str(value), choices, f"Choose one of them, for example {path}={choices[0]}."),
        )
    if isinstance(value, str):
        return  # bounds are for the numbers that such an option takes as well
    bounds = {"ge": "at least", "gt": "greater than", "le": "at most", "lt": "less than"}
    limits = {k: rules[k] for k in bounds if k in rules and not isinstance(value, str)}
    fits = {
        "ge": lambda limit: value >= limit,
        "gt": lambda limit: value > limit,
        "le": lambda limit: value <= limit,
        "lt": lambda limit: value < limit,
    }
    infinite = isinstance(value, float) and not abs(value) < float("inf")  # nan too
    if limits and (infinite or not all(fits[k](limit) for k, limit in limits.items())):
        rule = " and ".join(f"{bounds[k]} {limit}" for k, limit in limits.items())
        raise RefusedValueError(path, value, f"is out of range ({meaning}).", f"It must be {rule}, and finite.")


def shown(value: Any) -> str:
    """As one would write it on the command line."""
    return "null" if value is None else str(value)


def type_in_words(hint: Any) -> str:
    """What an option of this type takes."""
    words: dict[Any, str] = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text",
        type(None): "null",
    }
    if isinstance(hint, types.UnionType):
        return " or ".join(type_in_words(part) for part in typing.get_args(hint))
    if typing.get_origin(hint) is list:
        return f"a list, each entry {type_in_words(typing.get_args(hint)[0])}"
    if typing.get_origin(hint) is dict:
        return "a mapping of names to values"
    if is_dataclass(hint):
        return f"a group of options ({', '.join(item.name for item in fields(hint))})"
    return words.get(hint, str(hint))
