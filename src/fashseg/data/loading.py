"""Loaders: whole batches by index, in an order that seed and epoch alone fix, from a position that can be saved."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from fashseg.data.arrays import ArrayDataset, Batch
from fashseg.data.batches import Batches
from fashseg.data.epoch_order import EpochOrder
from fashseg.errors import UserError


class Steps:
    """The batches of consecutive training steps, which a task works off in one call of Lightning's loop.

    Iterating gathers one batch at a time. ``len()`` is the number of steps.

    Args:
        batches: of a pass over the data.
        first: number of the first step's batch.
        count: number of steps.
        device: where batches are moved to; None leaves them where they are.
    """

    def __init__(self, batches: Batches, first: int, count: int, device: torch.device | str | None = None) -> None:
        self._batches, self._numbers, self._device = batches, range(first, first + count), device

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Batch]:
        for number in self._numbers:
            images, targets = self._batches[number]
            yield (images, targets) if self._device is None else (images.to(self._device), targets.to(self._device))

    @property
    def indices(self) -> list[Tensor]:
        """For each step the positions of its images in the arrays of the data set: int64, where these arrays are."""
        return [self._batches.rows[number] for number in self._numbers]

    @property
    def images(self) -> int:
        """Number of images of all steps together."""
        return sum(map(len, self.indices))

    def to(self, device: torch.device | str, **_: Any) -> "Steps":
        """The same steps with batches on a device; Lightning moves batches by this name."""
        return Steps(self._batches, self._numbers.start, len(self), device)


class TrainLoader:
    """Training batches of one process, epoch after epoch.

    The images of a step are the same, however many processes share them: each takes every ``world``-th one. So all
    have equally many steps, and no image is taken twice; `share` says how many are whose.

    Args:
        part: the training images.
        batch_size: images a step, of each process.
        seed: of the order.
        rank: of this process.
        world: number of processes.
        steps_per_call: None yields a batch at a time, a number `Steps` of so many, the last ones fewer.
        limit_batches: use only so many batches an epoch.
        workers: threads that read ahead what is on disk.
        device: where batches are needed; None leaves them where the images are.
        order: of the images; None is that of `EpochOrder`.

    Attributes:
        sampler: the order; its ``set_epoch`` chooses the epoch.
        steps: batches an epoch.
    """

    def __init__(
        self,
        part: ArrayDataset,
        batch_size: int,
        *,
        seed: int,
        rank: int = 0,
        world: int = 1,
        steps_per_call: int | None = None,
        limit_batches: int | None = None,
        workers: int = 0,
        device: torch.device | None = None,
        order: EpochOrder | None = None,
    ) -> None:
        self.part, self.batch_size, self.steps_per_call = part, batch_size, steps_per_call
        self.rank, self.world = rank, world
        self.workers, self.device = workers, device
        self.sampler = order or EpochOrder(len(part), seed, rank, world)
        self._together = self.sampler.together
        self._size = batch_size * (world if self._together else 1)
        self._batches = _training_batches(len(self.sampler), self._size)
        self.steps = self._batches if limit_batches is None else min(self._batches, limit_batches)
        self._epoch = self._position = 0
        self._go_on = False

    def __len__(self) -> int:
        return -(-self.steps // (self.steps_per_call or 1))

    def __iter__(self) -> Iterator[Any]:
        # This runs at the first next(): Lightning sets the epoch after it has called iter().
        go_on = self._go_on and self._epoch == self.sampler.epoch
        start = self._position if go_on else 0
        self._go_on, self._epoch, self._position = False, self.sampler.epoch, start
        with Batches(self.part, self.rows(), self.workers, self.device) as batches:
            for first in range(start, self.steps, self.steps_per_call or 1):
                count = min(self.steps_per_call or 1, self.steps - first)
                # Counted as it is handed out: Lightning saves after the step, and fetches nothing before it is needed.
                self._position = first + count
                yield batches[first] if self.steps_per_call is None else Steps(batches, first, count)

    def rows(self, *, of_all: bool = False) -> Sequence[Tensor]:
        """For each batch of this epoch the positions of its images in the arrays: int64, where these are.

        Args:
            of_all: those of all processes, not only of this one, where they share out one order.
        """
        take = self.sampler.rows_of(self.part)

        def batch(number: int) -> Tensor:
            whole = take(*self._range(number))
            if of_all or not self._together or self.world == 1:
                return whole
            mine = self._mine(len(whole))
            return whole[mine.start : mine.stop : mine.step] if mine else whole[:2]

        return Ranges(self.steps, batch)

    def _range(self, number: int) -> tuple[int, int]:
        """Where in the order a step's images begin and end."""
        first = number * self._size
        return first, len(self.sampler) if number == self._batches - 1 else first + self._size

    def share(self, number: int) -> tuple[int, int]:
        """Of a step's images, how many are this process's, and how many there are.

        A process that has none works on some all the same, for all have to take part; they are to count for nothing.
        """
        first, last = self._range(number)
        if not self._together:
            return last - first, (last - first) * self.world
        return len(self._mine(last - first)), last - first

    def _mine(self, whole: int) -> range:
        """Positions in a batch. Of few images, some have two or more, for one alone can't be normalised."""
        sharing = self.world if self.batch_size == 1 else max(1, min(self.world, whole // 2))
        return range(self.rank, whole, sharing) if self.rank < sharing else range(0)

    def state_dict(self) -> dict[str, Any]:
        """Epoch, steps that were handed out, and what gives these numbers their meaning."""
        return {"epoch": self._epoch, "position": self._position, "plan": self._plan()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The next pass goes on behind the saved position, if it is of the same epoch.

        Raises:
            UserError: the epoch was left in its middle, and the rest of it is not defined under these options.
        """
        saved, plan, position = state_dict["plan"], self._plan(), state_dict["position"]
        if saved != plan and 0 < position < saved["steps"]:
            name = next(name for name in {**plan, **saved} if saved.get(name) != plan.get(name))
            raise UserError(
                f"The checkpoint was saved within epoch {state_dict['epoch'] + 1}, after {position} of "
                f"{saved['steps']} steps with {name}={saved.get(name)}; here it is {name}={plan.get(name)}.",
                "Go on with the options that the run was begun with, or from a checkpoint of an epoch's end.",
            )
        self._epoch, self._position, self._go_on = state_dict["epoch"], position, True

    def _plan(self) -> dict[str, int | None]:
        """What the order and the numbers of steps follow from."""
        return {
            **self.sampler.plan,
            "batch_size": self.batch_size,
            "steps_per_call": self.steps_per_call,
            "steps": self.steps,
        }


class Ranges(Sequence[Tensor]):
    """For each batch of a pass the positions of its images, found when they are asked for.

    Args:
        count: number of batches.
        take: from the number of a batch to its positions.
    """

    def __init__(self, count: int, take: Callable[[int], Tensor]) -> None:
        self._count, self._take = count, take

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: Any) -> Any:
        if not 0 <= number < self._count:
            raise IndexError(f"batch {number} of {self._count}")
        return self._take(number)


def _training_batches(images: int, batch_size: int) -> int:
    """The last one is smaller; but a single image joins the batch before, for alone it can't be normalised."""
    return -(-images // batch_size) - (images > batch_size > 1 and images % batch_size == 1)


class EvalLoader:
    """Batches in the order of the data set; all processes together see each image exactly once.

    All have equally many batches, for some ways to share a network need that. One that has fewer images ends with a
    batch of one image and no target, which counts for nothing.

    Args:
        part: the images.
        batch_size: images a batch.
        rank: of this process, which takes every ``world``-th image from ``rank`` on.
        world: number of processes.
        workers: threads that read ahead what is on disk.
        device: where batches are needed; None leaves them where the images are.
    """

    def __init__(
        self,
        part: ArrayDataset,
        batch_size: int,
        *,
        rank: int = 0,
        world: int = 1,
        workers: int = 0,
        device: torch.device | None = None,
    ) -> None:
        self.part, self.workers, self.device = part, workers, device
        mine, most = range(rank, len(part), world), -(-len(part) // world)
        self._counting = -(-len(mine) // batch_size)

        def take(number: int) -> Tensor:
            places = mine[number * batch_size : (number + 1) * batch_size] or range(1)
            return part.rows(torch.arange(places.start, places.stop, places.step))

        self._rows = Ranges(-(-most // batch_size), take)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Batch]:
        with Batches(self.part, self._rows, self.workers, self.device) as batches:
            for number, (images, targets) in enumerate(batches):
                yield images, targets if number < self._counting else targets[:0]
