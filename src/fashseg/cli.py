"""What every verb does before its work begins: compose, check, and end in two lines where something is wrong.

Hydra composes twice: here, to check the whole plan before torch is imported or a folder is made, and once more when
`hydra.main` starts the job or the sweep. All that a verb adds to Hydra is passed to it as overrides.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

import hydra
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from fashseg.checking import Schema, check, free_mappings, option_paths, require_taken_out
from fashseg.closed_pipes import heed_no_closed_pipes
from fashseg.command_words import as_additions, parsed, renamed, with_paths_as_option
from fashseg.composing import check_names, compose, conf_dir, parse, plans, reasons, sweep_values, with_searchpath
from fashseg.config import Trainer
from fashseg.errors import UserError
from fashseg.help_text import help_text
from fashseg.kept_values import kept_values
from fashseg.launch.checks import check_launcher, check_words
from fashseg.left_over import LeftOverError, of_preset
from fashseg.option_rules import RefusedValueError
from fashseg.plugins import load_plugins, refuse_plugins_of_files
from fashseg.run import is_first_process
from fashseg.seen_ahead import require_device
from fashseg.shown_config import is_shown
from fashseg.stopping import as_it_came
from fashseg.text import printable
from fashseg.two_lines import two_line_errors

if TYPE_CHECKING:
    from fashseg.sweep.search import Search


@dataclass
class Verb(Generic[Schema]):
    """One command.

    Attributes:
        name: of the command and of its file in ``conf/``.
        schema: dataclass of its options.
        job: runs it on a composed configuration and returns an exit status.
        prepare: from the checked options of all jobs, the overrides and whether they are a sweep, to overrides that
            are added for Hydra.
        finish: after Hydra has run all jobs, from whether they are a sweep to an exit status.
        paths: option that takes the words which are paths, not overrides; None where there are no such words.
        search: from a checked search over its options to overrides that are added for Hydra; None where there is none.
        renamed: option by the name that it has on the command line, where that is the name of a group of train's: Hydra
            would look for a choice of the group.
    """

    name: str
    schema: type[Schema]
    job: Callable[[DictConfig], Any]
    prepare: Callable[[Sequence[Schema], list[Override], bool], list[str]]
    finish: Callable[[bool], int] = lambda _multirun: 0
    paths: str | None = None
    search: "Callable[[Search, list[Override]], list[str]] | None" = None
    renamed: Mapping[str, str] = field(default_factory=dict)


def main(verb: Verb[Schema], argv: Sequence[str] | None = None) -> int:
    """Run a verb with the words of the command line; returns the exit status."""
    heed_no_closed_pipes()
    words = list(sys.argv[1:] if argv is None else argv)
    with two_line_errors(any(re.fullmatch(r"\+*debug=true", word, re.IGNORECASE) for word in words)) as status:
        mappings = free_mappings(verb.schema)
        words = [as_additions(mappings, renamed(verb.renamed, word)) for word in words]
        if verb.paths:
            words = with_paths_as_option(verb.paths, words)
        arguments = parsed(words)
        flags = [word for word in words if word not in arguments.overrides]
        if not arguments.shell_completion:
            arguments.overrides = _with_plugins(arguments.overrides)
        if arguments.help:
            first = _first_of_sweep(verb, arguments)
            if text := _help(verb, arguments):
                print(text)
                if first:
                    print(printable(f"\nShown for {first}, the first of the values that are given."))
                return status.code
        if arguments.help or arguments.hydra_help or arguments.shell_completion or arguments.info:
            _start_hydra(verb, [*flags, *arguments.overrides])
            return status.code
        extra = _prepare(verb, arguments)
        if extra is None:
            return status.code
        _start_hydra(verb, [*flags, *arguments.overrides, *extra])
        if not arguments.cfg:
            status.code = max(status.code, verb.finish(arguments.multirun))
    return status.code


def _start_hydra(verb: Verb[Schema], words: list[str]) -> None:
    """Let Hydra take over; what it finds wrong itself comes out as an error of ours."""
    application = hydra.main(config_path=str(conf_dir()), config_name=verb.name, version_base="1.3")(verb.job)
    before, sys.argv = sys.argv, [sys.argv[0], *words]
    asked_for = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"  # raise, do not print
    try:
        with as_it_came():
            application()
    except (HydraException, OmegaConfBaseException, OSError, ValueError) as error:
        raise UserError(reasons(error), "All choices: --help; Hydra's own: --hydra-help.") from error
    finally:
        sys.argv = before
        if asked_for is None:
            del os.environ["HYDRA_FULL_ERROR"]


def _first_of_sweep(verb: Verb[Schema], arguments: argparse.Namespace) -> str:
    """Leave the first of the values of each sweep, for there is one help for all; returns the words with them."""
    overrides = parse(arguments.overrides)
    check_names(verb.schema, overrides)
    _refuse_sweep_without_flag(overrides, bool(arguments.multirun))
    swept = [override.is_sweep_override() for override in overrides]
    if any(swept):
        arguments.overrides = next(plans(overrides))
    return " ".join(word for word, several in zip(arguments.overrides, swept, strict=True) if several)


def _help(verb: Verb[Schema], arguments: argparse.Namespace) -> str | None:
    words = _composed_of(arguments, arguments.overrides)
    return help_text(compose(verb.name, words, option_paths(verb.schema), with_hydra=True))


def _with_plugins(overrides: list[str]) -> list[str]:
    """Read the plugins that ``plugins=`` names, and add their folders of choices to Hydra's.

    Before names are checked, for plugins bring some; whatever the verb, so that all can use what was trained with them.
    """
    given: Any = []
    for word in overrides:
        if word.startswith("plugins="):
            (override,) = parse([word])
            given = override.value()
            if not isinstance(given, list) or not all(isinstance(plugin, str) for plugin in given):
                raise UserError(
                    f"{word}: plugins is a list, each entry a file or a module.", "Write plugins=[my/plugin.py]."
                )
    load_plugins(given)
    return with_searchpath(overrides)


def _composed_of(arguments: argparse.Namespace, overrides: Sequence[str]) -> list[str]:
    """Overrides with ``--config-dir`` as the one that it amounts to."""
    return with_searchpath(overrides, [Path(arguments.config_dir)] if arguments.config_dir else [])


def _prepare(verb: Verb[Schema], arguments: argparse.Namespace) -> list[str] | None:
    """Check the whole plan; returns overrides that are added for Hydra, None where nothing is left to it."""
    overrides: list[Override] = parse(arguments.overrides)
    multirun = bool(arguments.multirun)
    check_names(verb.schema, overrides)
    _refuse_sweep_without_flag(overrides, multirun)
    check_words(overrides, multirun)
    known = option_paths(verb.schema)

    def composed_of(words: Sequence[str]) -> DictConfig:
        composed = compose(verb.name, _composed_of(arguments, words), known)
        refuse_plugins_of_files(composed, overrides)
        require_taken_out(verb.schema, overrides, composed)
        return composed

    try:
        search = _search(verb, arguments, overrides, composed_of, known)
        composed = [] if search else [composed_of(words) for words in plans(overrides)]
        checked = [check(verb.schema, one) for one in composed]
    except LeftOverError as error:
        swept = {
            o.key_or_group: sweep_values(o) for o in overrides if o.is_sweep_override() and o.key_or_group not in known
        }
        raise error.among(swept, known) from error
    except RefusedValueError as error:
        raise of_preset(error, overrides, lambda words: compose(verb.name, _composed_of(arguments, words))) from error
    if multirun and not arguments.cfg:
        from fashseg.sweep.outer import left_to_jobs

        arguments.overrides = left_to_jobs(overrides, known, search.space if search else ())
    if arguments.cfg:
        words = _composed_of(arguments, arguments.overrides)
        return None if is_shown(verb.name, arguments, words, composed[0] if composed else None) else []
    if search and verb.search:
        added = verb.search(search, overrides)
    else:
        # Jobs of a sweep may run on other machines.
        if not multirun and isinstance(trainer := getattr(checked[0], "trainer", None), Trainer):
            require_device(trainer)
        added = verb.prepare(checked, overrides, multirun)
    if is_first_process():
        searched = search.space if search else ()
        for line in kept_values(overrides, lambda words: compose(verb.name, _composed_of(arguments, words)), searched):
            print(printable(line))
    return added


def _refuse_sweep_without_flag(overrides: Sequence[Override], multirun: bool) -> None:
    sweeps = [override for override in overrides if override.is_sweep_override()]
    if sweeps and not multirun:
        raise UserError(f"{sweeps[0].input_line} gives several values.", "Add -m to run one after the other.")


def _search(
    verb: Verb[Schema],
    arguments: argparse.Namespace,
    overrides: list[Override],
    composed_of: Callable[[Sequence[str]], DictConfig],
    known: Mapping[str, list[str]],
) -> "Search | None":
    """The search that is asked for, checked; None for a single job, and for the jobs of a plain sweep."""
    asked = [o for o in overrides if o.key_or_group in ("sweep", "hydra/sweeper") and o.value() is not None]
    if not arguments.multirun:
        if asked:
            raise UserError(f"{asked[0].input_line} is for many runs.", "Add -m.")
        return None
    from fashseg.sweep.asked import asked_search, is_search, refuse_more_than_space
    from fashseg.sweep.outer import without_space

    words = without_space(overrides, known)
    composed = compose(verb.name, _composed_of(arguments, words), with_hydra=True)
    check_launcher(composed)
    if is_search(composed):
        if verb.search is None:
            raise UserError(f"{verb.name} has nothing to search for.", "A search is for train.")
        refuse_more_than_space(composed, overrides, _composed_of(arguments, words))
        return asked_search(overrides, composed, composed_of)
    for override in overrides:
        if override.is_interval_sweep():
            raise UserError(
                f"{override.input_line} is a space to search, and a plain sweep runs all values.",
                "Add hydra/sweeper=optuna, or name values with commas between.",
            )
    return None
