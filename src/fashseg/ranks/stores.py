"""torch's key-value stores, through which processes find each other and the leader hands over its job."""

import json
import os
import re
import socket
from collections.abc import Mapping
from typing import Any

from torch.distributed import PrefixStore, TCPStore, rendezvous  # type: ignore[attr-defined]

from fashseg.errors import RunError
from fashseg.ranks.group import PATIENCE
from fashseg.ranks.places import Place

_LOOPBACK = "127.0.0.1"


def open_store(world: int) -> tuple[Any, int]:
    """A store for the processes of this machine, and its port: a free one that is taken at once."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.bind((_LOOPBACK, 0))
    listening.listen(max(128, 2 * world))
    port = listening.getsockname()[1]
    options: dict[str, Any] = {"is_master": True, "wait_for_workers": False, "master_listen_fd": listening.detach()}
    return TCPStore(_LOOPBACK, port, world, timeout=PATIENCE, **options), port


def connect(port: int, world: int) -> Any:
    """The store that the leader has opened on this machine."""
    return TCPStore(_LOOPBACK, port, world, is_master=False, wait_for_workers=False, timeout=PATIENCE)


def store_elsewhere(place: Place) -> Any:
    """The store of processes that were started by torchrun or srun.

    torchrun has one, and tells where. For srun it is on the first machine of the step, at a port that follows from the
    numbers of job and step; ``MASTER_ADDR`` and ``MASTER_PORT`` say otherwise.

    Raises:
        RunError: it can't be opened or reached.
    """
    try:
        if place.starter == "torchrun":
            return next(iter(rendezvous("env://", place.rank, place.world, timeout=PATIENCE)))[0]
        host, port = srun_address(os.environ)
        store = TCPStore(host, port, place.world, is_master=place.rank == 0, wait_for_workers=False, timeout=PATIENCE)
        return PrefixStore(place.job, store)
    except (RuntimeError, ValueError, OSError) as error:  # torch's errors of stores are RuntimeErrors
        reason = str(error).strip().partition("\n")[0]
        raise RunError(
            f"the processes that {place.starter} has started do not find each other: {reason}",
            "Set MASTER_ADDR to a name of the first machine that the others know, MASTER_PORT to a free port there.",
        ) from error


def srun_address(variables: Mapping[str, str]) -> tuple[str, int]:
    """Host and port at which the processes of a step meet."""
    from lightning_fabric.plugins.environments.slurm import SLURMEnvironment

    nodes = variables.get("SLURM_STEP_NODELIST") or variables.get("SLURM_JOB_NODELIST") or _LOOPBACK
    host = variables.get("MASTER_ADDR") or SLURMEnvironment.resolve_root_node_address(nodes)
    if port := variables.get("MASTER_PORT"):
        return host, int(port)
    job, step = (int(re.sub(r"\D", "", variables.get(name, "")) or 0) for name in ("SLURM_JOB_ID", "SLURM_STEP_ID"))
    return host, 15_000 + (job * 97 + step) % 15_000


def give(store: Any, job: Mapping[str, Any]) -> None:
    """Let the followers have their job, or the exit status to end with: ``{"end": 2}``."""
    store.set("job", json.dumps(job))


def receive(store: Any) -> dict[str, Any]:
    """The job, once the leader has given it.

    Raises:
        RunError: the leader did not.
    """
    try:
        job: dict[str, Any] = json.loads(store.get("job"))
    except RuntimeError as error:
        raise RunError(
            "the first process has given no job to the others.", "Look at what it says, and start the command again."
        ) from error
    return job
