"""Losses as plain modules of logits and targets, and the table that builds them from their options.

What is minimised is chosen by ``loss=``, and the running training loss is of it. The losses of validation, test and, at
the end of an epoch, training images are always the cross-entropy: so they can be compared between runs.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from fashseg import config as cfg
from fashseg.losses.binary import Binary
from fashseg.losses.class_balanced import ClassBalanced
from fashseg.losses.cross_entropy import cross_entropy
from fashseg.losses.dice import Dice
from fashseg.losses.distill import Distill
from fashseg.losses.focal import Focal
from fashseg.losses.lovasz import Lovasz
from fashseg.plugins import calling
from fashseg.register import OWN

BUILDERS: dict[str, Callable[[Any, int | None], nn.Module]] = {
    "cross_entropy": lambda o, ignore: cross_entropy(ignore, o.label_smoothing),
    "binary": lambda _, ignore: Binary(ignore),
    "class_balanced": lambda o, ignore: ClassBalanced(o.beta, o.label_smoothing, ignore),
    "distill": lambda o, _: Distill(o.temperature),
    "dice": lambda o, ignore: Dice(o.entropy_share, ignore),
    "focal": lambda o, ignore: Focal(o.gamma, ignore),
    "lovasz": lambda o, ignore: Lovasz(o.entropy_share, ignore),
}

__all__ = ["BUILDERS", "OwnLoss", "build_loss", "cross_entropy"]


def build_loss(options: cfg.Loss, ignore: int | None = None) -> nn.Module:
    """The loss of these options.

    Args:
        options: its dataclass.
        ignore: value of the targets that count for nothing; None where all count.

    Returns:
        From logits (N, C, *) and int64 targets (N, *) to a scalar, the mean over what counts.
    """
    own = OWN.get(("loss", options.name))
    if own is None:
        return BUILDERS[options.name](options, ignore)
    with calling("loss", options.name):
        return OwnLoss(own.call("builder", options, ignore))


class OwnLoss(nn.Module):
    """A loss from outside the package, on float32 logits: in mixed precision its logarithms would lose their digits.

    Args:
        function: a module or a function of logits and targets.
    """

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """As it is."""
        return self.function(logits.float(), targets)
