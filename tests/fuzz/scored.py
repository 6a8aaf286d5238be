"""Scores and labels that nobody thought of, and between which bounds an average precision of them has to lie."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from trying import tries

from amounts import amount

Array = npt.NDArray[Any]

IGNORED = 255
EDGES = [0.0, -0.0, 1.0, -1.0, 1e-45, -1e-45, 1e-38, 1e-20, 1e-12, 88.0, -104.0, 1e4, 1e10, -1e25, 3.4028235e38]
ANY = st.one_of(
    st.floats(-20, 20, width=16),
    st.sampled_from([*EDGES, -3.4028235e38, 1e300, -1e300]),
    st.sampled_from([np.inf, -np.inf]),
    st.floats(allow_nan=False, width=32),
)
MASKED = st.one_of(st.floats(-20, 20, width=16), st.floats(-1000, 1000, width=32), st.sampled_from([0.0, -np.inf]))


class Figures(TypedDict):
    """What ``record`` takes."""

    tried: int
    survived: int
    remarks: str


def examples(
    *strategies: st.SearchStrategy[Any], quick: int = 40, full: int = 500
) -> Callable[[Callable[..., str | None]], Figures]:
    """Call the function that is decorated with many examples, at once, and put the figures in its place.

    What the function returns, if anything, is a remark that is counted.
    """

    def try_all(check: Callable[..., str | None]) -> Figures:
        ended: Counter[str | None] = Counter()

        @tries(amount(quick, full))
        @given(st.tuples(*strategies))
        def try_it(values: tuple[Any, ...]) -> None:
            ended[check(*values)] += 1

        try_it()
        remarks = ", ".join(f"{times} {remark}" for remark, times in sorted(ended.items(), key=str) if remark)
        return {"tried": ended.total(), "survived": ended.total(), "remarks": remarks}

    return try_all


@dataclass(frozen=True)
class Scored:
    """Scores (N, C, *), labels (N, *), and how many images there are in each batch."""

    scores: Tensor
    targets: Tensor
    batches: tuple[int, ...]

    @property
    def classes(self) -> int:
        return self.scores.shape[1]

    def split(self) -> list[tuple[Tensor, Tensor]]:
        return list(zip(self.scores.split(self.batches), self.targets.split(self.batches), strict=True))

    def by_class(self) -> list[tuple[Tensor, Tensor]]:
        """For each class the scores of the pixels that are not ignored, and whether they are of the class."""
        labels = self.targets.flatten()
        kept = labels != IGNORED
        columns = self.scores.movedim(1, -1).reshape(-1, self.classes)[kept].unbind(1)
        return [(column, labels[kept] == c) for c, column in enumerate(columns)]


@st.composite
def scored(draw: st.DrawFn, *, sane: bool = False, ignore: bool = False) -> Scored:
    """Continuous or few scores, of any magnitude unless ``sane``: then logits whose softmax is defined."""
    images, classes = draw(st.integers(1, 5)), draw(st.integers(2, 8))
    space = (draw(st.integers(1, 12)), draw(st.integers(1, 12))) if draw(st.booleans()) else ()
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    present = torch.tensor(draw(st.lists(st.integers(0, classes - 1), min_size=1, max_size=classes, unique=True)))
    if ignore and draw(st.booleans()):
        present = torch.cat([present, torch.tensor([IGNORED])])
    targets = present[torch.randint(len(present), (images, *space), generator=generator)]
    shape = images, classes, *space
    kind = draw(st.sampled_from(["few", "few", "some", "many", "crowded"]))
    pool = torch.tensor(draw(st.lists(MASKED if sane else ANY, min_size=1, max_size=6)), dtype=torch.float64)
    drawn = pool[torch.randint(len(pool), shape, generator=generator)]
    noise = torch.randn(shape, generator=generator, dtype=torch.float64)
    if kind == "few":
        scores = drawn
    elif kind == "some":  # ties among others
        scores = torch.where(torch.rand(shape, generator=generator) < 0.5, drawn, noise)
    elif kind == "many":
        scores = noise * draw(st.sampled_from([1e-12, 1e-3, 1.0, 30.0]))
        scores = scores + 2 * (targets.unsqueeze(1) == torch.arange(classes).view(1, -1, *[1] * len(space)))
    else:  # neighbours in float32
        scores = pool[0] * (1 + noise.round() * 2**-23)
    if sane:
        scores[:, 0].masked_fill_(scores.amax(1) == -torch.inf, 0)
    scores = scores.to(draw(st.sampled_from([torch.float32, torch.float32, torch.float64, torch.bfloat16])))
    if draw(st.booleans()):
        scores = scores.movedim(1, -1).contiguous().movedim(-1, 1)
    labels = draw(st.sampled_from([torch.int64, torch.uint8, torch.int32]))
    return Scored(scores, targets.to(labels), draw(splits(images)))


@st.composite
def splits(draw: st.DrawFn, whole: int) -> tuple[int, ...]:
    """Whole numbers above 0 that add up to ``whole``."""
    cuts = sorted(draw(st.sets(st.integers(1, whole - 1)))) if whole > 1 else []
    return tuple(int(size) for size in np.diff([0, *cuts, whole]))


def places(x: Array, bins: int) -> Array:
    """Where scores lie in the histogram, in bins: the formula that the docstring of ``score_histogram`` gives."""
    with np.errstate(divide="ignore"):
        return np.sign(x) / (1 + 1 / np.sqrt(np.abs(x))) * bins / 2


def log_odds(probability: Array, classes: int) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(probability) - np.log1p(-probability) + np.log(classes - 1)


def average_precision_bounds(low: Array, high: Array, hit: Array) -> tuple[float, float]:
    """The least and the greatest average precision of scores that are known to lie from ``low`` to ``high`` each."""
    sure = low[None, :] > high[hit][:, None]  # for each positive, what is certainly above it
    maybe = high[None, :] >= low[hit][:, None]  # and what may be as high
    least_hits, most_hits = sure[:, hit].sum(1) + 1, maybe[:, hit].sum(1)
    least_misses, most_misses = sure[:, ~hit].sum(1), maybe[:, ~hit].sum(1)
    return (
        float((least_hits / (least_hits + most_misses)).mean()),
        float((most_hits / (most_hits + least_misses)).mean()),
    )
