"""Lays out one street scene: sky, neighbours, a building with its grid of windows, the street and what hides parts."""

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.random import Generator

from fashseg.data._facade_parts import Style, draw_balcony, draw_pillar, draw_wall, draw_window
from fashseg.data._facade_scene import COLD, FACADE, OTHERS, Box, Scene, random_colour, shaded


@dataclass(frozen=True)
class Layout:
    """The building's outline and the grid that its parts keep to; positions in view pixels.

    ``columns`` and ``floors`` are the lines between windows; the last floor is the ground floor.
    """

    box: Box
    columns: list[float]
    floors: list[float]

    @classmethod
    def random(cls, rng: Generator, low: float, high: float) -> "Layout":
        """Either a cut out of a large front, or a whole building with sky, neighbours and street around it."""
        left = low if rng.random() < 0.55 else rng.uniform(2, 45)
        right = high if rng.random() < 0.55 else rng.uniform(211, 254)
        top = low if rng.random() < 0.3 else rng.uniform(10, 70)
        bottom = high if rng.random() < 0.35 else rng.uniform(218, 252)
        storeys = int(rng.integers(3, 6))
        heights = rng.uniform(0.92, 1.08, storeys)
        heights[-1] *= rng.uniform(1.0, 1.3)
        floors = [top + rng.uniform(2, 8)]
        for height in heights:
            floors.append(floors[-1] + height * (bottom - floors[0]) / heights.sum())
        pitch = (floors[1] - floors[0]) * rng.uniform(0.62, 1.15)
        count = max(2, round((right - left) / pitch))
        inset = rng.uniform(0, 8)
        return cls((left, top, right, bottom), np.linspace(left + inset, right - inset, count + 1).tolist(), floors)


def draw_street(scene: Scene, rng: Generator) -> None:
    """Draws everything, from back to front."""
    style, layout = Style.random(rng), Layout.random(rng, scene.low, scene.high)
    _surroundings(scene, rng, style, layout)
    draw_wall(scene, rng, style.wall, layout.box, FACADE)
    share = rng.uniform(0.36, 0.62), rng.uniform(0.5, 0.78)
    cells = _window_cells(rng, layout, share)
    pairs = rng.random() < 0.22
    for row in cells:
        for box in row:
            _opening(scene, rng, style, box, pairs)
    _cornices(scene, rng, style, layout)
    _ground_floor(scene, rng, style, layout)
    if rng.random() < 0.52:
        _pillars(scene, rng, style, layout, share[0])
    if rng.random() < 0.52:
        _balconies(scene, rng, style, layout, cells)
    _occluders(scene, rng)


def _window_cells(rng: Generator, layout: Layout, share: tuple[float, float]) -> list[list[Box]]:
    """Boxes of the windows, a list for each storey above the ground floor."""
    rise, rows = rng.uniform(0.3, 0.6), []
    for top, bottom in zip(layout.floors[:-2], layout.floors[1:-1], strict=True):
        height = (bottom - top) * share[1]
        y = top + (bottom - top - height) * rise
        row = []
        for left, right in zip(layout.columns[:-1], layout.columns[1:], strict=True):
            width = (right - left) * share[0]
            row.append((left + (right - left - width) / 2, y, left + (right - left + width) / 2, y + height))
        rows.append(row)
    return rows


def _opening(scene: Scene, rng: Generator, style: Style, box: Box, pair: bool) -> None:
    left, top, right, bottom = box
    if rng.random() < 0.02:
        return
    if not pair:
        draw_window(scene, rng, style, box)
        return
    gap = 0.06 * (right - left)
    draw_window(scene, rng, style, (left - gap, top, (left + right) / 2 - gap, bottom))
    draw_window(scene, rng, style, ((left + right) / 2 + gap, top, right + gap, bottom))


