"""Outlines and details of ten kinds of garment, drawn by random measures."""

from collections.abc import Callable
from math import cos, pi, radians, sin

import numpy as np
from numpy.random import Generator

from fashseg.data._garment_pen import Pen


def _top(
    pen: Pen, rng: Generator, sleeve: float, chest: float, hem: float, end: float, neck: float, width: float = 0.15
) -> float:
    """Draws body and sleeves of an upper garment and returns the y of its neckline.

    ``sleeve`` runs from 0, none, to 1, down to the hip; ``chest``, ``hem`` and ``width``, that of a sleeve, are half
    widths; ``end`` is the y of the hem, ``neck`` the depth of the neckline.
    """
    top, opening = rng.uniform(-0.94, -0.86), rng.uniform(0.13, 0.24)
    shoulder = max(chest * rng.uniform(0.86, 1.0), opening + 0.06)
    armpit = top + rng.uniform(0.42, 0.52)
    if sleeve > 0:
        length = 0.3 + 1.25 * sleeve
        angle = radians(rng.uniform(38, 66) if sleeve < 0.4 else rng.uniform(70, 84))
        x, y = shoulder + length * cos(angle), top + 0.1 + length * sin(angle)
        across, along = 2 * width * sin(angle) * (1 - 0.25 * sleeve), 2 * width * cos(angle)
        arm = [(shoulder - 0.1, top + 0.08), (shoulder + 0.06, top + 0.16), (x, y), (x - across, y + along)]
        pen.both([*arm, (chest - 0.08, armpit + 0.1)], rng.uniform(0.82, 1.0))
    waist = (chest + hem) / 2 * rng.uniform(0.88, 1.02)
    half = [(opening, top), (shoulder, top + 0.1), (chest, armpit), (waist, (armpit + end) / 2), (hem, end)]
    curve = rng.uniform(-0.02, 0.05)
    dip = (0.55 * opening, top + 0.75 * neck)
    right = [(0.0, top + neck), dip, *half, (0.0, end + curve)]
    pen.fill(right + [(-x, y) for x, y in right[-2:0:-1]])
    if sleeve > 0 and rng.random() < 0.75:
        seam = [(shoulder, top + 0.12), (chest - 0.02, armpit), (waist, (armpit + end) / 2)]
        tone = rng.uniform(0.25, 0.75)
        pen.line(seam, tone)
        pen.line([(-x, y) for x, y in seam], tone)
    return top + neck


def _buttons(pen: Pen, rng: Generator, start: float, end: float, x: float = 0.0) -> None:
    tone = rng.choice([0.3, 0.55, 1.25])
    for y in np.linspace(start + 0.1, end - 0.12, int(rng.integers(4, 8))):
        pen.fill([(x - 0.035, y - 0.035), (x + 0.035, y - 0.035), (x + 0.035, y + 0.035), (x - 0.035, y + 0.035)], tone)


def _print(pen: Pen, rng: Generator) -> None:
    tone, w, h, y = rng.choice([0.35, 0.6, 1.35]), rng.uniform(0.12, 0.26), rng.uniform(0.06, 0.25), -0.25
    pen.fill([(-w, y - h), (w, y - h), (w, y + h), (-w, y + h)], tone, smooth=int(rng.integers(0, 3)))


def _tshirt(pen: Pen, rng: Generator) -> None:
    chest, sleeve = rng.uniform(0.4, 0.54), 0.0 if rng.random() < 0.14 else rng.uniform(0.05, 0.32)
    hem, neck = chest * rng.uniform(0.9, 1.08), rng.uniform(0.1, 0.3)
    _top(pen, rng, sleeve, chest, hem, rng.uniform(0.75, 0.95), neck, rng.uniform(0.13, 0.19))
    if rng.random() < 0.35:
        _print(pen, rng)


def _pullover(pen: Pen, rng: Generator) -> None:
    chest, end = rng.uniform(0.4, 0.54), rng.uniform(0.72, 0.93)
    hem, sleeve = chest * rng.uniform(0.86, 1.05), rng.uniform(0.75, 1.05)
    neckline = _top(pen, rng, sleeve, chest, hem, end, rng.uniform(0.04, 0.2), rng.uniform(0.11, 0.16))
    if rng.random() < 0.45:
        pen.line([(-hem, end - 0.1), (hem, end - 0.1)], rng.uniform(0.5, 0.85))
    if rng.random() < 0.2:
        pen.both([(0, neckline - 0.05), (0.22, -0.96), (0.28, -0.8), (0.0, neckline + 0.2)], rng.uniform(0.6, 0.9), 1)
    if rng.random() < 0.25:
        _print(pen, rng)


