"""Colours for classes that have none of their own."""

import colorsys
from pathlib import Path

from fashseg.data.pictures import BadPictureError, head_of

# Chosen one after the other from a grid of 512 colours, each the farthest from all before it in CIELAB by normal sight
# and by the three kinds of colour blindness (simulated as by Machado, Oliveira and Fernandes, 2009); far from the
# magenta of errors. Any two of the first nine differ by 35 or more, of all twenty by 17.
_DISTINCT = (
    *("#000000", "#FFFF24", "#DB00FF", "#6DFFDB", "#6D6D00", "#246D6D", "#49006D", "#B6FF92", "#FF92FF", "#B6B624"),
    *("#49B66D", "#492400", "#9249B6", "#0000B6", "#9292B6", "#242449", "#0000FF", "#DBDBFF", "#FF0092", "#6DB649"),
)
_GOLDEN = 0.618033988749895  # of the circle of hues: however many, none come close


def generated_palette(classes: int) -> tuple[str, ...]:
    """``#RRGGBB`` by label value, all different; up to twenty can be told apart by the colour-blind, too."""
    colours = list(_DISTINCT[:classes])
    place = 0
    while len(colours) < classes:
        value, saturation = ((0.95, 0.85), (0.6, 0.9), (0.85, 0.45))[place % 3]
        channels = colorsys.hsv_to_rgb(place * _GOLDEN % 1, saturation, value)
        colour = "#" + "".join(f"{round(255 * channel):02X}" for channel in channels)
        if colour not in colours:
            colours.append(colour)
        place += 1
    return tuple(colours)


def palette_of(path: Path, classes: int) -> tuple[str, ...]:
    """The colours of a palette picture by value; empty where it is none, or does not tell so many classes apart."""
    try:
        values = head_of(path, lambda image: image.getpalette("RGB") if image.mode == "P" else None)
    except (OSError, BadPictureError):
        return ()
    colours = [f"#{r:02X}{g:02X}{b:02X}" for r, g, b in zip(*[iter(values or [])] * 3, strict=False)][:classes]
    ramp = all(colour == f"#{label:02X}{label:02X}{label:02X}" for label, colour in enumerate(colours))
    return tuple(colours) if len(set(colours)) == classes and not ramp else ()
