"""The words of a command line before Hydra reads them: its flags, paths that stand alone, options of another name."""

import argparse
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from fashseg.commands import quoted
from fashseg.errors import UserError


def parsed(words: list[str]) -> argparse.Namespace:
    """Hydra's flags, with its parser; errors in two lines like all others."""
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise UserError(f"{message}.", "Options are written key=value, such as epochs=5; flags: --help.")

    parser.error = refuse  # type: ignore[method-assign]
    arguments = parser.parse_intermixed_args(words)
    for flag, value in (("--config-path", arguments.config_path), ("--config-name", arguments.config_name)):
        if value:
            refuse(f"{flag} would leave fashseg's own choices out; --config-dir=FOLDER adds yours")
    if arguments.experimental_rerun:
        refuse("--experimental-rerun would run what a file of Python objects holds; resume=RUN goes on with a run")
    if arguments.config_dir and not Path(arguments.config_dir).is_dir():
        refuse(f"--config-dir={arguments.config_dir} is no folder")
    return arguments


def with_paths_as_option(option: str, words: list[str]) -> list[str]:
    """Gather the words that are paths in a list option: those without "=", and those that exist."""
    overrides = parsed(words).overrides
    paths = [word for word in overrides if "=" not in word or _is_there(word)]
    if not paths:
        return words
    if any(word not in paths and word.lstrip("+").startswith(f"{option}=") for word in overrides):
        raise UserError(f"{option}= is given beside {paths[0]}.", f"Write all of them in {option}=[...], or none.")
    listed = ",".join(map(quoted, paths))
    return [*(word for word in words if word not in paths), f"{option}=[{listed}]"]


def renamed(names: Mapping[str, str], word: str) -> str:
    """A word by the name that its option has, where it has another one on the command line."""
    name, equals, value = word.partition("=")
    return f"{names[name]}={value}" if equals and name in names else word


def as_additions(mappings: Collection[str], word: str) -> str:
    """A word that puts something into an option which is a free mapping, as Hydra wants it: with ``++``."""
    name = word.lstrip("+").partition("=")[0]
    inside = any(name == mapping or name.startswith(f"{mapping}.") for mapping in mappings)
    return f"++{word.lstrip('+')}" if inside and "=" in word else word


def _is_there(word: str) -> bool:
    try:
        return Path(word).exists()
    except (OSError, ValueError):  # longer than a name can be, or with a character that none can have
        return False
