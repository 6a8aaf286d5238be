"""Commands for a reader to copy, right for Hydra and for the shell."""

import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString

# What Hydra takes as it is.
PLAIN = re.compile(r"[\w./:+-]+", re.ASCII)


def quoted(value: str | Path) -> str:
    """A value of an override, in quotes where Hydra needs them."""
    text = str(value)
    if PLAIN.fullmatch(text):
        return text
    return str(QuotedString(text.replace("${", "\\${"), Quote.single).with_quotes())


def command(verb: str, plugins: Any = (), **options: str | Path) -> str:
    """``python -m fashseg.VERB name=value ...``.

    Args:
        verb: its name.
        plugins: those of the run, out of its results.json.
        options: of the verb.
    """
    words = [shlex.quote(f"{name}={quoted(value)}") for name, value in options.items()]
    if isinstance(plugins, Sequence) and plugins and all(isinstance(plugin, str) for plugin in plugins):
        words.append(shlex.quote(f"plugins=[{','.join(map(quoted, plugins))}]"))
    return " ".join([f"python -m fashseg.{verb}", *words])


def as_typed(word: str) -> str:
    """An override without the ``++`` that Hydra wants for keys of free mappings, which a command need not have."""
    return word.removeprefix("++") if not word.startswith("++hydra") else word


def same_again(overrides: Iterable[str], leave_out: Iterable[str] = (), config_dir: str | Path | None = None) -> str:
    """The command of a new run with the overrides of one that was perhaps resumed: the last value of each counts.

    Args:
        overrides: in their order.
        leave_out: options that the command goes without.
        config_dir: folder of further choices, of ``--config-dir``.
    """
    last: dict[str, str] = {}
    for word in map(as_typed, overrides):
        last[word.partition("=")[0].lstrip("+~")] = word
    words = [shlex.quote(word) for key, word in last.items() if key not in {"resume", *leave_out}]
    choices = ["--config-dir", shlex.quote(str(config_dir))] if config_dir else []
    return " ".join(["python -m fashseg.train", *choices, *words])
