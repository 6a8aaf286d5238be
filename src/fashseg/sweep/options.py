"""The options of a search, ``hydra.sweeper.*``: names, types, defaults, ranges, meaning. Imports no Optuna."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException, ValidationError

from fashseg.declaring import option
from fashseg.errors import UserError
from fashseg.nearest import did_you_mean
from fashseg.option_rules import check_value, shown, type_in_words, values_of

TARGET = "hydra_plugins.fashseg_optuna.OptunaSweeper"
SAMPLERS = ("tpe", "random", "qmc", "cmaes", "grid")
PRUNERS = ("none", "median", "hyperband")
DIRECTIONS = ("maximize", "minimize")
SCORE = "score"
_PREFIX = "hydra.sweeper."

# Objectives of which it is plain what is good.
_GOOD = {SCORE: "maximize", "accuracy": "maximize", "mean": "maximize", "images_per_second": "maximize"}
_GOOD |= dict.fromkeys(("loss", "parameters", "train_seconds", "train_cpu_seconds", "peak_memory_bytes"), "minimize")
# What a run reports each epoch, which is what pruning goes by: objective to the name that Lightning knows.
REPORTED = {"val.loss": "val/loss", "val.accuracy": "val/accuracy"}


@dataclass
class SweepOptions:
    """All options of ``hydra/sweeper=optuna``."""

    n_trials: int | None = option(20, "trials in all, those of earlier starts included; null: all of a grid", ge=1)
    n_jobs: int | None = option(None, "trials at a time; null: as many as the launcher has workers", ge=1)
    study_name: str | None = option(None, "null: follows from what is searched and what is fixed")
    storage: str | None = option(
        None, "a file, or sqlite:///FILE, or postgresql://...; null: study.journal in the folder of the sweep"
    )
    objectives: list[str] = option([SCORE], "score, or paths into results.json, such as val.loss or parameters")
    direction: Any = option(None, "maximize or minimize, one for each objective; null: what is good of it")
    sampler: str = option("tpe", "how points are chosen", choices=SAMPLERS)
    seed: int = option(0, "seed of the sampler, not of the training", ge=0, le=2**32 - 1)
    startup_trials: int = option(10, "trials at random before tpe goes by the others", ge=0)
    pruner: str = option("median", "what ends a trial early", choices=PRUNERS)
    warmup_epochs: int = option(1, "epochs of a trial that pruning leaves alone", ge=0)
    max_failure_rate: float = option(
        0.3, "a larger share of failed trials, of ten at least, ends the sweep", ge=0, le=1
    )
    params: dict[str, Any] = option({}, "what is searched, and values that are fixed")

    @property
    def directions(self) -> list[str]:
        """One for each objective."""
        if self.direction is None:
            return [_GOOD[objective.rpartition(".")[2]] for objective in self.objectives]
        return [self.direction] if isinstance(self.direction, str) else list(self.direction)


def check_options(given: Mapping[str, Any]) -> SweepOptions:
    """The options, every value of the right type and in its range.

    Raises:
        UserError: for the first thing that is wrong.
    """
    names = {item.name: item for item in fields(SweepOptions)}
    for name in given:
        if name not in names and name != "_target_":
            raise unknown_sweeper_option(str(name))
    values = {name: value for name, value in given.items() if name != "_target_"}
    try:
        options = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(SweepOptions), values))
    except ValidationError as error:
        name = str(error.full_key or error.key).partition("[")[0]
        wanted = "a group of options" if name == "params" else type_in_words(_hint(name))
        value = shown(given.get(name))
        raise UserError(
            f"{_PREFIX}{name}={value} has the wrong type: it must be {wanted}.", f"Give {_PREFIX}{name} {wanted}."
        ) from error
    except OmegaConfBaseException as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"hydra.sweeper: {reason}", "Mend that value.") from error
    assert isinstance(options, SweepOptions)
    for path, value, rules in values_of(options, _PREFIX):
        if not isinstance(value, (list, dict)):
            check_value(path, value, rules)
    _check_objectives(options)
    _check_together(options)
    return options


def unknown_sweeper_option(name: str) -> UserError:
    """The error for ``hydra.sweeper.NAME`` that is none."""
    known = [f"{_PREFIX}{item.name}" for item in fields(SweepOptions)]
    return UserError(
        f"{_PREFIX}{name} is no option of hydra/sweeper=optuna.",
        did_you_mean(f"{_PREFIX}{name}", known, f"There are {', '.join(known)}."),
    )


def _hint(name: str) -> Any:
    import typing

    return typing.get_type_hints(SweepOptions)[name]


def _check_objectives(options: SweepOptions) -> None:
    key = f"{_PREFIX}objectives"
    if not options.objectives or len(set(options.objectives)) < len(options.objectives):
        raise UserError(
            f"{key}=[{','.join(options.objectives)}] must name one or several, each once.", f"{key}=[score]"
        )
    for objective in options.objectives:
        first = objective.partition(".")[0]
        if first == "test":
            raise UserError(
                f"{key}: {objective} is a score of the test images, which decide nothing.",
                f"Choose one of validation: {SCORE}, or val.{objective.partition('.')[2] or 'loss'}.",
            )
        known = {*_GOOD, "val.loss", "val.accuracy", "images_per_cpu_second", "epochs_run"}
        if first != "val" and objective not in known:
            raise UserError(
                f"{key}: {objective} is nothing that a run writes to results.json.",
                did_you_mean(objective, known, "There are score, val.loss, parameters, train_seconds and others."),
            )
    given = options.direction
    if given is None:
        for objective in options.objectives:
            if objective.rpartition(".")[2] not in _GOOD:
                raise UserError(
                    f"{key}: whether more or less of {objective} is good is not known.",
                    f"Give {_PREFIX}direction=maximize or minimize, one for each objective.",
                )
        return
    texts = [given] if isinstance(given, str) else given
    valid = isinstance(texts, list) and all(text in DIRECTIONS for text in texts)
    if not valid or len(texts) != len(options.objectives):
        raise UserError(
            f"{_PREFIX}direction={shown(given)} must be maximize or minimize, for each of {len(options.objectives)} "
            "objectives.",
            f"For example {_PREFIX}direction=[{','.join(['maximize'] * len(options.objectives))}].",
        )


def _check_together(options: SweepOptions) -> None:
    several = len(options.objectives) > 1
    if options.pruner != "none" and (several or options.objectives[0] not in (SCORE, *REPORTED)):
        raise UserError(
            f"{_PREFIX}pruner={options.pruner} goes by one objective that is known each epoch: "
            f"{', '.join((SCORE, *REPORTED))}.",
            f"Set {_PREFIX}pruner=none, or that objective.",
        )
    if several and options.sampler == "cmaes":
        raise UserError(f"{_PREFIX}sampler=cmaes takes one objective.", f"Choose {_PREFIX}sampler=tpe.")
    if options.n_trials is None and options.sampler != "grid":
        raise UserError(
            f"{_PREFIX}n_trials=null is for sampler=grid, which has an end.", f"Give a number, {_PREFIX}n_trials=20."
        )
