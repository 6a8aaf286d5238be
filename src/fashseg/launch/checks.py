"""Whether the launcher that is asked for is there, and its options right, before anything starts. Imports no torch."""

import shutil
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException, ValidationError

from fashseg.errors import UserError
from fashseg.extras import require
from fashseg.launch.options import NEEDS, OPTIONS
from fashseg.nearest import did_you_mean
from fashseg.option_rules import check_value, shown, type_in_words, values_of

BASIC = "basic"
"""Hydra's own: one job after the other."""


def check_words(overrides: Sequence[Override], multirun: bool) -> None:
    """Refuse words on launchers that can't be meant; Hydra would leave the first of them without effect.

    Raises:
        UserError: no sweep, several launchers, or an option that the launcher does not have.
    """
    words = [o for o in overrides if o.key_or_group.startswith(("hydra/launcher", "hydra.launcher"))]
    if not words:
        return
    if not multirun:
        raise UserError(f"{words[0].input_line} is for the jobs of a sweep.", "Add -m; one job is a sweep, too.")
    named = [o for o in words if o.key_or_group == "hydra/launcher"]
    for override in words:
        if override.type is OverrideType.DEL or (override in named and not isinstance(override.value(), str)):
            raise UserError(
                f"{override.input_line}: a sweep has one launcher, with all of its options.",
                f"There are {_there_are()}.",
            )
    by_file = any(o.key_or_group in ("sweep", "experiment") for o in overrides)
    chosen = str(named[-1].value()) if named else None if by_file else BASIC
    for override in words:
        if override not in named and chosen in (*OPTIONS, BASIC):
            _check_name(override, chosen)


def _check_name(override: Override, chosen: str) -> None:
    name = override.key_or_group.removeprefix("hydra.launcher").removeprefix(".")
    known = [item.name for item in fields(OPTIONS[chosen])] if chosen in OPTIONS else []
    if name in known or name.partition(".")[0] == "additional_parameters":
        return
    others = [other for other, kind in OPTIONS.items() if name in (item.name for item in fields(kind))]
    if others:
        way_out = f"{' and '.join(f'hydra/launcher={other}' for other in others)} has it."
    else:
        there_are = f"There are {', '.join(known)}." if known else f"Choose a launcher: {_there_are()}."
        way_out = did_you_mean(f"hydra.launcher.{name}", [f"hydra.launcher.{k}" for k in known], there_are)
    raise UserError(f"{override.input_line}: {name or 'this'} is no option of hydra/launcher={chosen}.", way_out)


def _there_are() -> str:
    return ", ".join(f"hydra/launcher={name}" for name in (BASIC, *OPTIONS))


def check_launcher(composed: DictConfig) -> None:
    """Refuse a launcher that can't start jobs here.

    Args:
        composed: of a job, with Hydra's own node.

    Raises:
        UserError: a package or a program is missing, or an option has a wrong value.
    """
    name = str(composed.hydra.runtime.choices.get("hydra/launcher"))
    if name not in OPTIONS:
        return
    package, extra = NEEDS[name]
    require(f"hydra/launcher={name}", [package], extra)
    options = _checked(name, composed)
    if name == "joblib" and options.n_jobs == 0:
        raise UserError("hydra.launcher.n_jobs=0 is out of range (jobs at a time).", "It must be -1, or at least 1.")
    if name == "submitit_slurm":
        missing = [program for program in ("sbatch", "srun", "sacct") if shutil.which(program) is None]
        if missing:
            raise UserError(
                f"hydra/launcher=submitit_slurm needs SLURM's {missing[0]}, which is not found here.",
                "Start it on a node that can submit; hydra/launcher=joblib runs jobs on this machine.",
            )
    for key in ("nodes", "tasks_per_node"):
        if getattr(options, key, 1) > 1:
            raise UserError(
                f"hydra.launcher.{key}={getattr(options, key)}: a job of a sweep is started as one process.",
                "It starts others on its machine by trainer.devices=; several machines train one run, by srun.",
            )


def _checked(name: str, composed: DictConfig) -> Any:
    kind = OPTIONS[name]
    known = {item.name for item in fields(kind)}
    try:
        values = OmegaConf.to_container(composed.hydra.launcher, resolve=True)
        assert isinstance(values, dict)
        given = {str(key): value for key, value in values.items() if key != "_target_"}
        for key in given:
            if key not in known:
                raise UserError(
                    f"hydra.launcher.{key} is no option of hydra/launcher={name}.",
                    did_you_mean(key, known, f"There are {', '.join(sorted(known))}."),
                )
        checked = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), given))
    except ValidationError as error:
        key = error.full_key or str(error.key)
        value = OmegaConf.select(composed, f"hydra.launcher.{key}", throw_on_resolution_failure=False)
        hint = next((item.type for item in fields(kind) if item.name == key), None)
        wanted = type_in_words(hint)
        raise UserError(
            f"hydra.launcher.{key}={shown(value)} has the wrong type: it must be {wanted}.", f"Give it {wanted}."
        ) from error
    except OmegaConfBaseException as error:
        first_line = str(error).partition("\n")[0]
        raise UserError(f"hydra.launcher: {first_line}", "Mend that value.") from error
    for path, value, rules in values_of(checked, "hydra.launcher."):
        check_value(path, value, rules)
    return checked
