"""The options trainer.devices, .nodes and .strategy against what was started. Imports no torch."""

from collections.abc import Mapping, Sequence
from typing import Any

from fashseg.config import Train, Trainer
from fashseg.errors import UserError
from fashseg.ranks.places import Place

AUTO = "auto"


def several(options: Trainer) -> bool:
    """Whether processes train together, or one in the way that they do."""
    return options.devices != 1 or options.nodes > 1 or options.strategy != AUTO


def fitting_overrides(plans: Sequence[Train], given: Mapping[str, Any], multirun: bool, place: Place) -> list[str]:
    """Overrides that give the options the numbers of processes that were started; those typed have to be the same.

    Args:
        plans: options of the jobs.
        given: what was typed, by key.
        multirun: whether it is a sweep.
        place: of this process.

    Raises:
        UserError: processes were started that the options do not ask for, or the other way round.
    """
    if not place.started_elsewhere:
        for plan in plans:
            require_started(plan.trainer, place)
        return []
    if multirun:
        raise UserError(
            f"-m under {place.starter}: a sweep starts the processes of each of its jobs by itself.",
            f"Start it without {place.starter}, with trainer.devices={place.local_world}.",
        )
    added = []
    for key, count, where in (
        ("trainer.devices", place.local_world, "on each machine"),
        ("trainer.nodes", place.nodes, "as machines"),
    ):
        if given.get(key, count) not in (count, AUTO):
            raise UserError(
                f"{key}={given[key]}, but {place.starter} has started {count} {where}.",
                f"Leave {key} out, or start as many.",
            )
        if given.get(key) != count:
            added.append(f"{key}={count}")
    return added


def require_started(options: Trainer, place: Place) -> None:
    """Refuse to wait for processes that nobody has started.

    Raises:
        UserError: trainer.nodes and trainer.devices ask for others than there are.
    """
    if place.started_elsewhere:
        if (options.devices, options.nodes) != (place.local_world, place.nodes):
            raise UserError(
                f"trainer.devices={options.devices} and trainer.nodes={options.nodes}, but {place.starter} has started "
                f"{place.local_world} processes on each of {place.nodes} machines.",
                "Start as many as the options say.",
            )
    elif options.nodes > 1:
        raise UserError(
            f"trainer.nodes={options.nodes} machines: torchrun or srun start processes there, this command does not.",
            f"On each of them: torchrun --nnodes {options.nodes} --node-rank … --master-addr … --nproc-per-node … "
            "-m fashseg.train …; or set trainer.nodes=1.",
        )
