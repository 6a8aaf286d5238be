"""Optimizers and schedules of the learning rate from their options."""

import math
from collections.abc import Iterable
from typing import Any, cast

import torch
from pytorch_lightning import Trainer
from torch import nn, optim
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from fashseg import config as cfg
from fashseg.data.module import ImageDataModule


def build_optimizer(
    options: cfg.Optimizer, parameters: Iterable[nn.Parameter], fused: bool = True, recordable: bool = False
) -> optim.Optimizer:
    """Adam, AdamW or SGD.

    Args:
        options: its dataclass.
        parameters: what it changes, where it will stay.
        fused: one kernel for all parameters. Such an optimizer takes the scale off float16 gradients by itself, so
            that they can't be clipped before.
        recordable: keep all that changes from step to step on the device, so that a CUDA graph of a step stays right.
    """
    parameters = list(parameters)
    optimizer = _built(options, parameters, fused, recordable)
    if all(parameter.is_cpu for parameter in parameters):
        look_for_no_gpu(optimizer)
    return optimizer


def look_for_no_gpu(optimizer: optim.Optimizer) -> None:
    """Skip what each step of an optimizer asks first: whether it is being recorded as a CUDA graph.

    Where no GPU is in use, torch 2.15 looks for NVIDIA's library on disk to answer, again at each step: a twentieth of
    a step of ``cnn``. On the CPU there is nothing to record.
    """
    for name in ("_accelerator_graph_capture_health_check", "_cuda_graph_capture_health_check"):
        if hasattr(type(optimizer), name):
            setattr(optimizer, name, lambda: None)


def _built(options: cfg.Optimizer, parameters: list[nn.Parameter], fused: bool, recordable: bool) -> optim.Optimizer:
    decay = options.weight_decay
    fused_or_not = fused or None  # False would also turn off what serves many parameters at once
    # On the device, where a schedule writes it: of a tensor on the CPU the recording keeps the number that it had.
    lr = torch.tensor(options.lr, device=parameters[0].device) if recordable else options.lr
    if isinstance(options, cfg.Adam):
        kind = optim.AdamW if options.name == "adamw" else optim.Adam
        betas = options.beta1, options.beta2
        return kind(parameters, lr, betas, weight_decay=decay, fused=fused_or_not, capturable=recordable)
    if isinstance(options, cfg.SGD):
        momentum, nesterov = options.momentum, options.nesterov
        return optim.SGD(parameters, lr, momentum, weight_decay=decay, nesterov=nesterov, fused=fused_or_not)
    raise ValueError(f"no optimizer is built from {options}")


def build_scheduler(options: cfg.Scheduler, optimizer: optim.Optimizer, steps: int) -> LRScheduler | None:
    """A schedule over ``steps`` optimizer steps; None where the rate stays as it is."""
    steps = max(1, math.ceil(steps))
    lr = float(optimizer.param_groups[0]["lr"])
    if isinstance(options, cfg.Cosine):
        return CosineAnnealingLR(optimizer, T_max=steps, eta_min=options.final_share * lr)
    if isinstance(options, cfg.OneCycle):
        cycle, rise = options.cycle_momentum, options.rise_share
        if float(rise * steps) - 1 == 0:
            rise *= 1 - 1e-6  # by the length of the rise less one step PyTorch would divide
        return OneCycleLR(optimizer, lr, total_steps=steps, pct_start=rise, cycle_momentum=cycle)
    return None


def optimizer_and_schedule(
    optimizer: cfg.Optimizer,
    scheduler: cfg.Scheduler,
    parameters: Iterable[nn.Parameter],
    trainer: Trainer,
    *,
    recordable: bool,
) -> Any:
    """What Lightning's ``configure_optimizers`` returns; the schedule goes step by step.

    Steps are not counted by Lightning's own estimate: that sets up the loader which is trained with, and this one then
    misses where a checkpoint says it was.
    """
    built = build_optimizer(optimizer, parameters, fused=trainer.precision != "16-mixed", recordable=recordable)
    data = cast(ImageDataModule, trainer.datamodule)  # type: ignore[attr-defined]
    steps = data.train_dataloader().steps * cast(int, trainer.max_epochs)
    schedule = build_scheduler(scheduler, built, steps)
    if schedule is None:
        return built
    return {"optimizer": built, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def keep_kind(optimizer: optim.Optimizer, recordable: bool) -> None:
    """Undo what a checkpoint has brought that is of how its run was made, not of what it learnt.

    Args:
        optimizer: whose state and options were loaded.
        recordable: as in `build_optimizer`.
    """
    for group in optimizer.param_groups:
        device = group["params"][0].device
        if "capturable" in group:
            group["capturable"] = recordable
        lr = float(group["lr"])
        group["lr"] = torch.tensor(lr, device=device) if recordable else lr
        for parameter in group["params"]:
            state = optimizer.state.get(parameter, {})
            for name, value in state.items():
                # Fused optimizers go through memory in one order: that of the weights, which shards do not keep.
                same = isinstance(value, torch.Tensor) and value.shape == parameter.shape
                if same and value.stride() != parameter.stride():
                    state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
            if recordable and "step" in state:
                state["step"] = state["step"].to(device)
