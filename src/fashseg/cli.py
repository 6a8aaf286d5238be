"""What every verb does before its work begins: compose, check, and end in two lines where something is wrong.

Hydra composes twice: here, to check the whole plan before torch is imported or a folder is made, and once more when
`hydra.main` starts the job or the sweep. All that a verb adds to Hydra is passed to it as overrides.
"""

import argparse
import contextlib
import itertools
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NoReturn

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from fashseg.checking import Schema, check, did_you_mean, option_paths, unknown_option
from fashseg.config import CHOICES
from fashseg.errors import FashsegError, UserError

# More combinations of a sweep than this are not composed one by one beforehand, but value by value.
MOST_COMPOSED = 64


@dataclass
class Verb(Generic[Schema]):
    """One command.

    Attributes:
        name: of the command and of its file in ``conf/``.
        schema: dataclass of its options.
        job: runs it on a composed configuration and returns an exit status.
        prepare: from the checked options and the overrides to overrides that are added for Hydra.
        finish: after Hydra has run all jobs, from all overrides and whether they are a sweep to an exit status.
    """

    name: str
    schema: type[Schema]
    job: Callable[[DictConfig], Any]
    prepare: Callable[[Schema, list[Override], bool], list[str]]
    finish: Callable[[list[str], bool], int] = lambda _overrides, _multirun: 0


def conf_dir() -> Path:
    """The folder of the shipped configuration: in the package where it was installed, beside ``src`` in a checkout."""
    inside = Path(__file__).parent / "conf"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "conf"


def main(verb: Verb[Schema], argv: Sequence[str] | None = None) -> int:
    """Run a verb with the words of the command line; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    with two_line_errors(any(word == "debug=true" for word in words)) as status:
        arguments = _flags(words)
        only_asks = arguments.help or arguments.hydra_help or arguments.shell_completion or arguments.info
        extra = [] if only_asks else _prepare(verb, arguments)
        if arguments.cfg:
            extra = []
        _start_hydra(verb, [*words, *extra])
        if not (only_asks or arguments.cfg):
            status.code = max(status.code, verb.finish([*arguments.overrides, *extra], arguments.multirun))
    return status.code


class Status:
    """Exit status of a block, 0 until something goes wrong."""

    code = 0


@contextlib.contextmanager
def two_line_errors(debug: bool) -> Iterator[Status]:
    """Print errors as the contract has it and note the exit status."""
    status = Status()
    try:
        yield status
    except FashsegError as error:
        if debug:
            traceback.print_exc()
        print(error, file=sys.stderr)
        status.code = error.exit_status


def _start_hydra(verb: Verb[Schema], words: list[str]) -> None:
    application = hydra.main(config_path=str(conf_dir()), config_name=verb.name, version_base="1.3")(verb.job)
    before, sys.argv = sys.argv, [sys.argv[0], *words]
    try:
        application()
    finally:
        sys.argv = before


def _flags(words: list[str]) -> argparse.Namespace:
    """Hydra's flags, with its parser; errors in two lines like all others."""
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise UserError(f"{message}.", "Options are written key=value, such as epochs=5; flags: --hydra-help.")

    parser.error = refuse  # type: ignore[method-assign]
    return parser.parse_args(words)


def _prepare(verb: Verb[Schema], arguments: argparse.Namespace) -> list[str]:
    overrides: list[Override] = parse(arguments.overrides)
    multirun = bool(arguments.multirun)
    check_names(verb.schema, overrides)
    sweeps = [override for override in overrides if override.is_sweep_override()]
    if sweeps and not multirun:
        raise UserError(f"{sweeps[0].input_line} gives several values.", "Add -m to run one after the other.")
    searchpath = [f"hydra.searchpath=[file://{Path(arguments.config_dir).absolute()}]"] if arguments.config_dir else []
    known = option_paths(verb.schema)
    plans = [
        check(verb.schema, compose(arguments.config_name or verb.name, [*words, *searchpath], known))
        for words in _plans(overrides)
    ]
    return [] if arguments.cfg else verb.prepare(plans[0], overrides, multirun)


