"""The options that tell runs apart: by other values, or by one that was chosen and that other runs do not have."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from fashseg.config import CHOICES

LEFT_ALONE = ("data",)  # runs of one data set have the same, but for folds, which are looked at apart
ALWAYS = ("model.architecture", "model.encoder")  # as good as the name of the model


def differing_options(compared: Collection[Mapping[str, Any]]) -> tuple[str, ...]:
    """Dotted paths of the options in which runs differ, in the order in which they first occur.

    An option that some runs lack, of another optimizer for example, counts where those that have it differ in it, or
    where one has it at another value than its choice has by default.

    Args:
        compared: values by dotted path, of each run; empty of a run that nobody knows the options of.
    """
    known = [options for options in compared if options]
    paths = dict.fromkeys(path for options in known for path in options)
    return tuple(path for path in paths if _differ(path, known))


def _differ(path: str, known: list[Mapping[str, Any]]) -> bool:
    having = [options for options in known if path in options]
    if len({key(options[path]) for options in having}) > 1:
        return True
    return len(having) < len(known) and (path in ALWAYS or any(_chosen(path, options) for options in having))


def _chosen(path: str, options: Mapping[str, Any]) -> bool:
    """Whether an option of a choice is not at its default."""
    group, _, rest = path.partition(".")
    name = options.get(f"{group}.name")
    kinds = CHOICES.get(group, {})
    if group in LEFT_ALONE or not isinstance(name, str) or name not in kinds:
        return False
    defaults = _defaults(kinds[name])
    option, _, inside = rest.partition(".")
    # What is inside of an option is there because somebody has put it there: model.options is empty by default.
    return option in defaults and (bool(inside) or key(options[path]) != key(defaults[option]))


@cache
def _defaults(kind: type) -> dict[str, Any]:
    made: Any = kind()
    return asdict(made)


def key(value: Any) -> Any:
    """Equal for values that are the same: 1 and 1.0, but not 1 and true."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return repr(value)
