"""Which of several processes this one is, as the environment tells. Imports no torch."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from fashseg.errors import UserError

OURS = "FASHSEG_PLACE"
"""Set for the processes that a leader starts on its own machine: ``rank/world``."""


@dataclass(frozen=True)
class Place:
    """A process among those that train together.

    Attributes:
        rank: its number among all, from 0.
        world: how many there are.
        local_rank: its number on its machine.
        local_world: how many there are on its machine.
        node: number of its machine.
        nodes: how many machines there are.
        starter: what has started them: ``torchrun`` or what sets the same variables, ``srun``, ``fashseg``; "" where
            this process is alone, or starts others by itself.
        job: tells jobs apart that might take each other for their own.
    """

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    local_world: int = 1
    node: int = 0
    nodes: int = 1
    starter: str = ""
    job: str = ""

    @property
    def started_elsewhere(self) -> bool:
        """Whether others were started beside this process, and not by it."""
        return self.world > 1 and self.starter in ("torchrun", "srun")


ALONE = Place()


def here() -> Place:
    """The place of this process.

    Raises:
        UserError: the environment contradicts itself.
    """
    if OURS in os.environ:
        rank, world = map(int, os.environ[OURS].split("/"))
        return Place(rank, world, rank, world, starter="fashseg")
    try:
        place = _of_torchrun(os.environ) or _of_srun(os.environ) or ALONE
    except (ValueError, KeyError) as error:
        raise UserError(
            f"the variables of the environment that number the processes can't be understood: {error}.",
            "Start the command by torchrun or srun, or unset RANK, WORLD_SIZE and SLURM_STEP_NUM_TASKS.",
        ) from error
    if place.world != place.local_world * place.nodes or not 0 <= place.rank < place.world:
        raise UserError(
            f"{place.starter} has started {place.world} processes on {place.nodes} machines, {place.local_world} on "
            "this one: all need equally many.",
            "Start as many processes on each machine.",
        )
    return place


def _of_torchrun(variables: Mapping[str, str]) -> Place | None:
    """As torchrun numbers them, and others that set the same variables."""
    if not all(variables.get(name) for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")):
        return None
    world = int(variables["WORLD_SIZE"])
    if world == 1:
        return ALONE
    local_world = int(variables.get("LOCAL_WORLD_SIZE") or 1)
    rank = int(variables["RANK"])
    node = int(variables.get("GROUP_RANK") or rank // local_world)
    local_rank = int(variables.get("LOCAL_RANK") or 0)
    return Place(rank, world, local_rank, local_world, node, world // local_world, "torchrun")


def _of_srun(variables: Mapping[str, str]) -> Place | None:
    """As srun numbers the tasks of a step. In the script of a job itself there is no step, and so but one process."""
    tasks = variables.get("SLURM_STEP_NUM_TASKS")
    if tasks is None and variables.get("SLURM_STEP_ID"):
        tasks = variables.get("SLURM_NTASKS")
    if tasks is None or "SLURM_PROCID" not in variables:
        return None
    world, rank = int(tasks), int(variables["SLURM_PROCID"])
    if world == 1:
        return ALONE
    nodes = int(variables.get("SLURM_STEP_NUM_NODES") or variables.get("SLURM_NNODES") or 1)
    on_each = variables.get("SLURM_STEP_TASKS_PER_NODE") or variables.get("SLURM_TASKS_PER_NODE") or str(world // nodes)
    if not (found := re.fullmatch(rf"(\d+)(\(x{nodes}\))?", on_each)):
        raise ValueError(f"SLURM_STEP_TASKS_PER_NODE={on_each} is not the same on all machines")
    job = f"{variables.get('SLURM_JOB_ID', 0)}.{variables.get('SLURM_STEP_ID', 0)}"
    local_rank, node = int(variables["SLURM_LOCALID"]), int(variables.get("SLURM_NODEID") or 0)
    return Place(rank, world, local_rank, int(found[1]), node, nodes, "srun", job)
