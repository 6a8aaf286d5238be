"""What the pixels of masks mean: names and colours of the classes, and which value counts for nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fashseg import config as cfg
from fashseg.data.folders.items import MOST_CLASSES, check_class_count
from fashseg.data.folders.table import text_of
from fashseg.errors import UserError

IGNORED = "__ignore__"  # as LabelMe calls it
USUAL_IGNORE = 255

# As LabelMe and others export them. A line is a name; CVAT's has a colour as well.
FILES = ("class_names.txt", "labels.txt", "labelmap.txt")
_MOST_BYTES = 2**20

_ENTRY = re.compile(r"\s*(?P<name>.*?)\s*[:=]?\s*(?P<colour>#[0-9A-Fa-f]{6})\s*")
_CVAT = re.compile(r"(?P<name>[^:]+):(?P<r>\d{1,3}),(?P<g>\d{1,3}),(?P<b>\d{1,3}):.*")


@dataclass(frozen=True)
class Naming:
    """The classes of a data set of masks.

    Attributes:
        names: by label value; empty where they are to be found in the masks.
        colours: ``#RRGGBB`` by label value; empty where nothing says them.
        ignore: label of the pixels that count for nothing; None where all count.
        ignored_colour: ``#RRGGBB`` of these pixels; None where they have none.
        given: whether ``data.colors`` says the colours.
    """

    names: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    ignore: int | None = None
    ignored_colour: str | None = None
    given: bool = False

    def label_of(self) -> npt.NDArray[np.int16]:
        """Label by colour, as ``65536 * red + 256 * green + blue``; -1 for those that no class has."""
        table = np.full(2**24, -1, np.int16)
        if self.ignored_colour and self.ignore is not None:
            table[int(self.ignored_colour[1:], 16)] = self.ignore
        for label, colour in enumerate(self.colours):
            table[int(colour[1:], 16)] = label
        return table


def naming(root: Path, options: cfg.MaskFolder) -> Naming:
    """What options, or else a file in the root, say about the classes.

    Raises:
        UserError: an entry is none, or two classes have one name or colour.
    """
    if options.colors:
        if options.class_names:
            raise UserError("data.colors and data.class_names both name the classes.", "Leave out data.class_names.")
        found = _of_entries(options.colors, options.ignore)
        where = "data.colors"
    elif options.class_names:
        found, where = Naming(tuple(options.class_names), ignore=options.ignore), "data.class_names"
    else:
        path = next((root / name for name in FILES if (root / name).is_file()), None)
        if path is None:
            return Naming(ignore=options.ignore)
        found, where = _of_file(path, options.ignore), str(path)
    check_class_count(list(found.names), where)
    if twice := next((c for c in found.colours if found.colours.count(c) > 1), None):
        raise UserError(f"{where}: two classes have the colour {twice}.", "Give each its own colour.")
    if found.ignored_colour in found.colours and options.colors:
        raise UserError(f"{where}: {found.ignored_colour} is of a class and of {IGNORED}.", "Give each its own colour.")
    return found


def _of_entries(entries: list[str], ignore: int | None) -> Naming:
    names, colours, ignored = [], [], None
    for entry in entries:
        parsed = _ENTRY.fullmatch(entry)
        if not parsed or not parsed["name"]:
            raise UserError(
                f"data.colors: {entry!r} is no name with a colour.",
                'Write entries such as "wall #FF8000": data.colors=\'["wall #FF8000","window #0080FF"]\'.',
            )
        if parsed["name"] == IGNORED:
            ignored = parsed["colour"].upper()
        else:
            names.append(parsed["name"])
            colours.append(parsed["colour"].upper())
    if ignored and ignore is None:
        ignore = USUAL_IGNORE
    return Naming(tuple(names), tuple(colours), ignore, ignored, True)


def _of_file(path: Path, ignore: int | None) -> Naming:
    lines = [line.strip() for line in text_of(path, _MOST_BYTES).splitlines()]
    names = [line for line in lines if line and not line.startswith("#")]
    with_colours = [_CVAT.fullmatch(name) for name in names]
    if names and all(with_colours):
        parsed = [match for match in with_colours if match]
        colours = ["#" + "".join(f"{min(255, int(match[c])):02X}" for c in "rgb") for match in parsed]
        return Naming(tuple(match["name"] for match in parsed), tuple(colours), ignore, given=True)
    if IGNORED in names:  # what LabelMe writes as -1, which is 255 in a byte
        names.remove(IGNORED)
        ignore = USUAL_IGNORE if ignore is None else ignore
    colours = voc_colours(min(len(names), 256))
    return Naming(tuple(names), tuple(colours), ignore, None if ignore is None else voc_colours(256)[ignore])


def names_of_values(root: Path, naming: Naming | None, counts: Sequence[int]) -> tuple[str, ...]:
    """Names for the values that masks hold, where nothing names them.

    Args:
        root: of the masks.
        naming: says which value counts for nothing.
        counts: pixels by value, 256 numbers.

    Raises:
        UserError: the values are not 0, 1, 2 and so on, or they are of one class alone.
    """
    ignore = naming.ignore if naming else None
    values = [value for value, count in enumerate(counts) if count and value != ignore]
    if values != list(range(len(values))):
        raise UserError(
            f"The masks below {root} hold the values {', '.join(map(str, values[:12]))}"
            f"{' and others' if values[12:] else ''}, which nothing names; classes are numbered from 0 without a gap.",
            f"Name them by data.class_names, at most {MOST_CLASSES}; or, where they are colours, by data.colors, as "
            '\'["ground #000000","crack #FFFFFF"]\'; data.ignore=VALUE leaves one out.',
        )
    names = [f"class {value}" for value in values]
    check_class_count(names, f"data.root={root}")
    return tuple(names)


def voc_colours(count: int) -> list[str]:
    """The colours of the PASCAL VOC challenge by label value, which LabelMe and many others use."""
    colours = []
    for label in range(count):
        channels = [0, 0, 0]
        for bit in range(8):
            for channel in range(3):
                channels[channel] |= (label >> (3 * bit + channel) & 1) << (7 - bit)
        colours.append("#" + "".join(f"{channel:02X}" for channel in channels))
    return colours
