"""Many small pictures on one page, a few words below each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont

from fashseg.figures.style import GRID, INK, MUTED
from fashseg.text import printable

ACROSS, DOWN = 6, 8
THUMB = 150
"""Pixels of the sides of a picture, at most."""

_GAP, _LINE = 16, 19


@dataclass(frozen=True)
class Entry:
    """One picture.

    Attributes:
        thumb: at most `THUMB` pixels wide and high, RGB.
        lines: text below it, the first one bold; what does not fit is cut.
    """

    thumb: Image.Image
    lines: Sequence[str]


def contact_sheet(entries: Sequence[Entry]) -> Image.Image:
    """One page, RGB.

    Args:
        entries: at most ``ACROSS * DOWN``.
    """
    lines = max((len(entry.lines) for entry in entries), default=0)
    cell = (THUMB + _GAP, THUMB + _GAP + lines * _LINE)
    across = min(ACROSS, max(1, len(entries)))
    size = across * cell[0] + _GAP, -(-len(entries) // across) * cell[1] + _GAP
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for place, entry in enumerate(entries):
        left, top = _GAP + place % across * cell[0], _GAP + place // across * cell[1]
        corner = left + (THUMB - entry.thumb.width) // 2, top + (THUMB - entry.thumb.height) // 2
        sheet.paste(entry.thumb, corner)
        draw.rectangle((left - 1, top - 1, left + THUMB, top + THUMB), outline=GRID)
        for number, line in enumerate(entry.lines):
            font, ink = _font(bold=number == 0), INK if number == 0 else MUTED
            draw.text((left, top + THUMB + 3 + number * _LINE), _cut(line, font), ink, font)
    return sheet


def _cut(text: str, font: ImageFont.FreeTypeFont) -> str:
    text = " ".join(printable(text[:THUMB]).split())
    if font.getlength(text) <= THUMB:
        return text
    while text and font.getlength(text + "…") > THUMB:
        text = text[:-1]
    return text + "…"


@cache
def _font(*, bold: bool) -> ImageFont.FreeTypeFont:
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")  # the font of all other figures
    return ImageFont.truetype(str(folder / f"DejaVuSans{'-Bold' if bold else ''}.ttf"), 13)
