"""The processes that train together as torch and Lightning know them: torch's process group, and few things agreed on.

There is one group in a process at a time, as torch has it.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from pytorch_lightning.strategies import DDPStrategy, Strategy
from torch import Tensor, distributed, nn
from torch.distributed import PrefixStore  # type: ignore[attr-defined]

from fashseg import config as cfg
from fashseg.errors import RunError
from fashseg.ranks.places import ALONE, Place

PATIENCE = timedelta(minutes=30)
"""How long one process waits for the others: torch's own time for gloo."""

_joined: list[Place] = []


def joined() -> Place | None:
    """The place of this process in the group that it is in; None where it is in none."""
    return _joined[-1] if _joined else None


@contextlib.contextmanager
def share_cores(place: Place) -> Iterator[None]:
    """Let each process of this machine use its part of the cores; srun and OMP_NUM_THREADS have shared them already."""
    name, before = "OMP_NUM_THREADS", torch.get_num_threads()
    if name in os.environ:
        yield
        return
    if place.starter != "srun":
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        torch.set_num_threads(max(1, cores // place.local_world))
    os.environ[name] = str(torch.get_num_threads())  # or Lightning would share them by its own rule, and for good
    try:
        yield
    finally:
        del os.environ[name]
        torch.set_num_threads(before)


@contextlib.contextmanager
def group(place: Place, store: Any, device: str, watch: Callable[[], None] = lambda: None) -> Iterator[None]:
    """In the block, torch's process group of all.

    Args:
        place: of this process.
        store: torch's, that all are connected to.
        device: ``cpu`` or ``gpu``.
        watch: called again and again while the others are waited for; raises where they won't come.

    Raises:
        RunError: the others did not come.
    """
    _meet(place, store, watch)
    store.set_timeout(PATIENCE)
    with _loopback(place):
        distributed.init_process_group(
            "nccl" if device == "gpu" else "gloo",
            store=PrefixStore("group", store),
            rank=place.rank,
            world_size=place.world,
            timeout=PATIENCE,
            device_id=torch.device("cuda", place.local_rank) if device == "gpu" else None,
        )
        _joined.append(place)
        try:
            yield
            # The leader holds the store, so it goes last.
            distributed.barrier(device_ids=[place.local_rank] if device == "gpu" else None)
        finally:
            _joined.remove(place)
            distributed.destroy_process_group()


def _meet(place: Place, store: Any, watch: Callable[[], None]) -> None:
    """Wait until all are there, and hear of one that won't come while one waits."""
    store.set(f"here/{place.rank}", "")
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while not store.check([f"here/{rank}" for rank in range(place.world)]):
        watch()
        if time.monotonic() > deadline:
            raise RunError(
                f"of {place.world} processes, some did not come within {PATIENCE.total_seconds() / 60:.0f} minutes.",
                "Look at what they say, and start the command again.",
            )
        time.sleep(0.02)


@contextlib.contextmanager
def _loopback(place: Place) -> Iterator[None]:
    """On one machine, gloo is to talk over the loopback: no other host is to reach it, and no name is looked up."""
    name = "GLOO_SOCKET_IFNAME"
    if place.nodes > 1 or name in os.environ or not Path("/sys/class/net/lo").exists():
        yield
        return
    os.environ[name] = "lo"
    try:
        yield
    finally:
        del os.environ[name]


class Numbered(ClusterEnvironment):
    """What Lightning asks for: all processes run already, and have found each other.

    Args:
        place: of this process.
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place

    creates_processes_externally = True
    main_address = ""
    main_port = 0

    @staticmethod
    def detect() -> bool:
        """It is always chosen by hand."""
        return False

    def world_size(self) -> int:
        """How many there are."""
        return self.place.world

    def set_world_size(self, size: int) -> None:
        """It is what it is."""

    def global_rank(self) -> int:
        """Number of this one."""
        return self.place.rank

    def set_global_rank(self, rank: int) -> None:
        """It is what it is."""

    def local_rank(self) -> int:
        """Its number on its machine."""
        return self.place.local_rank

    def node_rank(self) -> int:
        """Number of the machine."""
        return self.place.node


def strategy(options: cfg.Trainer, *, fitting: bool) -> Strategy | str:
    """How the processes of the group share the work; to score, each has the whole network.

    Buffers, of which batch normalisation has some, are each process's own within an epoch, and averaged before they are
    used or saved (`average_buffers`). DDP would send those of the first one around in every step.
    """
    place = joined()
    if place is None:
        return "auto"
    if options.strategy == "fsdp" and fitting and place.world > 1:
        from fashseg.ranks.shards import Shards

        return Shards()
    return DDPStrategy(broadcast_buffers=False, gradient_as_bucket_view=True)


def average_buffers(network: nn.Module) -> None:
    """Give all processes the mean of each one's buffers: running means of normalisation are then of all images."""
    place = joined() or ALONE
    if place.world == 1:
        return
    for buffer in network.buffers():
        if buffer.is_floating_point():
            distributed.all_reduce(buffer)
            buffer.div_(place.world)


def total(value: float, device: torch.device) -> float:
    """The sum of each process's number; all have to ask."""
    if (joined() or ALONE).world == 1:
        return value
    return float(_summed(torch.tensor(value, dtype=torch.float32 if device.type == "mps" else torch.float64), device))


def any_of(value: bool, device: torch.device) -> bool:
    """Whether it is so for any process; all have to ask."""
    return total(float(value), device) > 0


def _summed(value: Tensor, device: torch.device) -> Tensor:
    value = value.to(device)
    distributed.all_reduce(value)
    return value