def _shirt(pen: Pen, rng: Generator) -> None:
    chest, end = rng.uniform(0.38, 0.52), rng.uniform(0.75, 0.95)
    long = rng.random() < 0.62
    sleeve = rng.uniform(0.7, 1.05) if long else rng.uniform(0.04, 0.4)
    width = rng.uniform(0.1, 0.15) if long else rng.uniform(0.13, 0.19)
    neckline = _top(pen, rng, sleeve, chest, chest * rng.uniform(0.88, 1.14), end, rng.uniform(0.08, 0.28), width)
    if rng.random() < 0.76:
        pen.line([(0, neckline), (0, end)], rng.uniform(0.6, 0.85))
        _buttons(pen, rng, neckline, end)
    if rng.random() < 0.66:
        pen.both([(0.02, neckline + 0.02), (0.14, -0.95), (0.25, -0.86), (0.17, -0.66)], rng.uniform(0.7, 1.2))


def _coat(pen: Pen, rng: Generator) -> None:
    chest, end = rng.uniform(0.4, 0.54), rng.uniform(0.82, 0.98)
    hem, neck = chest * rng.uniform(0.92, 1.2), rng.uniform(0.06, 0.3)
    neckline = _top(pen, rng, rng.uniform(0.78, 1.05), chest, hem, end, neck, rng.uniform(0.12, 0.18))
    if rng.random() < 0.93:
        pen.line([(0, neckline), (0, end)], rng.uniform(0.05, 0.5), rng.uniform(0.03, 0.08))
    if rng.random() < 0.5:
        tip = neckline + rng.uniform(0.15, 0.5)
        pen.both([(0.01, tip), (0.12, -0.95), (0.28, -0.84), (0.24, -0.5)], rng.uniform(0.6, 1.2))
    if rng.random() < 0.35:
        _buttons(pen, rng, max(neckline, -0.4), end, rng.uniform(0.05, 0.16))
    if rng.random() < 0.5:
        y, tone = rng.uniform(0.15, 0.4), rng.uniform(0.3, 0.8)
        pen.line([(0.12, y), (chest - 0.1, y - 0.06)], tone, 0.04)
        pen.line([(-0.12, y), (0.1 - chest, y - 0.06)], tone, 0.04)


def _dress(pen: Pen, rng: Generator) -> None:
    chest, kind = rng.uniform(0.22, 0.36), rng.random()
    sleeve = 0.0 if kind < 0.5 else rng.uniform(0.03, 0.3) if kind < 0.8 else rng.uniform(0.6, 0.9)
    hem, neck = rng.uniform(0.24, 0.58), rng.uniform(0.08, 0.34)
    _top(pen, rng, sleeve, chest, hem, rng.uniform(0.84, 0.98), neck, rng.uniform(0.09, 0.14))
    if rng.random() < 0.45:
        y = rng.uniform(-0.25, 0.05)
        pen.line([(-chest, y), (chest, y)], rng.uniform(0.3, 0.8), rng.uniform(0.03, 0.09))
    if rng.random() < 0.35:
        for x in np.linspace(-0.6, 0.6, int(rng.integers(3, 6))):
            pen.line([(x * chest, 0.1), (x * hem, 0.85)], rng.uniform(0.65, 0.9))


def _trouser(pen: Pen, rng: Generator) -> None:
    waist, hip = rng.uniform(0.22, 0.34), rng.uniform(0.28, 0.4)
    fork, end = rng.uniform(-0.45, -0.2), 0.94 if rng.random() < 0.92 else rng.uniform(0.15, 0.5)
    gap = rng.uniform(0.03, 0.14)
    foot = gap + rng.uniform(0.14, 0.32)
    leg = [(0, -0.93), (waist, -0.93), (hip, fork), ((hip + foot) / 2, 0.3), (foot, end), (gap, end), (0.01, fork)]
    pen.both(leg)
    if rng.random() < 0.6:
        pen.line([(-waist, -0.83), (waist, -0.83)], rng.uniform(0.4, 0.85), 0.05)
    if rng.random() < 0.5:
        pen.line([(0, -0.85), (0, fork)], rng.uniform(0.3, 0.8))
    if rng.random() < 0.4:
        fold, tone = (gap + foot) / 2, rng.uniform(0.6, 1.3)
        pen.line([(fold, fork), (fold, end)], tone, 0.05)
        pen.line([(-fold, fork), (-fold, end)], tone, 0.05)


