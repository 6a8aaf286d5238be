"""Training steps whose loss is not finite: they end the run, or are left out and counted."""

import logging
import math
from typing import Any

import torch
from torch import Tensor, nn

from fashseg.errors import RunError
from fashseg.ranks.group import total

log = logging.getLogger(__name__)

_SHOWN_IMAGES = 8


class NotFiniteError(RunError):
    """A training step can't be taken.

    Args:
        step: its number in the whole training, from 1.
        epoch: from 1.
        loss: of its batch.
        gradient_norm: L2, over all weights.
        images: positions of the batch's images in the arrays of the training set.

    Attributes:
        record: all that as plain containers, for results.json.
    """

    def __init__(self, *, step: int, epoch: int, loss: float, gradient_norm: float, images: list[int]) -> None:
        some = ", ".join(map(str, images[:_SHOWN_IMAGES])) + (", …" if images[_SHOWN_IMAGES:] else "")
        super().__init__(
            f"training diverged in step {step} (epoch {epoch}): the loss of its {len(images)} images ({some}) is "
            f"{loss}, the norm of its gradient {gradient_norm:.3g}. Checkpoints of before are kept; results.json "
            "lists all the images.",
            "Try a smaller optimizer.lr, or trainer.gradient_clip=1; on_nan=skip leaves such steps out.",
        )
        self.record = {
            "step": step,
            "epoch": epoch,
            "loss": str(loss),
            "gradient_norm": str(gradient_norm),
            "images": images,
        }


class Guard:
    """Looks at the loss of each training step before the weights follow it.

    Args:
        network: what is trained.
        skip: leave out a step that can't be taken; else the caller ends the run.

    Attributes:
        skipped: steps that were left out, in the whole training.
        sharded: whether each process has the gradients of a part of the weights alone.
    """

    def __init__(self, network: nn.Module, skip: bool) -> None:
        self.network, self.skip = network, skip
        self.skipped = 0
        self.sharded = False
        self._kept: list[tuple[Tensor, Tensor]] = []

    def before(self) -> None:
        """Ahead of the forward pass, where normalisation takes in what the batch is like."""
        if self.skip:
            self._kept = [(buffer, buffer.clone()) for buffer in self.network.buffers()]

    def lets_pass(self, loss: Tensor) -> bool:
        """Whether a step can be taken whose gradient is there; waits for the device.

        Where steps are left out, the gradient counts, too. Else a bad one ends the run in the next step, by its loss,
        and for none of the others it has to be read.
        """
        return math.isfinite(loss.item()) and (not self.skip or math.isfinite(self.gradient_norm()))

    def gradient_norm(self) -> float:
        """L2 norm of the gradients of all weights together."""
        grads = [parameter.grad for parameter in self.network.parameters() if parameter.grad is not None]
        norm = float(nn.utils.get_total_norm(grads))
        if self.sharded:
            norm = math.sqrt(total(norm**2, next(self.network.parameters()).device))
        return norm

    def clip(self, parameters: list[nn.Parameter], most: float) -> None:
        """Shorten the gradient of parameters, all together, to this norm."""
        if self.sharded:
            norm = torch.tensor(self.gradient_norm(), device=parameters[0].device)
            nn.utils.clip_grads_with_norm_(parameters, most, norm)
        else:
            nn.utils.clip_grad_norm_(parameters, most)

    def leave_out(self, step: int) -> None:
        """Undo what the forward pass of a step has left, and count it."""
        for buffer, kept in self._kept:
            buffer.copy_(kept)
        self.skipped += 1
        log.warning("step %d is left out: its loss or its gradient is not finite", step)


class DeferredGuard:
    """The same without waiting for a GPU at each step: a first bad step freezes the weights until somebody looks.

    Fused optimizers leave a step out where their ``found_inf`` says so, which is how torch's GradScaler tells them.

    Args:
        optimizer: a fused one.
        device: of its weights.
    """

    def __init__(self, optimizer: Any, device: torch.device) -> None:
        self.bad, self.good_steps = torch.zeros((), device=device), torch.zeros((), device=device)
        optimizer.found_inf = self.bad

    def look(self, loss: Tensor) -> None:
        """Within a step, behind its loss and ahead of the optimizer; nothing waits."""
        self.bad.copy_(torch.maximum(self.bad, (~torch.isfinite(loss)).to(self.bad.dtype)))
        self.good_steps.add_(1 - self.bad)

    def first_bad(self) -> int | None:
        """Position of the first bad step since the last call; waits for the device."""
        if not bool(self.bad):
            self.good_steps.zero_()
            return None
        return int(self.good_steps)
