"""Runs that are older than an option: they did what the option does by default, and are compared as such."""

from dataclasses import asdict
from typing import Any

from fashseg.config import CHOICES, Callbacks
from fashseg.run import flat_options

_LEFT_ALONE = ("data",)  # how its images were split and folded is looked at apart


def with_newer_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a run and those that came later: of each choice that it made, and of what is beside training.

    A new option is, by default, what runs did before it was there.

    Args:
        options: values by dotted path.
    """
    whole = flat_options({"callbacks": asdict(Callbacks())}) | options
    for group, kinds in CHOICES.items():
        name = options.get(f"{group}.name")
        if group not in _LEFT_ALONE and isinstance(name, str) and name in kinds:
            for key, value in asdict(kinds[name]()).items():
                whole.setdefault(f"{group}.{key}", value)
    return whole
