"""A training step as a CUDA graph: recorded once, then started by one call in place of some hundred kernel launches."""

from collections.abc import Callable

import torch
from torch import Tensor

Outcome = tuple[Tensor, ...]
Step = Callable[[Tensor, Tensor], Outcome]
WARM_UP = 3


def record_cuda(step: Callable[[], Outcome]) -> Callable[[], Outcome]:
    """Record the kernels of ``step`` without running them; returns what runs them, and gives the same tensors anew."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outcome = step()

    def replay() -> Outcome:
        graph.replay()
        return outcome

    return replay


class GraphedStep:
    """A function of images and targets that is recorded on its first full batches and then replayed.

    The first calls run as they are, so that buffers of the optimizer and choices of kernels are settled; they count as
    steps like all others. Batches of another shape, such as the last one of an epoch, always run as they are. What the
    function writes to must stay where it is in memory: weights, gradients, the optimizer's state, counters.

    Args:
        step: without random numbers, and without waiting for the device.
        record: from a function to what replays it.
    """

    def __init__(
        self, step: Step, record: Callable[[Callable[[], Outcome]], Callable[[], Outcome]] = record_cuda
    ) -> None:
        self.step, self.record = step, record
        self.calls = 0
        self.replay: Callable[[], Outcome] | None = None
        self.images, self.targets = torch.empty(0), torch.empty(0)

    def __call__(self, images: Tensor, targets: Tensor) -> Outcome:
        """Take the step on a batch; what it returns is overwritten by the next call."""
        if self.calls == 0:
            self.images, self.targets = images.clone(), targets.clone()
        if images.shape != self.images.shape:
            return self.step(images, targets)
        self.calls += 1
        if self.calls <= WARM_UP:
            return self.step(images, targets)
        self.images.copy_(images)
        self.targets.copy_(targets)
        if self.replay is None:
            self.replay = self.record(lambda: self.step(self.images, self.targets))
        return self.replay()
