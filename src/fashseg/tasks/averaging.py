"""An exponential moving average of the weights of a network that is trained.

Arithmetic and memory; `fashseg.callbacks.averaging` makes it of a run, on Lightning's callback.
"""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn


def decay_at(step: int, decay: float) -> float:
    """The share of the average that is kept in a step, counted from 1.

    It rises to ``decay`` as step / (step + 9), which is the rule of TensorFlow's ``ExponentialMovingAverage`` with
    ``num_updates``: the average is one over about the last tenth of the steps until that is 1 / (1 - decay) of them, so
    that initial weights are forgotten within a few steps.
    """
    return min(decay, step / (step + 9))


class Average:
    """Follows a network step by step, and takes its place where it is scored.

    Weights and buffers of floating point, such as the running means and variances of normalisation, are averaged; whole
    numbers, such as a count of batches, are those of the network. All values change in place: a compiled network, an
    optimizer or a recorded CUDA graph hold the memory of the weights, which stays where it is.

    Args:
        network: what is trained, where it will stay.
        kept: the average of it so far: a copy of the network, on the same device.
        decay: share of the average that a step keeps, above 0 and below 1.
        step: how many optimizer steps the average has followed.

    Attributes:
        exchanged: whether ``network`` has the averages at this moment, and ``kept`` the weights that are trained.
    """

    def __init__(self, network: nn.Module, kept: nn.Module, decay: float, step: int = 0) -> None:
        self.network, self.kept, self.decay, self.step = network, kept, decay, step
        self.exchanged = False
        # Once, not in every step: to go through the layers of a network takes longer than to average a small one.
        self._pairs = list(zip(_values(network), _values(kept), strict=True))
        averaged = [pair for pair in self._pairs if pair[0].is_floating_point()]
        counts = [pair for pair in self._pairs if not pair[0].is_floating_point()]
        self._current, self._average = [one for one, _ in averaged], [other for _, other in averaged]
        self._counts, self._kept_counts = [one for one, _ in counts], [other for _, other in counts]

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Take in the weights that an optimizer step has led to; one that was left out counts as a step.

        Args:
            step: how many were taken, with it.
        """
        torch._foreach_lerp_(self._average, self._current, 1 - decay_at(step, self.decay))
        if self._counts:
            torch._foreach_copy_(self._kept_counts, self._counts)
        self.step = step

    @torch.no_grad()
    def exchange(self) -> None:
        """Give the network the averages, or its own weights back."""
        for one, other in self._pairs:
            before = one.clone()
            one.copy_(other)
            other.copy_(before)
        self.exchanged = not self.exchanged

    @torch.no_grad()
    def hand_over(self) -> None:
        """Give the network the averages for good."""
        for one, other in self._pairs:
            one.copy_(other)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """In the block, the network has the averages."""
        if self.exchanged:
            yield
            return
        self.exchange()
        try:
            yield
        finally:
            self.exchange()


def _values(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