def _cornices(scene: Scene, rng: Generator, style: Style, layout: Layout) -> None:
    left, top, right, _ = layout.box
    depth = rng.uniform(3, 13)
    scene.box((left - 3, top - 1, right + 3, top + depth), style.trim, OTHERS)
    scene.line([(left - 3, top + depth), (right + 3, top + depth)], shaded(style.trim, 0.6), 1.5)
    if rng.random() < 0.4:
        for x in np.arange(left, right, rng.uniform(4, 8)):
            scene.box((x, top + 0.5 * depth, x + 2, top + depth), shaded(style.trim, 0.7))
    if rng.random() < 0.5:
        band, single = rng.uniform(1.5, 5), rng.random() < 0.5
        for y in layout.floors[-2:-1] if single else layout.floors[1:-1]:
            scene.box((left, y - band / 2, right, y + band / 2), shaded(style.trim, 1.05), OTHERS)
            scene.line([(left, y + band / 2), (right, y + band / 2)], shaded(style.trim, 0.65), 0.8)


def _ground_floor(scene: Scene, rng: Generator, style: Style, layout: Layout) -> None:
    """Shops, or windows and a door; a plinth beneath."""
    left, _, right, bottom = layout.box
    top = layout.floors[-2]
    height, shops = bottom - top, rng.random() < 0.18
    if shops:
        scene.box((left, top + 0.06 * height, right, top + rng.uniform(0.15, 0.28) * height), style.trim, OTHERS)
    door, colour = int(rng.integers(0, len(layout.columns) - 1)), random_colour(rng, (0.1, 0.7), (0.0, 0.63))
    for column, (west, east) in enumerate(zip(layout.columns[:-1], layout.columns[1:], strict=True)):
        pitch = east - west
        if shops:
            inside = (west + 0.1 * pitch, top + 0.32 * height, east - 0.1 * pitch, bottom - 0.05 * height)
            scene.box(inside, shaded(style.glass, rng.uniform(0.6, 1.2)), OTHERS)
            scene.line([(inside[0], inside[1]), (inside[2], inside[1])], style.frame, 1.5)
            scene.line([(west + pitch / 2, inside[1]), (west + pitch / 2, inside[3])], style.frame, 1.2)
        elif column == door:
            inside = (west + 0.27 * pitch, top + 0.3 * height, east - 0.27 * pitch, bottom)
            scene.box((inside[0] - 2, inside[1] - 2, inside[2] + 2, bottom), style.trim, OTHERS)
            scene.box(inside, colour, OTHERS)
            scene.line([(west + pitch / 2, inside[1]), (west + pitch / 2, bottom)], shaded(colour, 0.6), 1.0)
        else:
            window = (west + 0.24 * pitch, top + 0.24 * height, east - 0.24 * pitch, top + 0.76 * height)
            draw_window(scene, rng, style, window)
    scene.box((left, bottom - 0.06 * height, right, bottom), shaded(style.wall, 0.6), OTHERS)


def _pillars(scene: Scene, rng: Generator, style: Style, layout: Layout, share: float) -> None:
    pitch = layout.columns[1] - layout.columns[0]
    width = min(rng.uniform(0.3, 0.8) * (1 - share) * pitch, 16.0)
    if rng.random() < 0.3:
        top, bottom = layout.floors[-2] + 1, layout.box[3]
    else:
        top, bottom = layout.floors[int(rng.integers(0, 2))] + 4, layout.floors[-1 if rng.random() < 0.3 else -2]
    for x in layout.columns[:: int(rng.integers(1, 4))]:
        draw_pillar(scene, style, (x - width / 2, top, x + width / 2, bottom))


def _balconies(scene: Scene, rng: Generator, style: Style, layout: Layout, cells: list[list[Box]]) -> None:
    """Along whole storeys, or before some columns of windows."""
    storey = layout.floors[1] - layout.floors[0]
    height, reach = rng.uniform(0.28, 0.45) * storey, rng.uniform(0.08, 0.4)
    whole, every = rng.random() < 0.4, int(rng.integers(1, 4))
    first = int(rng.integers(0, every))
    rows = [row for row in cells if rng.random() < 0.8] or cells[-1:]
    for row in rows:
        base = row[0][3] + 0.06 * storey
        if whole:
            ends = row[0][0] - 6, row[-1][2] + 6
            draw_balcony(scene, rng, style, (ends[0], base - height, ends[1], base))
            continue
        for left, _, right, _ in row[first::every]:
            out = reach * (right - left) + 2
            draw_balcony(scene, rng, style, (left - out, base - height, right + out, base))


