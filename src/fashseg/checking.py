"""Holds a composed configuration against the dataclasses of `fashseg.config`; errors name key, value, rule, way out."""

import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException, ValidationError

from fashseg import config as cfg
from fashseg.combinations import check_folds, check_model, check_texts, check_together
from fashseg.errors import UserError
from fashseg.left_over import left_over
from fashseg.nearest import did_you_mean
from fashseg.option_rules import check_value, shown, type_in_words, values_of
from fashseg.plugins import is_read
from fashseg.references import escaped
from fashseg.register import OWN
from fashseg.verb_options import Compare, Demo, Evaluate, Export, Predict, Prepare, Report

Schema = TypeVar("Schema", bound=cfg.Train | Evaluate | Export | Report | Compare | Predict | Prepare | Demo)


def option_paths(schema: type, choices: dict[str, str] | None = None) -> dict[str, list[str]]:
    """All options of a verb as dotted paths, each with the choices of its group that have it.

    Args:
        schema: `config.Train` or `config.Evaluate`.
        choices: chosen name by group; without it the options of every choice.
    """
    paths: dict[str, list[str]] = {}
    for item in fields(schema):
        names = cfg.CHOICES.get(item.name, {})
        if names:
            picked = {k: v for k, v in names.items() if choices is None or choices.get(item.name) == k}
            for choice, kind in picked.items():
                for path in _paths_below(kind, item.name):
                    paths.setdefault(path, []).append(choice)
        else:
            hint = typing.get_type_hints(schema)[item.name]
            below = _paths_below(hint, item.name) if is_dataclass(hint) else [item.name]
            paths.update({path: [] for path in below})
    return paths


def _paths_below(kind: Any, prefix: str) -> Iterator[str]:
    for name, hint in typing.get_type_hints(kind).items():
        if is_dataclass(hint):
            yield from _paths_below(hint, f"{prefix}.{name}")
        else:
            yield f"{prefix}.{name}"


def free_mappings(schema: type) -> list[str]:
    """Dotted paths of the options that are mappings of anything to anything."""
    return [
        f"{item.name}.{name}"
        for item in fields(schema)
        for kind in cfg.CHOICES.get(item.name, {}).values()
        for name, hint in typing.get_type_hints(kind).items()
        if typing.get_origin(hint) is dict
    ]


def check(schema: type[Schema], given: DictConfig) -> Schema:
    """The configuration as a tree of dataclasses, every value of the right type and in its range.

    Raises:
        UserError: for the first thing that is wrong: an unknown key, a wrong type, a value out of range, an unknown
            choice of a group, or choices that do not go together.
    """
    _refuse_values_of_groups(schema, given)
    blank = OmegaConf.structured(schema)
    for group, kinds in cfg.CHOICES.items():
        if group in blank:
            name = OmegaConf.select(given, f"{group}.name", throw_on_resolution_failure=False)
            if name not in kinds:
                recorded = OmegaConf.select(given, "plugins", throw_on_resolution_failure=False)
                raise unknown_choice(group, f"{group}.name={name}", name, recorded)
            blank[group] = OmegaConf.structured(kinds[name])
    try:
        checked = OmegaConf.to_object(OmegaConf.merge(blank, given))
    except ConfigKeyError as error:
        path, known, choices = error.full_key or str(error.key), option_paths(schema), _choices(given)
        found = left_over(path, known, choices, given, lambda other: _is_valid(schema, other))
        raise found or unknown_option(path, known, choices) from error
    except ValidationError as error:
        raise _wrong_type(schema, error, given) from error
    except OmegaConfBaseException as error:
        first_line = str(error).partition("\n")[0]
        raise UserError(f"{error.full_key or 'the configuration'}: {first_line}", "Mend that value.") from error
    assert isinstance(checked, schema)
    data = getattr(checked, "data", None)
    if isinstance(data, cfg.Data) and data.fold is not None:
        # The seeds of one cross-validation share its folds: they follow no seed but one that is given.
        if OmegaConf.is_interpolation(given.data, "split_seed"):
            data.split_seed = cfg.FOLD_SEED
        check_folds(data)
    for path, value, rules in sorted(values_of(checked), key=lambda option: _refers(given, option[0])):
        check_value(path, value, rules)
    if isinstance(checked, cfg.Train):
        check_texts(values_of(checked))
        check_together(checked)
    return checked


def _refers(given: DictConfig, path: str) -> bool:
    """Whether an option takes its value from another one, as data.split_seed from seed, which is the one to name."""
    above, _, name = path.rpartition(".")
    group = OmegaConf.select(given, above) if above else given
    return isinstance(group, DictConfig) and name in group and OmegaConf.is_interpolation(group, name)


def _is_valid(schema: type[Schema], given: DictConfig) -> bool:
    try:
        check(schema, given)
    except UserError:
        return False
    return True


