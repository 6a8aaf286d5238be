"""Differences in words: which are beyond noise, which are not, and what is missing to tell."""

import math

from fashseg.commands import command
from fashseg.compare.noise import COVERS, Noise, Pair
from fashseg.compare.rows import Group, Row
from fashseg.metrics.bootstrap import Interval
from fashseg.text import listed, signed


def between(interval: Interval, place: int) -> str:
    """An interval in brackets."""
    return f"({signed(float(interval.low[place]))} to {signed(float(interval.high[place]))})"


def row_difference(group: Group, row: Row, noise: Noise) -> tuple[float, Interval | None]:
    """Mean test score of a row minus that of the best row by validation, and its interval where there is one."""
    best = group.rows[0]
    return row.mean("test") - best.mean("test"), noise.difference(row.runs, best.runs)


def pair_in_words(group: Group, pair: Pair, noise: Noise) -> list[str]:
    """How the two sides of a pair differ on test images, over all and class by class."""
    interval = noise.difference(pair.others, pair.runs)
    first, second = pair.scores(None)
    counts = [f" (mean of {len(runs)} runs)" if len(runs) > 1 else "" for runs in (pair.runs, pair.others)]
    lines = [
        f"Test, {group.score_label}: {pair.names[0]} {first:.4f}{counts[0]}, {pair.names[1]} {second:.4f}{counts[1]}."
    ]
    if interval is None:
        return [*lines, *why_no_intervals(group, noise)]
    verdict = "beyond" if interval.beyond_noise(-1) else "within"
    lines.append(
        f"{pair.names[1]} minus {pair.names[0]}: {signed(second - first)} {between(interval, -1)}, {verdict} the noise "
        "of the choice of test images."
    )
    lines += [*_classes_in_words(pair, interval), COVERS]
    if len(pair.runs) == 1 or len(pair.others) == 1:
        lines.append(
            "A side is one run, so what is beyond this noise may still be the seed's doing: add seeds to tell."
        )
    return lines


def _from_to(interval: Interval, place: int) -> str:
    low, high = sorted(abs(float(end[place])) for end in (interval.low, interval.high))
    return f"{low:.4f} to {high:.4f}"


def _classes_in_words(pair: Pair, interval: Interval) -> list[str]:
    names = list(pair.runs[0].by_class("test"))
    told = [place for place in range(len(names)) if not math.isnan(interval.low[place])]
    beyond = [place for place in told if interval.beyond_noise(place)]
    within = [names[place] for place in told if place not in beyond]
    lines = []
    for sign, better in ((1, pair.names[1]), (-1, pair.names[0])):
        gains = [
            f"{names[place]} (by {_from_to(interval, place)})"
            for place in beyond
            if sign * interval.estimate[place] > 0
        ]
        if gains:
            lines.append(f"{better} is better beyond noise in {listed(gains)}.")
    if within:
        lines.append(f"Within noise: {listed(within)}.")
    absent = [name for place, name in enumerate(names) if place not in told]
    if absent:
        lines.append(f"Absent from the test images: {listed(absent)}.")
    if beyond and len(told) > 2:
        lines.append("Each interval leaves out 0 by chance in one of twenty cases, so of ten now and then one does.")
    return lines


def why_no_intervals(group: Group, noise: Noise) -> list[str]:
    """Why differences of a group have no interval; empty where all have one."""
    names = {run.name: group.short_name(run) for run in group.runs}
    reasons: dict[str, list[str]] = {}
    for name, why in noise.missing.items():
        reasons.setdefault(why, []).append(names[name])
    lines = [f"No interval with {listed(runs)}: {why}." for why, runs in reasons.items()]
    if noise.other_images(group):
        lines.append("No interval between runs that were tested on different images: nothing can be paired.")
    return lines


def commands(noise: Noise) -> list[str]:
    """What makes the evidence that is missing."""
    again = {"refresh": "true"}
    return [
        command("report", noise.plugins.get(name), run=name, **(again if name in noise.refresh else {}))
        for name in noise.missing
    ]