def _laces(pen: Pen, rng: Generator, above: tuple[float, float], below: tuple[float, float]) -> None:
    tone = rng.choice([0.35, 0.6, 1.3])
    for t in np.linspace(0.1, 0.85, int(rng.integers(3, 6))):
        x, y = above[0] + t * (below[0] - above[0]), above[1] + t * (below[1] - above[1])
        pen.line([(x + 0.03, y + 0.02), (x + 0.17, y + 0.11)], tone, 0.045)


def _low_shoe(pen: Pen, rng: Generator, height: float) -> None:
    ankle, toe, back = rng.uniform(0.08, 0.28), rng.uniform(0.14, 0.26), rng.uniform(0.78, 0.9)
    top = 0.34 - height
    upper = [(-0.95, 0.36), (-0.9, 0.34 - toe), (-0.5, 0.26 - toe), (ankle, top), (ankle + 0.1, top - 0.05)]
    pen.fill([*upper, ((ankle + back) / 2, top + 0.1), (back, top - 0.02), (0.9, 0.36)], 0.9, 1)
    if rng.random() < 0.6:
        _laces(pen, rng, (ankle, top), (-0.5, 0.26 - toe))
    if rng.random() < 0.5:
        tone = rng.choice([0.4, 1.3])
        for x in np.arange(int(rng.integers(1, 4))) * 0.13 + rng.uniform(-0.15, 0.15):
            pen.line([(x, 0.3), (x + rng.uniform(0.1, 0.25), 0.34 - 0.7 * height)], tone, 0.06)
    sole = rng.uniform(0.08, 0.17)
    pen.fill([(-0.95, 0.32), (0.92, 0.3), (0.93, 0.32 + sole), (-0.85, 0.34 + sole)], rng.choice([0.45, 0.75, 1.2]))


def _sneaker(pen: Pen, rng: Generator) -> None:
    _low_shoe(pen, rng, rng.uniform(0.36, 0.62) if rng.random() < 0.82 else rng.uniform(0.62, 1.1))


def _boot(pen: Pen, rng: Generator) -> None:
    if rng.random() < 0.12:
        _low_shoe(pen, rng, rng.uniform(0.75, 1.25))
        return
    top = rng.uniform(-0.93, -0.35) if rng.random() < 0.7 else rng.uniform(-0.35, -0.1)
    heel, front, back = rng.uniform(0.0, 0.4), rng.uniform(-0.05, 0.25), rng.uniform(0.72, 0.9)
    base = 0.88 if top < -0.5 else 0.55
    instep, toe = base - heel * 0.8 - 0.3, base - rng.uniform(0.18, 0.3)
    shaft = [(front, top), ((front + back) / 2, top + rng.uniform(-0.03, 0.1)), (back, top), (back - 0.04, base - heel)]
    foot = [(-0.1, base), (-0.85, base), (-0.9, toe), (-0.5, toe - 0.1), (front - 0.08, instep)]
    pen.fill([*shaft, (0.8, base - heel), (0.3, base - 0.6 * heel), *foot], 0.92, 1)
    slim = rng.uniform(0.12, 0.4)
    pen.fill([(0.82 - slim, base - heel), (0.84, base - heel - 0.05), (0.84, base), (0.86 - slim, base)], 0.6)
    if rng.random() < 0.6:
        pen.line(
            [(-0.88, base), (-0.1, base), (0.5, base - heel * 0.8), (0.84, base - heel)], rng.choice([0.4, 1.2]), 0.09
        )
    if rng.random() < 0.35:
        _laces(pen, rng, (front, max(top, instep - 0.5)), (front - 0.08, instep))
    if rng.random() < 0.5:
        x = rng.uniform(front + 0.1, back - 0.1)
        pen.line([(x, top + 0.05), (x, instep + 0.1)], rng.uniform(0.3, 0.7), rng.uniform(0.03, 0.12))


