"""From the words of the command line to composed configurations, one a job."""

import contextlib
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, IntervalSweep, Override, OverrideType, RangeSweep
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from fashseg.checking import free_mappings, option_paths, unknown_option
from fashseg.commands import quoted
from fashseg.config import CHOICES
from fashseg.errors import UserError
from fashseg.nearest import did_you_mean
from fashseg.plugins import conf_folders
from fashseg.register import OWN
from fashseg.stopping import as_it_came

# More combinations of a sweep than this are not composed one by one beforehand, but value by value.
MOST_COMPOSED = 64
MOST_VALUES = 1000
MOST_JOBS = 10_000  # that a range may give: Hydra lists them all at once


def conf_dir() -> Path:
    """The folder of the shipped configuration: in the package where it was installed, beside ``src`` in a checkout."""
    inside = Path(__file__).parent / "conf"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "conf"


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
        except (
            Exception
        ) as error:  # of numbers that are too long, or of brackets that are too many, its parts raise theirs
            reason = str(getattr(error, "message", error)).strip().partition("\n")[0]
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
    groups, mappings = _groups(), tuple(f"{path}." for path in free_mappings(schema))
    for override in overrides:
        key = override.key_or_group
        if key == "hydra.mode":
            raise UserError(f"{override.input_line} is not for the command line.", "A sweep is started by -m.")
        if key == "hydra" or key.startswith(("hydra.", "hydra/")):
            continue
        if key in groups:
            if override.type is OverrideType.DEL and key in CHOICES:
                raise UserError(f"{override.input_line}: a run has to have its {key}.", f"Choose one by {key}=NAME.")
            continue
        group, _, option = key.partition(".")
        if group in CHOICES and option == "name":
            raise UserError(f"{override.input_line}: the name comes with the choice.", f"Write {group}=NAME instead.")
        if key.startswith(mappings):
            continue
        if key not in known:
            alike = known if option else known | {name: [] for name in groups}
            error = unknown_option(key, alike, {})
            raise UserError(f"{override.input_line}: {error.what}", error.way_out)
        of_a_choice = bool(known[key])
        if override.type is OverrideType.ADD or (override.type is OverrideType.DEL and not of_a_choice):
            sign = "+" if override.type is OverrideType.ADD else "~"
            raise UserError(
                f"{override.input_line}: {key} is an option that every run has; {sign} is for others.",
                f"Write {str(override.input_line).lstrip('+~')} without the {sign}.",
            )


def _groups() -> set[str]:
    return {folder.name for folder in conf_dir().iterdir() if folder.is_dir() and folder.name != "hydra"} | set(CHOICES)


def compose(
    config_name: str, words: list[str], known: dict[str, list[str]] | None = None, *, with_hydra: bool = False
) -> DictConfig:
    """Compose as Hydra would for one job.

    Args:
        config_name: file of ``conf/`` that is read first.
        words: overrides.
        known: all options, as `option_paths` gives them, to tell an option of another choice from other mistakes.
        with_hydra: with Hydra's own node ``hydra``.

    Raises:
        UserError: where it can't be done.
    """
    try:
        with (
            as_it_came(),
            _none_started(),
            hydra.initialize_config_dir(str(conf_dir()), version_base="1.3", job_name=config_name),
        ):
            words = with_searchpath(words)
            _forget_other_launchers()
            return hydra.compose(config_name, overrides=words, return_hydra_config=with_hydra)
    except MissingConfigException as error:
        raise _missing_choice(error) from error
    except (HydraException, OmegaConfBaseException) as error:
        if (key := re.match(r"Could not override '([^']+)'", str(error))) and (known or {}).get(key[1]):
            chosen = dict(word.split("=", 1) for word in words if word.partition("=")[0] in CHOICES)
            raise unknown_option(key[1], known or {}, chosen) from error
        if key := re.match(r"Could not delete from config\. '([^']+)' does not exist", str(error)):
            raise UserError(f"~{key[1]}: {key[1]} is null or missing: nothing to take out.", "Leave it out.") from error
        raise UserError(reasons(error), "All options: --cfg job; Hydra's own: --cfg hydra.") from error
    except Exception as error:  # a YAML file of the user's that can't be read, among others
        raise UserError(f"the configuration can't be composed: {error}", "Choices: --help.") from error


