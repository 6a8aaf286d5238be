"""What a checkpoint within an epoch holds besides what Lightning saves: counts so far, and random numbers to come."""

from typing import Any

import torch
from pytorch_lightning import Trainer
from torch import Tensor

from fashseg.metrics.totals import Totals
from fashseg.tasks.guard import Guard


def saved_state(running: Totals, guard: Guard, trainer: Trainer) -> dict[str, Any]:
    """As plain containers; all processes have to ask at the same time."""
    return {"running": running.saved(), "skipped": guard.skipped, "random_states": _random_states(trainer)}


def restore_state(saved: dict[str, Any], running: Totals, guard: Guard, trainer: Trainer) -> None:
    """Go on from there, with as many processes or another number of them."""
    running.restore(saved["running"], first=trainer.is_global_zero)
    guard.skipped = saved["skipped"]
    states = saved["random_states"]
    if trainer.global_rank < len(states):
        processor, device = states[trainer.global_rank]
        torch.set_rng_state(processor)
        if device is not None and trainer.strategy.root_device.type == "cuda":
            torch.cuda.set_rng_state(device, trainer.strategy.root_device)


def _random_states(trainer: Trainer) -> list[tuple[Tensor, Tensor | None]]:
    """Of the processor and of the GPU, for each process."""
    device = trainer.strategy.root_device
    mine = torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    if trainer.world_size == 1:
        return [mine]
    states: list[Any] = [None] * trainer.world_size
    torch.distributed.all_gather_object(states, mine)
    return states