def unknown_choice(group: str, what: str, name: Any, plugins: Any = None) -> UserError:
    """The error for a choice that is not there: nearly one that is, or of a plugin that was not read.

    Args:
        group: such as ``model``.
        what: how it was given.
        name: of the choice.
        plugins: those that a run names in which it stands; any value, for anybody may have written it.
    """
    kinds = cfg.CHOICES[group]
    error = f"{what} is no {group} that fashseg knows; there are {', '.join(kinds)}."
    if isinstance(plugins, Sequence) and not isinstance(plugins, str) and not all(map(is_read, plugins)):
        given = ",".join(str(plugin) for plugin in plugins)
        return UserError(error, f"This run was trained with plugins=[{given}]: give that too, if you trust its code.")
    if name is None and any(known == group for known, _ in OWN):
        otherwise = "A file of yours may lack its name:, or a model's file its first line, # @package _global_."
    elif group in cfg.TASKS or group == "loss":
        otherwise = "If it is your own, name the file that registers it: plugins=[my/plugin.py]."
    else:
        otherwise = f"Choose one of them, for example {group}={next(iter(kinds))}."
    return UserError(error, did_you_mean(str(name), kinds, otherwise))


def check_choice(group: str, values: Any, plugins: Any = None) -> Any:
    """The dataclass of one choice of a group, every value of the right type and in its range.

    Args:
        group: such as ``model``.
        values: plain, with the ``name`` of the choice; nothing that they refer to is looked up.
        plugins: those that the run names which it is of.

    Raises:
        UserError: for the first thing that is wrong.
    """
    kinds = cfg.CHOICES[group]
    name = values.get("name") if isinstance(values, dict) else None
    if name not in kinds:
        raise unknown_choice(group, f"{group}={name}", name, plugins)
    try:
        checked = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kinds[name]), escaped(values)))
    except OmegaConfBaseException as error:
        raise UserError(f"{group}: {str(error).partition(chr(10))[0]}", "Mend that value.") from error
    for path, value, rules in values_of(checked, f"{group}."):
        check_value(path, value, rules)
    if group == "model":
        check_model(typing.cast(cfg.Model, checked))
    return checked


def _refuse_values_of_groups(schema: type, given: DictConfig, prefix: str = "") -> None:
    """Refuse one value in place of a group of options, for which OmegaConf's error has no key."""
    for name, hint in typing.get_type_hints(schema).items():
        if not is_dataclass(hint) or name not in given:
            continue
        below = OmegaConf.select(given, name, throw_on_resolution_failure=False)
        if not isinstance(below, DictConfig):
            wanted = type_in_words(hint)
            path = f"{prefix}{name}"
            raise UserError(f"{path}={shown(below)} has the wrong type: it must be {wanted}.", f"Give {path} {wanted}.")
        _refuse_values_of_groups(typing.cast(type, hint), below, f"{prefix}{name}.")


def unknown_option(path: str, known: dict[str, list[str]], choices: dict[str, str]) -> UserError:
    """The error for a path that is no option, or none of the choice that was made of its group."""
    group = path.partition(".")[0]
    if path in known:
        chosen = f"{group}={choices[group]}" if group in choices else f"the chosen {group}"
        others = " or ".join(f"{group}={name}" for name in known[path])
        return UserError(f"{path} is no option of {chosen}; {others} has it.", f"Choose {others}, or leave it out.")
    inside = [name for name in known if name.startswith(path + ".")]
    if inside:
        return UserError(f"{path} is a group of options and takes no value.", f"Set one of {', '.join(inside)}.")
    return UserError(f"{path} is not an option.", did_you_mean(path, known, "All options: --cfg job."))


def require_taken_out(schema: type, overrides: Iterable[Override], composed: DictConfig) -> None:
    """Refuse ``~`` before an option that the chosen choice of its group has.

    Raises:
        UserError: for the first of them.
    """
    choices = _choices(composed)
    known = option_paths(schema, choices)
    overrides = list(overrides)
    for override in overrides:
        key = override.key_or_group
        if override.type is OverrideType.DEL and key in known:
            group = key.partition(".")[0]
            chosen = f"{group}={choices[group]}"
            among = any(other.key_or_group == group and other.is_sweep_override() for other in overrides)
            raise UserError(
                f"{override.input_line}: {key} is an option of {chosen}, which has to have it.",
                f"Run {chosen} by a command of its own, without {override.input_line}."
                if among
                else f"Write {key}=VALUE, or leave it out.",
            )


def _choices(given: DictConfig) -> dict[str, str]:
    names = {
        group: OmegaConf.select(given, f"{group}.name", throw_on_resolution_failure=False) for group in cfg.CHOICES
    }
    return {group: name for group, name in names.items() if name}


def _wrong_type(schema: type, error: ValidationError, given: DictConfig) -> UserError:
    path = error.full_key or str(error.key)
    value = OmegaConf.select(given, path, throw_on_resolution_failure=False)
    wanted = type_in_words(hint_at(schema, path.split("[")[0], given))
    return UserError(f"{path}={shown(value)} has the wrong type: it must be {wanted}.", f"Give {path} {wanted}.")


def hint_at(schema: Any, path: str, given: DictConfig) -> Any:
    """The type of an option, of the choices that a composed configuration has made."""
    hint = schema
    for depth, part in enumerate(path.split(".")):
        hint = typing.get_type_hints(hint)[part]
        if depth == 0 and part in cfg.CHOICES:
            hint = cfg.CHOICES[part][given[part].name]
    return hint
