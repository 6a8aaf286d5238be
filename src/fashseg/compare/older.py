"""Runs that are older than an option: they did what the option does by default, and are compared as such."""

from dataclasses import asdict
from typing import Any

from fashseg.config import CHOICES

_LEFT_ALONE = ("data",)  # how its images were split and folded is looked at apart


def with_newer_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a run and, for each choice that it made, those that came later.

    A new option of a choice is, by default, what runs did before it was there.

    Args:
        options: values by dotted path.
    """
    whole = dict(options)
    for group, kinds in CHOICES.items():
        name = options.get(f"{group}.name")
        if group not in _LEFT_ALONE and isinstance(name, str) and name in kinds:
            for key, value in asdict(kinds[name]()).items():
                whole.setdefault(f"{group}.{key}", value)
    return whole