def _plans(overrides: list[Override]) -> Iterator[list[str]]:
    """The override lists of all jobs; of a large sweep only enough to see every value once."""
    values = [
        list(o.sweep_string_iterator()) if o.is_choice_sweep() or o.is_range_sweep() else [None] for o in overrides
    ]
    count = 1
    for column in values:
        count *= len(column)
    if count <= MOST_COMPOSED:
        rows: Any = itertools.product(*values)
    else:
        longest = max(len(column) for column in values)
        rows = ([column[min(i, len(column) - 1)] for column in values] for i in range(longest))
    for row in rows:
        yield [
            str(o.input_line) if value is None else f"{o.get_key_element()}={value}"
            for o, value in zip(overrides, row, strict=True)
        ]


def parse(words: Sequence[str]) -> list[Override]:
    """Overrides as Hydra understands them.

    Raises:
        UserError: for a word that is none.
    """
    parser = OverridesParser.create()
    parsed = []
    for word in words:
        try:
            parsed += parser.parse_overrides([word])
        except OverrideParseException as error:
            reason = error.message.strip().partition("\n")[0]
            raise UserError(
                f"{word} can't be understood: {reason}.",
                "Options are written key=value, such as epochs=5; quote values with spaces or signs: 'notes=\"a, b\"'.",
            ) from error
    return parsed


def check_names(schema: type, overrides: Sequence[Override]) -> None:
    """Refuse overrides that name neither an option nor a group, ``+`` or not.

    Raises:
        UserError: with the nearest name.
    """
    known = option_paths(schema)
    groups = _groups()
    for override in overrides:
        key = override.key_or_group
        if key == "hydra" or key.startswith(("hydra.", "hydra/")):
            continue
        if key in groups:
            continue
        if key not in known:
            error = unknown_option(key, known | {group: [] for group in groups}, {})
            raise UserError(f"{override.input_line}: {error.what}", error.way_out)
        if override.type in (OverrideType.ADD, OverrideType.DEL):
            sign = "+" if override.type is OverrideType.ADD else "~"
            raise UserError(
                f"{override.input_line}: {key} is an option that every run has; {sign} is for others.",
                f"Write {str(override.input_line).lstrip('+~')} without the {sign}.",
            )


def _groups() -> set[str]:
    return {folder.name for folder in conf_dir().iterdir() if folder.is_dir() and folder.name != "hydra"} | set(CHOICES)


def compose(config_name: str, words: list[str], known: dict[str, list[str]] | None = None) -> DictConfig:
    """Compose as Hydra would for one job.

    Args:
        config_name: file of ``conf/`` that is read first.
        words: overrides.
        known: all options, as `option_paths` gives them, to tell an option of another choice from other mistakes.

    Raises:
        UserError: where it can't be done.
    """
    try:
        with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3", job_name=config_name):
            return hydra.compose(config_name, overrides=words)
    except MissingConfigException as error:
        raise _missing_choice(error) from error
    except (HydraException, OmegaConfBaseException) as error:
        if (key := re.match(r"Could not override '([^']+)'", str(error))) and (known or {}).get(key[1]):
            raise unknown_option(key[1], known or {}, {}) from error
        reasons = [str(e).strip().partition("\n")[0] for e in (error, error.__cause__) if e]
        raise UserError(" ".join(reasons), "All options: --cfg job; Hydra's own: --cfg hydra.") from error
    except Exception as error:  # a YAML file of the user's that can't be read, among others
        raise UserError(f"the configuration can't be composed: {error}", "Choices: --help.") from error


def _missing_choice(error: MissingConfigException) -> UserError:
    group, _, name = (error.missing_cfg_file or "").rpartition("/")
    options = [option for option in error.options or () if not option.endswith("/")]
    if not group or not options:
        return UserError(str(error).partition("\n")[0], "All choices: --help.")
    there_are = f"There are {', '.join(options)}."
    return UserError(
        f"{group}={name} is not a choice: conf/{group} has no {name}.yaml.",
        f"{did_you_mean(name, options, '')} {there_are}".strip(),
    )