def _sandal(pen: Pen, rng: Generator) -> None:
    if rng.random() < 0.08:
        _low_shoe(pen, rng, rng.uniform(0.36, 0.6))
        for x in rng.uniform(-0.6, 0.7, 4):
            pen.line([(x, 0.25), (x - rng.uniform(-0.2, 0.2), 0.05)], 0.15, 0.07)
        return
    heel = rng.uniform(0.0, 0.12) if rng.random() < 0.55 else rng.uniform(0.2, 0.75)
    base, thick = 0.4 + 0.55 * heel, rng.uniform(0.09, 0.22)
    sole = [(-0.92, base - 0.02), (-0.4, base - 0.05), (0.3, base - 0.75 * heel), (0.88, base - heel)]
    wedge = rng.random() < 0.35
    under = [(0.88, base + thick)] if wedge else [(0.88, base - heel + thick), (0.25, base - 0.7 * heel + thick)]
    pen.fill([*sole, *under, (-0.4, base + thick), (-0.88, base + thick)], rng.uniform(0.7, 1.0))
    if not wedge and heel > 0.15:
        w = rng.uniform(0.06, 0.2)
        pen.fill([(0.88 - w, base - heel), (0.88, base - heel), (0.86, base + thick), (0.8, base + thick)], 0.8)
    tone, width = rng.uniform(0.75, 1.1), rng.uniform(0.08, 0.2)
    lift = rng.uniform(0.22, 0.5)
    for x in rng.uniform(-0.75, 0.1, int(rng.integers(1, 4))):
        y = base - 0.03 - 0.75 * heel * max(0.0, (x + 0.4) / 0.7)
        pen.line([(x, y), (x + 0.12, y - 0.7 * lift), (x + rng.uniform(0.2, 0.4), y - 0.05)], tone, width)
    if rng.random() < 0.75:
        y = base - heel - lift
        pen.line(
            [(0.8, base - heel), (0.84, y), (0.45, y - 0.05), (rng.uniform(0.2, 0.4), base - 0.8 * heel)], tone, width
        )
    if rng.random() < 0.15:
        pen.fill([(-0.85, base), (-0.6, base - 0.25), (0.3, base - heel - lift), (0.85, base - heel)], tone, 1)
    if rng.random() < 0.4:
        pen.line([(-0.55, base - 0.2), (0.1, base - heel - 0.2), (0.5, base - heel - lift)], tone, width)


def _bag(pen: Pen, rng: Generator) -> None:
    wide, tall = rng.uniform(0.6, 0.92), rng.uniform(0.36, 0.72)
    low, narrow = rng.uniform(0.6, 0.9), rng.uniform(0.75, 1.08)
    top, kind = low - 2 * tall, rng.random()
    if kind < 0.8:
        reach, drop = wide * rng.uniform(0.3, 0.85), min(rng.uniform(0.2, 0.8), top + 0.95)
        arc = [(-reach * cos(t), top + 0.06 - drop * sin(t)) for t in np.linspace(0, pi, 9)]
        pen.line(arc, rng.uniform(0.6, 1.0), rng.uniform(0.05, 0.13))
    if kind > 0.9:
        pen.line([(-wide, top), (-wide - 0.05, low - 0.2), (-0.4, low + 0.1)], rng.uniform(0.6, 1.0), 0.06)
    right = [(0.0, top), (wide * narrow, top), (wide, (top + low) / 2), (wide, low), (0.0, low)]
    body = right + [(-x, y) for x, y in right[-2:0:-1]]
    pen.fill(body, 1.0, int(rng.integers(0, 3)))
    if rng.random() < 0.55:
        y, tone = top + tall * rng.uniform(0.4, 1.2), rng.uniform(0.4, 0.8)
        pen.line([(-wide, top + 0.2), (-0.4 * wide, y), (0.4 * wide, y), (wide, top + 0.2)], tone, 0.04)
        pen.fill([(-0.07, y - 0.06), (0.07, y - 0.06), (0.07, y + 0.06), (-0.07, y + 0.06)], rng.choice([0.3, 1.3]))
    if rng.random() < 0.3:
        pen.line([(-wide, top + 0.12), (wide, top + 0.12)], rng.uniform(0.4, 0.8))


SHAPES: tuple[Callable[[Pen, Generator], None], ...] = (
    _tshirt,
    _trouser,
    _pullover,
    _dress,
    _coat,
    _sandal,
    _shirt,
    _sneaker,
    _bag,
    _boot,
)
"""By label value, in the class order of Fashion-MNIST."""
