"""The options of a verb with their values and what they mean, for ``--help``. Imports no torch."""

import textwrap
import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from fashseg import config as cfg
from fashseg import verb_options as verbs
from fashseg.text import on_one_line, shown_option

SCHEMAS: dict[str, type] = {
    "train": cfg.Train,
    "evaluate": verbs.Evaluate,
    "report": verbs.Report,
    "export": verbs.Export,
    "compare": verbs.Compare,
    "predict": verbs.Predict,
    "prepare": verbs.Prepare,
    "demo": verbs.Demo,
}
_TYPED = {"weights": "model"}  # what an option is called on the command line, where it is not its own name
_COLUMN = 34
_WIDTH = 110
_LONGEST = 60  # of a value


def options_help(verb: str, *, _root_: DictConfig) -> str:
    """A line or more for each option: name, value, meaning, choices.

    Of `fashseg.train` every option is told, of those that make one choice of a group the options of that choice; of the
    other verbs all but the trainer's, most of which are for training.

    Args:
        verb: such as ``predict``.
        _root_: the composed configuration, whose values are shown.

    Returns:
        text in which ``$`` is doubled, as a template wants it.
    """
    lines: list[str] = []
    for path, hint, rules in _described(SCHEMAS[verb], _root_):
        if verb != "train" and path.startswith("trainer."):
            continue
        start = f"{_TYPED.get(path, path)}={_value(_root_, path)}"
        meaning = rules.get("help", "")
        if choices := rules.get("choices"):
            switches = ("true", "false") if hint is bool or bool in typing.get_args(hint) else ()
            meaning += f" [{', '.join((*switches, *map(str, choices)))}]"
        rows = textwrap.wrap(meaning, _WIDTH - _COLUMN) or [""]
        if len(start) > _COLUMN - 2:
            lines.append(start)
            start = ""
        lines.append(f"{start:<{_COLUMN}}{rows[0]}".rstrip())
        lines += [" " * _COLUMN + row for row in rows[1:]]
    return "\n".join(lines).replace("$", "$$")


def _described(kind: type, root: DictConfig, prefix: str = "") -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """Dotted path, type and rules of every option."""
    hints = typing.get_type_hints(kind)
    for item in fields(kind):
        path, below = f"{prefix}{item.name}", hints[item.name]
        if path in cfg.CHOICES:
            name = OmegaConf.select(root, f"{path}.name", throw_on_resolution_failure=False)
            below = cfg.CHOICES[path].get(str(name), below)
        if is_dataclass(below):
            yield from _described(typing.cast(type, below), root, f"{path}.")
        elif prefix[:-1] not in cfg.CHOICES or item.name != "name":  # which comes with the choice
            yield path, below, item.metadata


def _value(root: DictConfig, path: str) -> str:
    value = OmegaConf.select(root, path, throw_on_resolution_failure=False)
    if isinstance(value, ListConfig):
        value = f"[{','.join(map(str, OmegaConf.to_container(value)))}]"  # type: ignore[arg-type]
    text = on_one_line(shown_option(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


OmegaConf.register_new_resolver("fashseg.options", options_help, replace=True)
