"""Parts of a street front: windows, balconies, pillars, walls and what stands around and before them."""

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.random import Generator

from fashseg.data._facade_scene import (
    BALCONY,
    COLD,
    FACADE,
    OTHERS,
    PILLAR,
    WARM,
    WINDOW,
    Box,
    Colour,
    Scene,
    random_colour,
    shaded,
)


@dataclass(frozen=True)
class Style:
    """What all windows, balconies and pillars of one building have in common."""

    wall: Colour
    trim: Colour
    frame: Colour
    glass: Colour
    blind: Colour
    shutter: Colour | None
    arch: float
    panes: tuple[int, int]
    surround: float
    sill: bool
    lintel: float
    gable: bool
    balcony: Colour
    barred: bool
    pillar: Colour
    fluted: bool

    @classmethod
    def random(cls, rng: Generator) -> "Style":
        """A style in which no class is bound to a colour: walls may be dark, windows light."""
        wall = random_colour(rng, (0.55, 0.95) if rng.random() < 0.8 else (0.2, 0.6), (0.12, 0.6), WARM)
        trim, pillar = random_colour(rng, (0.4, 1.0), (0.0, 0.28)), random_colour(rng, (0.7, 1.0), (0.0, 0.17))
        barred = bool(rng.random() < 0.82)
        return cls(
            wall=wall,
            trim=trim if rng.random() < 0.4 else shaded(wall, rng.uniform(0.75, 1.35)),
            frame=random_colour(rng, (0.75, 1.0) if rng.random() < 0.6 else (0.1, 0.6), (0.0, 0.2)),
            glass=random_colour(rng, (0.1, 0.45) if rng.random() < 0.85 else (0.5, 0.95), (0.0, 0.3), COLD),
            blind=random_colour(rng, (0.5, 1.0), (0.0, 0.28)),
            shutter=random_colour(rng, (0.15, 0.8), (0.0, 0.63)) if rng.random() < 0.12 else None,
            arch=rng.uniform(0.3, 1.0) if rng.random() < 0.2 else 0.0,
            panes=(int(rng.integers(1, 4)), int(rng.integers(1, 4))),
            surround=rng.uniform(1.0, 4.0) if rng.random() < 0.5 else 0.0,
            sill=bool(rng.random() < 0.6),
            lintel=rng.uniform(2.5, 7.0) if rng.random() < 0.3 else 0.0,
            gable=bool(rng.random() < 0.4),
            balcony=random_colour(rng, (0.05, 0.3) if barred and rng.random() < 0.8 else (0.35, 1.0)),
            barred=barred,
            pillar=pillar if rng.random() < 0.75 else shaded(wall, rng.uniform(0.7, 1.35)),
            fluted=bool(rng.random() < 0.75),
        )


def draw_window(scene: Scene, rng: Generator, style: Style, box: Box) -> None:
    """A window with frame, panes, reflection and perhaps a blind; shutters, sill and lintel around it are others."""
    left, top, right, bottom = box
    width, height, edge = right - left, bottom - top, style.surround
    if style.shutter is not None:
        for x in (left - 0.45 * width, right):
            scene.box((x, top, x + 0.45 * width, bottom), style.shutter, OTHERS)
            for y in np.arange(top + 2, bottom - 1, 3):
                scene.line([(x + 1, y), (x + 0.45 * width - 1, y)], shaded(style.shutter, 0.75), 0.7)
    if style.lintel and not style.arch:
        _lintel(scene, style, (left - 4, top - edge - style.lintel - 2, right + 4, top - edge - 1))
    if edge:
        scene.polygon(_arched((left - edge, top - edge, right + edge, bottom + edge), style.arch), style.trim)
    scene.polygon(_arched(box, style.arch), style.frame, WINDOW)
    _panes(scene, rng, style, box)
    if style.sill:
        scene.box((left - 3, bottom, right + 3, bottom + max(2.5, 0.07 * height)), shaded(style.trim, 1.1), OTHERS)
        scene.line(
            [(left - 3, bottom + 0.09 * height), (right + 3, bottom + 0.09 * height)], shaded(style.wall, 0.6), 0.8
        )


def _panes(scene: Scene, rng: Generator, style: Style, box: Box) -> None:
    left, top, right, bottom = box
    glass, across, down = shaded(style.glass, rng.uniform(0.75, 1.3)), style.panes[0], style.panes[1]
    frame = max(0.8, 0.05 * (right - left))
    scene.polygon(_arched((left + frame, top + frame, right - frame, bottom - frame), style.arch), glass)
    start = top + frame + 0.5 * style.arch * (right - left)
    if rng.random() < 0.6:
        slant = rng.uniform(0.3, 1.0)
        corner = (left + frame + slant * (right - left - 2 * frame), start)
        sheen = [(left + frame, start), corner, (left + frame, start + slant * (bottom - frame - start))]
        scene.polygon(sheen, shaded(glass, rng.uniform(1.1, 1.6)))
    if rng.random() < 0.3:
        drop = start + rng.uniform(0.15, 0.9) * (bottom - start)
        scene.box((left + frame, start, right - frame, min(drop, bottom - frame)), style.blind)
    elif rng.random() < 0.25:
        hang = rng.uniform(0.15, 0.35) * (right - left)
        scene.box((left + frame, start, left + hang, bottom - frame), style.blind)
        scene.box((right - hang, start, right - frame, bottom - frame), style.blind)
    for x in np.linspace(left, right, across + 1)[1:-1]:
        scene.line([(x, top + frame), (x, bottom - frame)], style.frame, frame)
    for y in np.linspace(start, bottom, down + 1)[1 if not style.arch else 0 : -1]:
        scene.line([(left + frame, y), (right - frame, y)], style.frame, frame)
    scene.line([(left, top + 0.5 * style.arch * (right - left)), (left, bottom)], shaded(style.frame, 0.6), 0.7)