def _surroundings(scene: Scene, rng: Generator, style: Style, layout: Layout) -> None:
    """Sky, neighbours, roof and street."""
    left, top, right, bottom = layout.box
    above = np.array([[rng.uniform(0.75, 1.1)], [rng.uniform(0.9, 1.15)]], np.float32)
    cloudy = rng.random() < 0.4
    clear = random_colour(rng, (0.8, 1.0), (0.25, 0.6), COLD, stray=0.0)
    sky = random_colour(rng, (0.95, 1.0), (0.0, 0.05)) if cloudy else clear
    scene.textured((scene.low, scene.low, scene.high, scene.high), sky, above, OTHERS)
    for west, east in ((scene.low, left), (right, scene.high)):
        if east > west and rng.random() < 0.4:
            roof = max(scene.low, top + rng.uniform(-50, 60))
            draw_wall(scene, rng, random_colour(rng, (0.2, 0.7)), (west, roof, east, bottom), OTHERS)
            width = min(24.0, 0.6 * (east - west))
            for y in np.arange(roof + 15, bottom - 40, rng.uniform(34, 50)):
                draw_window(
                    scene, rng, style, (west + 0.2 * (east - west), y, west + 0.2 * (east - west) + width, y + 24)
                )
    if top > scene.low and rng.random() < 0.6:
        pitch, tiles = rng.uniform(10, 40), random_colour(rng, (0.15, 0.6), (0.0, 0.49))
        scene.polygon(
            [(left - 4, top), (left + 14, top - pitch), (right - 14, top - pitch), (right + 4, top)], tiles, OTHERS
        )
        for x in rng.uniform(left + 20, right - 20, int(rng.integers(0, 4))):
            scene.box((x, top - pitch - 8, x + 9, top - pitch + 6), shaded(tiles, 1.3), OTHERS)
    paving = random_colour(rng, (0.3, 0.55), (0.0, 0.08))
    scene.box((scene.low, bottom, scene.high, scene.high), paving, OTHERS)
    scene.box((scene.low, bottom + 8, scene.high, bottom + 10), shaded(paving, 1.25), OTHERS)


def _occluders(scene: Scene, rng: Generator) -> None:
    """Perhaps a tree, a lamp post and wires in front of the building."""
    if rng.random() < 0.22:
        x, leaves = rng.uniform(10, 246), rng.choice([[70, 110, 50], [110, 130, 60], [150, 110, 50], [50, 80, 55]])
        crown, spread = rng.uniform(150, 220), rng.uniform(12, 32)
        scene.line([(x, crown), (x, scene.high)], (70, 55, 45), rng.uniform(3, 6), OTHERS)
        for far, turn, size in rng.random((90, 3)):
            reach, r = spread * far**0.6, spread * (0.12 + 0.16 * size)
            cx, cy = x + reach * cos(2 * pi * turn), crown + 1.15 * reach * sin(2 * pi * turn)
            scene.ellipse((cx - r, cy - r, cx + r, cy + r), shaded(tuple(leaves), rng.uniform(0.65, 1.3)), OTHERS)
    if rng.random() < 0.2:
        x, top = rng.uniform(5, 250), rng.uniform(90, 180)
        scene.line(
            [(x, top), (x, scene.high)], random_colour(rng, (0.1, 0.5), (0.0, 0.21)), rng.uniform(1.5, 3.5), OTHERS
        )
        scene.ellipse((x - 5, top - 8, x + 5, top + 3), random_colour(rng, (0.6, 1.0), (0.0, 0.21)), OTHERS)
    if rng.random() < 0.35:
        # Photographs straightened to a frontal view have an empty wedge at a side.
        near, far, side = rng.uniform(40, 130), rng.uniform(90, 320), rng.random() < 0.5
        x, inward = (scene.low, 1) if side else (scene.high, -1)
        y, down = (scene.low, 1) if rng.random() < 0.5 else (scene.high, -1)
        blank = (0, 0, 0) if rng.random() < 0.7 else (128, 128, 128)
        scene.polygon([(x, y), (x + inward * near, y), (x, y + down * far)], blank, OTHERS)
    if rng.random() < 0.2:
        ends = rng.uniform(0, 200, 2)
        scene.line([(scene.low, ends[0]), (scene.high, ends[1])], (45, 45, 50), 0.8)
