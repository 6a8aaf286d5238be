"""Optimizers and schedules of the learning rate from their options."""

import math
from collections.abc import Iterable

from torch import nn, optim
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from fashseg import config as cfg


def build_optimizer(options: cfg.Optimizer, parameters: Iterable[nn.Parameter], fused: bool = True) -> optim.Optimizer:
    """Adam, AdamW or SGD.

    Args:
        options: its dataclass.
        parameters: what it changes, where it will stay.
        fused: one kernel for all parameters. Such an optimizer takes the scale off float16 gradients by itself, so
            that they can't be clipped before.
    """
    lr, weight_decay = options.lr, options.weight_decay
    if isinstance(options, cfg.Adam):
        kind = optim.AdamW if options.name == "adamw" else optim.Adam
        return kind(parameters, lr, betas=(options.beta1, options.beta2), weight_decay=weight_decay, fused=fused)
    if isinstance(options, cfg.SGD):
        momentum, nesterov = options.momentum, options.nesterov
        return optim.SGD(parameters, lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov, fused=fused)
    raise ValueError(f"no optimizer is built from {options}")


def build_scheduler(options: cfg.Scheduler, optimizer: optim.Optimizer, steps: int) -> LRScheduler | None:
    """A schedule over ``steps`` optimizer steps; None where the rate stays as it is."""
    steps = max(1, math.ceil(steps))
    lr = optimizer.param_groups[0]["lr"]
    if isinstance(options, cfg.Cosine):
        return CosineAnnealingLR(optimizer, T_max=steps, eta_min=options.final_share * lr)
    if isinstance(options, cfg.OneCycle):
        return OneCycleLR(optimizer, max_lr=lr, total_steps=steps, pct_start=options.rise_share)
    return None
