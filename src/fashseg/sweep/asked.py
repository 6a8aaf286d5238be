"""From the words of the command line to a checked search; nothing is imported that takes long, nothing is started."""

import itertools
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from fashseg.checking import check, hint_at, option_paths
from fashseg.composing import MOST_COMPOSED, check_names, compose, parse
from fashseg.config import CHOICES, Train
from fashseg.errors import UserError
from fashseg.left_over import LeftOverError
from fashseg.option_rules import type_in_words
from fashseg.run import flat_options
from fashseg.sweep.options import TARGET, SweepOptions, check_options, unknown_sweeper_option
from fashseg.sweep.search import Search
from fashseg.sweep.space import CHOICE, Dimension, as_whole_numbers, dimension, grid
from fashseg.text import listed

_OPTION = re.compile(r"hydra\.sweeper\.(.+)")
Composer = Callable[[Sequence[str]], DictConfig]


def is_search(composed: DictConfig) -> bool:
    """Whether ours is the sweeper of a configuration with the node ``hydra``."""
    return bool(OmegaConf.select(composed, "hydra.sweeper._target_") == TARGET)


def asked_search(overrides: Sequence[Override], with_hydra: DictConfig, composer: Composer) -> Search:
    """The search that a command line asks for.

    Args:
        overrides: of the command line.
        with_hydra: composed of `fashseg.sweep.outer.without_space`, with the node ``hydra``.
        composer: from words to the options of a job.

    Raises:
        UserError: an option of the sweeper is none, the space is none, or a value of it is not valid.
    """
    options = _options(overrides, with_hydra)
    given = _of_files(options.params, overrides)
    check_names(Train, given)
    words = [o for o in (*given, *overrides) if not o.key_or_group.startswith("hydra") and o.key_or_group != "sweep"]
    found = {str(o.get_key_element()): dimension(o) for o in words}
    space = {path: space for path, space in found.items() if space is not None}
    if not space:
        raise UserError(
            "hydra/sweeper=optuna searches, and there is no space to search.",
            "Give one: 'optimizer.lr=tag(log,interval(1e-4,1e-2))', or sweep=NAME of conf/sweep.",
        )
    fixed = [str(o.input_line) for o in words if found[str(o.get_key_element())] is None]
    if not any(o.key_or_group == "page" for o in words):
        fixed.append("page=false")  # many runs, few of which anybody looks at
    space, plans = _checked(space, fixed, composer)
    search = Search(options, space, fixed, plans)
    if options.sampler == "grid":
        grid(space)
    return search


def _options(overrides: Iterable[Override], composed: DictConfig) -> SweepOptions:
    node = OmegaConf.create({"hydra": {"sweeper": composed.hydra.sweeper}})
    OmegaConf.set_struct(node, False)
    for override in overrides:
        if not (named := _OPTION.match(override.key_or_group)):
            continue
        name = named[1].partition(".")[0]
        if name == "params":
            key = named[1].partition(".")[2] or "optimizer.lr"
            raise UserError(f"{override.input_line} is for files of conf/sweep.", f"Write {key}=... itself here.")
        if name not in SweepOptions.__dataclass_fields__ or "." in named[1]:
            raise unknown_sweeper_option(named[1])
        if override.is_sweep_override():
            raise UserError(f"{override.input_line} gives several values.", f"Write {override.key_or_group}=[a,b].")
        OmegaConf.update(node, override.key_or_group, override.value(), merge=False)
    try:
        plain = OmegaConf.to_container(node.hydra.sweeper, resolve=True)
    except Exception as error:
        raise UserError(f"hydra.sweeper: {str(error).partition(chr(10))[0]}", "Mend that value.") from error
    assert isinstance(plain, dict)
    return check_options({str(key): value for key, value in plain.items()})


def _of_files(params: Mapping[str, Any], overrides: Iterable[Override]) -> list[Override]:
    """What ``hydra.sweeper.params`` says, as if it were on the command line, which goes before."""
    named = {str(o.get_key_element()).lstrip("+~") for o in overrides}
    words = []
    for path, value in flat_options(params).items():
        if path not in named:
            text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            words.append(f"{path}={text}")
    return parse(words)


def _checked(
    space: dict[str, Dimension], fixed: Sequence[str], composer: Composer
) -> tuple[dict[str, Dimension], list[Train]]:
    """The space with whole numbers where an option takes them, and the options at its ends."""
    known = option_paths(Train)
    groups = {path: found for path, found in space.items() if path not in known}
    for path, found in groups.items():
        if found.kind != CHOICE:
            raise UserError(f"{found.line}: {path} is a choice, not a number.", f"Name choices: {path}=a,b.")
    values = {path: found for path, found in space.items() if path in known}
    plans: list[Train] = []
    for row, names in enumerate(_rows([found.choices for found in groups.values()])):
        chosen = dict(zip(groups, names, strict=True))
        _refuse_foreign(values, chosen, known)
        composed = composer([*fixed, *(f"{group}={name}" for group, name in chosen.items())])
        try:
            plans.append(check(Train, composed))
        except LeftOverError as error:
            raise error.among({group: found.choices for group, found in groups.items()}, known) from error
        values = {path: _of_type(found, path, composed, known) for path, found in values.items()}
        # Behind the first row only what depends on the choices that differ.
        plans += _at_ends(
            {path: s for path, s in values.items() if not row or path.partition(".")[0] in chosen}, composed
        )
    return {path: values.get(path, found) for path, found in space.items()}, plans


