"""A training step as a CUDA graph: recorded once, then started by one call in place of some hundred kernel launches."""

import gc
from collections.abc import Callable

import torch
from torch import Tensor

Outcome = tuple[Tensor, ...]
Step = Callable[[Tensor, Tensor], Outcome]
WARM_UP = 3


def record_cuda(step: Callable[[], Outcome]) -> Callable[[], Outcome]:
    """Record the kernels of ``step`` without running them; returns what runs them, and gives the same tensors anew."""
    graph = torch.cuda.CUDAGraph()
    gc.collect()  # what an earlier run of a sweep has left on the device must not be freed while recording
    # Threads that read ahead may pin memory meanwhile.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        outcome = step()

    def replay() -> Outcome:
        graph.replay()
        return outcome

    return replay


def warm_up_cuda(step: Callable[[], Outcome]) -> Outcome:
    """Run ``step`` on a stream of its own, as torch asks for what is to be recorded."""
    stream, current = torch.cuda.Stream(), torch.cuda.current_stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(current)
    with torch.cuda.stream(stream):
        outcome = step()
    current.wait_stream(stream)
    return outcome


class GraphedStep:
    """A function of images and targets that is recorded on its first full batches and then replayed.

    The first calls run as they are, so that buffers of the optimizer and choices of kernels are settled; they count as
    steps like all others. Batches of another shape, such as the last one of an epoch, always run as they are. What the
    function writes to must stay where it is in memory: weights, gradients, the optimizer's state, counters.

    Args:
        step: without waiting for the device, and without random numbers but for the device's own, such as dropout
            draws, which torch makes new ones of in each replay.
        record: from a function to what replays it.
        warm_up: runs a function before it is recorded.
    """

    def __init__(
        self,
        step: Step,
        record: Callable[[Callable[[], Outcome]], Callable[[], Outcome]] = record_cuda,
        warm_up: Callable[[Callable[[], Outcome]], Outcome] = warm_up_cuda,
    ) -> None:
        self.step, self.record, self.warm_up = step, record, warm_up
        self.calls = 0
        self.replay: Callable[[], Outcome] | None = None
        self.images, self.targets = torch.empty(0), torch.empty(0)

    def __call__(self, images: Tensor, targets: Tensor) -> Outcome:
        """Take the step on a batch; what it returns is overwritten by the next call."""
        if self.replay is None and len(images) > len(self.images):  # the first ones may be the last of an epoch
            self.images, self.targets, self.calls = images.clone(), targets.clone(), 0
        if images.shape != self.images.shape:
            return self.step(images, targets)
        self.calls += 1
        if self.calls <= WARM_UP:
            return self.warm_up(lambda: self.step(images, targets))
        self.images.copy_(images)
        self.targets.copy_(targets)
        if self.replay is None:
            self.replay = self.record(lambda: self.step(self.images, self.targets))
        return self.replay()