def _arched(box: Box, arch: float) -> list[tuple[float, float]]:
    left, top, right, bottom = box
    middle, radius = (left + right) / 2, (right - left) / 2
    rise = arch * radius
    bow = [(middle - radius * cos(t), top + rise - rise * sin(t)) for t in np.linspace(0, pi, 9 if arch else 2)]
    return [*bow, (right, bottom), (left, bottom)]


def _lintel(scene: Scene, style: Style, box: Box) -> None:
    left, top, right, bottom = box
    if style.gable:
        scene.polygon([(left, bottom), ((left + right) / 2, top - 2), (right, bottom)], style.trim, OTHERS)
    else:
        scene.box(box, style.trim, OTHERS)
        scene.line([(left, bottom), (right, bottom)], shaded(style.trim, 0.6), 0.8)


def draw_balcony(scene: Scene, rng: Generator, style: Style, box: Box) -> None:
    """A slab with a railing or parapet, of which the whole rectangle is balcony, and its shadow on what is below."""
    left, top, right, bottom = box
    slab = max(2.0, 0.14 * (bottom - top))
    scene.box((left + 2, bottom, right - 1, bottom + rng.uniform(1, 5)), shaded(style.wall, 0.55))
    if style.barred:
        scene.box(box, shaded(style.glass if rng.random() < 0.15 else style.wall, 0.95), BALCONY)
        for x in np.arange(left, right, rng.uniform(3.0, 4.4)):
            scene.line([(x, top), (x, bottom)], style.balcony, 1.5)
        scene.line([(left, top), (right, top)], style.balcony, 1.6)
    else:
        scene.box(box, style.balcony, BALCONY)
        scene.line([(left, top + 1), (right, top + 1)], shaded(style.balcony, 0.65), 1.2)
        for x in np.linspace(left, right, max(2, round((right - left) / 22)) + 1):
            scene.line([(x, top), (x, bottom)], shaded(style.balcony, 0.75), 0.8)
    scene.box((left - 1, bottom - slab, right + 1, bottom), shaded(style.trim, 0.9), BALCONY)


def draw_pillar(scene: Scene, style: Style, box: Box) -> None:
    """A fluted pillar or a flat pilaster, with base and capital."""
    left, top, right, bottom = box
    width = right - left
    scene.box(box, style.pillar, PILLAR)
    if style.fluted:
        flutes = max(2, round(width / 3.4))
        for x in left + (np.arange(flutes) + 0.55) * width / flutes:
            scene.line([(x, top), (x, bottom)], shaded(style.pillar, 0.66), 1.3)
    else:
        scene.line([(left, top), (left, bottom)], shaded(style.pillar, 1.25), 1.2)
        scene.line([(right - 1, top), (right - 1, bottom)], shaded(style.pillar, 0.55), 1.6)
    cap = min(0.6 * width, 0.08 * (bottom - top))
    for y, tone in ((top, 1.1), (bottom - cap, 0.9)):
        scene.box((left - 0.12 * width, y, right + 0.12 * width, y + cap), shaded(style.pillar, tone), PILLAR)


def draw_wall(scene: Scene, rng: Generator, colour: Colour, box: Box, label: int = FACADE) -> None:
    """Plaster, brick or blocks of stone, weathered unevenly."""
    left, top, right, bottom = box
    cells = int(rng.integers(3, 90))
    grain = (1 + rng.uniform(0.01, 0.1) * rng.standard_normal((cells, cells), np.float32)).astype(np.float32)
    scene.textured(box, colour, grain, label)
    kind, joint = rng.random(), shaded(colour, rng.choice([0.8, 0.88, 1.12, 1.22]))
    if kind < 0.3:
        course = rng.uniform(2.6, 5.0)
        for _ in range(260):
            x, y = rng.uniform(left, right), top + course * rng.integers(0, max(1, int((bottom - top) / course)))
            scene.box((x, y, min(right, x + 2.2 * course), y + course), shaded(colour, rng.uniform(0.82, 1.15)))
        for y in np.arange(top, bottom, course):
            scene.line([(left, y), (right, y)], joint, 0.5)
    elif kind < 0.5:
        course = rng.uniform(9, 18)
        for row, y in enumerate(np.arange(top, bottom, course)):
            scene.line([(left, y), (right, y)], joint, 0.8)
            for x in np.arange(left + (row % 2) * course, right, 2 * course):
                scene.line([(x, y), (x, min(bottom, y + course))], joint, 0.8)