def _rows(columns: Sequence[Sequence[str]]) -> Iterable[tuple[str, ...]]:
    """All combinations, or where they are many only enough to see each once."""
    count = 1
    for column in columns:
        count *= len(column)
    if count <= MOST_COMPOSED // 4:
        return itertools.product(*columns)
    longest = max(map(len, columns))
    return (tuple(column[min(i, len(column) - 1)] for column in columns) for i in range(longest))


def _refuse_foreign(values: Mapping[str, Dimension], chosen: Mapping[str, str], known: Mapping[str, list[str]]) -> None:
    """Refuse the space of an option that another searched choice of its group does not have."""
    for path, found in values.items():
        group = path.partition(".")[0]
        if group in chosen and chosen[group] in CHOICES.get(group, {}) and chosen[group] not in known[path]:
            others = listed([f"{group}={name}" for name in known[path]], "or")
            raise UserError(
                f"{found.line}: {group}={chosen[group]}, which is searched too, has no {path}.",
                f"Search {path} with {others} alone, or leave it out.",
            )


def _of_type(found: Dimension, path: str, composed: DictConfig, known: Mapping[str, list[str]]) -> Dimension:
    if OmegaConf.select(composed, path.rpartition(".")[0] or path) is None or not _has(composed, path):
        group = path.partition(".")[0]
        name = OmegaConf.select(composed, f"{group}.name")
        others = listed([f"{group}={other}" for other in known[path]], "or")
        raise UserError(f"{found.line}: {group}={name} has no option {path}.", f"Choose {others}, or leave it out.")
    if found.kind == CHOICE:
        return found
    hint = hint_at(Train, path, composed)
    kinds = set(typing.get_args(hint)) if isinstance(hint, types.UnionType) else {hint}
    if float in kinds:
        return replace(found, kind="float")
    if int in kinds:
        return as_whole_numbers(found, path)
    raise UserError(
        f"{found.line}: {path} takes {type_in_words(hint)}, which no interval holds.", f"Name its values: {path}=a,b."
    )


def _has(composed: DictConfig, path: str) -> bool:
    parent, _, last = path.rpartition(".")
    node = OmegaConf.select(composed, parent) if parent else composed
    return isinstance(node, DictConfig) and last in node


def _at_ends(values: Mapping[str, Dimension], composed: DictConfig) -> list[Train]:
    """The options with each choice and each end of an interval, every one of them once."""
    plans = []
    for row in range(max((len(found.ends) for found in values.values()), default=0)):
        trial = composed.copy()
        OmegaConf.set_struct(trial, False)
        for path, found in values.items():
            text = found.ends[min(row, len(found.ends) - 1)]
            OmegaConf.update(trial, path, parse([f"{path}={text}"])[0].value(), merge=False)
        try:
            plans.append(check(Train, trial))
        except UserError as error:
            lines = [
                f"{found.line}: " for path, found in values.items() if re.match(rf"{re.escape(path)}\b", error.what)
            ]
            raise UserError(f"{''.join(lines[:1])}{error.what}", error.way_out) from error
    return plans


def refuse_more_than_space(with_hydra: DictConfig, overrides: Sequence[Override], words: Sequence[str]) -> None:
    """Refuse a file of conf/sweep that sets options by itself: the command of its best trial would lack them.

    Args:
        with_hydra: composed of ``words``.
        overrides: of the command line.
        words: that were composed.
    """
    named = [o for o in overrides if o.key_or_group == "sweep"]
    if not named:
        return
    rest = [word for word in words if word != named[0].input_line]
    with_it = flat_options({k: v for k, v in _plain(with_hydra).items() if k != "hydra"})
    without = flat_options(_plain(compose("train", rest)))
    given = {override.key_or_group for override in overrides}  # goes before the file
    if differing := [key for key, value in with_it.items() if key not in given and without.get(key, ...) != value]:
        raise UserError(
            f"{named[0].input_line}: the file sets {differing[0]}, and its trials would not say so.",
            f"Write it below hydra.sweeper.params there: {differing[0]}: {with_it[differing[0]]}.",
        )


def _plain(composed: DictConfig) -> dict[str, Any]:
    content = OmegaConf.to_container(composed, resolve=False)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}
