"""The part of an axis of scores that is worth seeing: a search tries some values that ruin everything."""

from collections.abc import Sequence

import numpy as np

_SHOWN = 3.0  # times the distance from the best to the worst quarter
_MARGIN = 0.06


def score_limits(values: Sequence[float], maximise: bool = True) -> tuple[float, float]:
    """Ends of an axis on which the better three quarters of the values are told apart.

    All values are on it, unless the worst ones lie so far off that the others would become one line.

    Args:
        values: nan is left out.
        maximise: whether more is better.
    """
    known = np.array(values, dtype=float)
    known = np.sort(known[np.isfinite(known)] * (1 if maximise else -1))
    if not known.size:
        return 0.0, 1.0
    best, quarter, worst = known[-1], known[(known.size - 1) // 4], known[0]
    span = best - quarter
    low = best - _SHOWN * span if span > 0 and best - worst > _SHOWN * span else worst
    margin = _MARGIN * (best - low) or 0.05 * abs(best) or 0.5
    ends = (float(low - margin), float(best + margin))
    return ends if maximise else (-ends[1], -ends[0])


def short_number(value: float, _place: object = None) -> str:
    """A number at a tick, in as few letters as say it: 0.01, 1e-5; matplotlib's own are formulas."""
    text = f"{value:,.6g}"
    digits, _, power = text.partition("e")
    return f"{digits}e{int(power)}" if power else "1e-4" if text == "0.0001" else text
