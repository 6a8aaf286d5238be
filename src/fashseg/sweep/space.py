"""Search spaces: what an override says with ``interval``, ``range`` or ``choice``, in Hydra's own syntax."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep

from fashseg.composing import sweep_values
from fashseg.errors import UserError
from fashseg.nearest import did_you_mean

CHOICE, FLOAT, INT = "choice", "float", "int"
MOST_POINTS = 100_000  # of a grid


@dataclass(frozen=True)
class Dimension:
    """What one option is searched over.

    Attributes:
        kind: ``choice``, ``float`` or ``int``.
        line: as it was given.
        low: smallest value; None of choices.
        high: largest value, which belongs to it.
        log: whether the logarithm is drawn evenly.
        step: distance of values, counted from ``low``; None of any.
        choices: as they are typed.
    """

    kind: str
    line: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def ends(self) -> tuple[str, ...]:
        """What has to be valid: all choices, or both ends."""
        return self.choices or tuple(self.typed(end) for end in (self.low, self.high))

    def values(self) -> tuple[Any, ...] | None:
        """All values of it; None of a continuum."""
        if self.kind == CHOICE:
            return self.choices
        step = self.step or (1 if self.kind == INT else None)
        assert self.low is not None
        assert self.high is not None
        if step is None or (count := math.floor((self.high - self.low) / step * (1 + 1e-12)) + 1) > MOST_POINTS:
            return None
        return tuple(self.low + i * step for i in range(count))

    def typed(self, value: Any) -> str:
        """A value as one would type it."""
        if self.kind == CHOICE:
            return str(value)
        return str(int(value)) if self.kind == INT else repr(float(value))

    def as_record(self) -> dict[str, Any]:
        """As study.json has it."""
        if self.kind == CHOICE:
            return {"kind": CHOICE, "choices": list(self.choices)}
        number = int if self.kind == INT else float
        assert self.low is not None
        assert self.high is not None
        step = None if self.step is None else number(self.step)
        return {"kind": self.kind, "low": number(self.low), "high": number(self.high), "log": self.log, "step": step}


def dimension(override: Override) -> Dimension | None:
    """The space of an override; None where it gives one value.

    Raises:
        UserError: the space is empty, or can't be drawn from.
    """
    line = str(override.input_line)
    value = override.value()
    if not override.is_sweep_override():
        return None
    tags = set(getattr(value, "tags", ()))
    for tag in sorted(tags - {"log"}):
        raise UserError(f"{line}: tag {tag} means nothing here.", did_you_mean(tag, ["log"], "There is log."))
    if isinstance(value, IntervalSweep):
        assert value.start is not None
        assert value.end is not None
        found = Dimension(
            INT if isinstance(value.start, int) else FLOAT, line, value.start, value.end, log="log" in tags
        )
    elif isinstance(value, RangeSweep):
        found = _of_range(override, line, "log" in tags)
    else:
        choices = tuple(sweep_values(override))
        if twice := [choice for i, choice in enumerate(choices) if choice in choices[:i]]:
            raise UserError(f"{line} names {twice[0]} twice.", "Name each choice once.")
        return Dimension(CHOICE, line, choices=choices)
    _check(found)
    return found


def _of_range(override: Override, line: str, log: bool) -> Dimension:
    values = [float(text) for text in sweep_values(override)]
    if not values:
        raise UserError(f"{line} gives no values.", "Write range(start,stop,step).")
    numbers = override.value()
    assert isinstance(numbers, RangeSweep)
    whole = all(isinstance(number, int) for number in (numbers.start, numbers.stop, numbers.step))
    step = abs(numbers.step)
    if log and step != 1:
        raise UserError(f"{line}: log goes with steps of 1 alone.", "Write interval(low,high), or leave log out.")
    return Dimension(INT if whole else FLOAT, line, min(values), max(values), log, None if log else step)


def _check(found: Dimension) -> None:
    low, high = found.low, found.high
    assert low is not None
    assert high is not None
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UserError(
            f"{found.line} has an end that is no finite number.", "Give two numbers, the smaller one first."
        )
    if low > high:
        raise UserError(f"{found.line} is empty: {low:g} is more than {high:g}.", "Write the smaller end first.")
    if low == high and found.step is None:
        raise UserError(f"{found.line} holds one value only.", f"Give two ends, or that value itself: {low:g}.")
    if found.log and low <= 0:
        raise UserError(
            f"{found.line}: on a log scale both ends must be greater than 0, and {low:g} is not.",
            "Begin above 0, or leave log out.",
        )


def as_whole_numbers(found: Dimension, path: str) -> Dimension:
    """The same for an option that takes whole numbers.

    Raises:
        UserError: an end is none.
    """
    for number in (found.low, found.high, found.step):
        if number is not None and number != int(number):
            raise UserError(
                f"{found.line}: {path} takes whole numbers, and {number:g} is none.", "Give whole numbers as ends."
            )
    return replace(found, kind=INT)


def grid(space: Mapping[str, Dimension]) -> Sequence[tuple[Any, ...]]:
    """All values of each option, for sampler=grid.

    Raises:
        UserError: one has no end of them, or they are too many.
    """
    columns = []
    count = 1
    for path, found in space.items():
        values = found.values()
        if values is None:
            raise UserError(
                f"{found.line}: hydra.sweeper.sampler=grid needs values that can be counted, not an interval.",
                f"Name them, {path}=choice(...) or range(start,stop,step), or choose another sampler.",
            )
        columns.append(values)
        count *= len(values)
    if count > MOST_POINTS:
        raise UserError(f"the grid has {count:,} points, more than {MOST_POINTS:,}.", "Name fewer values.")
    return columns