def _forget_other_launchers() -> None:
    """Take out what installed plugins of Hydra have registered by names of ours: Hydra would hold our files to it."""
    registered = ConfigStore.instance().repo.get("hydra", {})
    for path in (conf_dir() / "hydra").glob("*/*.yaml"):
        registered.get(path.parent.name, {}).pop(path.name, None)


def with_searchpath(words: Sequence[str], more: Sequence[Path] = ()) -> list[str]:
    """Overrides in which ``hydra.searchpath``, of which Hydra sees the first alone, has further folders of choices.

    Args:
        words: overrides.
        more: folders, besides those of the plugins that have been read.
    """
    folders = [f"file://{folder.absolute()}" for folder in (*conf_folders(), *more)]
    if not folders:
        return list(words)
    given = [word for word in words if re.match(r"[+]*hydra\.searchpath=", word)]
    rest = [word for word in words if word not in given]
    value = parse(given)[0].value() if given else []
    if not isinstance(value, list):
        return list(words)  # Hydra says what is wrong with it
    return [*rest, f"hydra.searchpath=[{','.join(map(quoted, dict.fromkeys([*map(str, value), *folders])))}]"]


@contextlib.contextmanager
def _none_started() -> Iterator[None]:
    """Within a job, where Hydra has been started already, as if it had not."""
    instance = GlobalHydra.instance()
    outer, instance.hydra = instance.hydra, None
    try:
        yield
    finally:
        instance.hydra = outer


def _missing_choice(error: MissingConfigException) -> UserError:
    group, _, name = (error.missing_cfg_file or "").rpartition("/")
    options = [option for option in error.options or () if not option.endswith("/")]
    if not group or not options:
        return UserError(str(error).partition("\n")[0], "All choices: --help.")
    if (group, name) in OWN:
        return UserError(
            f"{group}={name} is registered, but no folder of choices has {group}/{name}.yaml.",
            f"Write conf/{group}/{name}.yaml beside the plugin: its options and their values, as in docs/own_model.md.",
        )
    there_are = f"There are {', '.join(options)}."
    return UserError(
        f"{group}={name} is not a choice: conf/{group} has no {name}.yaml.",
        f"{did_you_mean(name, options, '')} {there_are}".strip(),
    )


def plans(overrides: list[Override]) -> Iterator[list[str]]:
    """The override lists of all jobs; of a large sweep only enough to see every value once."""
    values: list[Any] = [_values_of(override) for override in overrides]
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


def _values_of(override: Override) -> list[str] | list[None]:
    """The values of a sweep, of an interval both ends; None where there is no sweep."""
    value = override.value()
    if isinstance(value, IntervalSweep):
        return [str(value.start), str(value.end)]
    return sweep_values(override) if override.is_sweep_override() else [None]


def sweep_values(override: Override) -> list[str]:
    """The values of a sweep over choices or a range, as far as anybody would run them.

    Raises:
        UserError: it gives none, or too many.
    """
    value = override.value()
    if isinstance(value, Glob):
        raise UserError(f"{override.input_line} is not understood here.", "Name the choices, with commas between.")
    try:
        if isinstance(value, RangeSweep) and _length(value) > MOST_JOBS:
            raise UserError(f"{override.input_line} gives more than {MOST_JOBS:,} values.", "Name fewer of them.")
        return list(itertools.islice(override.sweep_string_iterator(), MOST_VALUES))
    except (ArithmeticError, TypeError, ValueError) as error:  # range(0,1,0), or numbers that are none
        raise UserError(f"{override.input_line} gives no values: {error}.", "Write range(start,stop,step).") from error


def _length(values: RangeSweep) -> float:
    start, stop, step = (float(number) for number in (values.start or 0, values.stop or 0, values.step))
    return (stop - start) / step


def reasons(error: BaseException) -> str:
    """First lines of an error of Hydra's and of its cause, each once."""
    found = [str(e).strip().partition("\n")[0] for e in (error, error.__cause__) if e]
    return " ".join(dict.fromkeys(found))
