"""What a page is made of. Blocks hold plain text, which may come from anybody; ``render`` escapes all of it."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

MEDIA_TYPES = ("image/png", "image/jpeg", "image/svg+xml")


def _check_colour(colour: str) -> None:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ValueError(f"expected a colour as #RRGGBB, not {colour!r}")


@dataclass(frozen=True)
class Picture:
    """A picture that travels inside the page.

    Attributes:
        name: what a file of it would be called, without ending.
        alt: what it shows, for those who do not see it.
        media_type: one of ``MEDIA_TYPES``.
        data: the file's bytes.
        caption: text below it.
        pixelated: few pixels, shown enlarged with hard edges.
        width: greatest width on the screen, in CSS pixels; None for 64 where pixelated, else for the picture's own.

    Raises:
        ValueError: another media type, or a width below 1.
    """

    name: str
    alt: str
    media_type: str
    data: bytes
    caption: str = ""
    pixelated: bool = False
    width: int | None = None

    def __post_init__(self) -> None:
        if self.media_type not in MEDIA_TYPES:
            raise ValueError(f"expected a media type of {', '.join(MEDIA_TYPES)}, not {self.media_type!r}")
        if self.width is not None and self.width < 1:
            raise ValueError(f"expected a width of at least one pixel, not {self.width}")

    @property
    def uri(self) -> str:
        """The bytes as a data URI."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode('ascii')}"


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what it shows.
        value: what it sorts by; None for its text, which in a column of numbers is last.
        colour: a swatch before the text, ``#RRGGBB``.
        strong: in bold.

    Raises:
        ValueError: another colour.
    """

    text: str
    value: float | None = None
    colour: str | None = None
    strong: bool = False

    def __post_init__(self) -> None:
        if self.colour is not None:
            _check_colour(self.colour)


@dataclass(frozen=True)
class Table:
    """A table that can be sorted by each of its columns.

    Attributes:
        columns: their names.
        rows: a cell for each column.
        caption: what it tells.
        numeric: places of the columns of numbers, from 0.
        footer: rows that stay below the others, totals for example.

    Raises:
        ValueError: a row of another length, or a numeric column that is not there.
    """

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    numeric: frozenset[int] = frozenset()
    footer: Sequence[Sequence[Cell]] = ()

    def __post_init__(self) -> None:
        for row in (*self.rows, *self.footer):
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {len(row)} cells in a table of {len(self.columns)} columns")
        if not self.numeric <= set(range(len(self.columns))):
            raise ValueError(f"numeric columns {sorted(self.numeric)} of only {len(self.columns)}")

    @property
    def header_column(self) -> int | None:
        """The column whose cells name their rows: the first one of words, where that is neither empty nor colours."""
        for place in range(len(self.columns)):
            words = (row[place].text not in ("", row[place].colour) for row in self.rows)
            if place not in self.numeric and any(words):
                return place
        return None


@dataclass(frozen=True)
class Figure:
    """A large picture with its caption, a chart for example; enlarges."""

    kind: ClassVar[str] = "figure"
    picture: Picture


@dataclass(frozen=True)
class Gallery:
    """Titled rows of small pictures with captions. Rows wrap, pictures enlarge; an empty title is left out."""

    kind: ClassVar[str] = "gallery"
    title: str
    rows: Sequence[tuple[str, Sequence[Picture]]]

    @property
    def pixelated(self) -> bool:
        """Whether its pictures are thumbnails of few pixels, of which many fit in a row."""
        return all(picture.pixelated for _, pictures in self.rows for picture in pictures)


@dataclass(frozen=True)
class Legend:
    """What colours mean: (name, ``#RRGGBB``). Raises ValueError for another colour."""

    kind: ClassVar[str] = "legend"
    entries: Sequence[tuple[str, str]]

    def __post_init__(self) -> None:
        for _, colour in self.entries:
            _check_colour(colour)


@dataclass(frozen=True)
class Text:
    """Paragraphs."""

    kind: ClassVar[str] = "text"
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class Code:
    """A command with a button that copies it, under a label that says what it does."""

    kind: ClassVar[str] = "code"
    text: str
    label: str


@dataclass(frozen=True)
class Facts:
    """A list of names and what they are."""

    kind: ClassVar[str] = "facts"
    entries: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Folded:
    """Long text, folded on the screen and open on paper."""

    kind: ClassVar[str] = "folded"
    title: str
    text: str


Block = Table | Figure | Gallery | Legend | Text | Code | Facts | Folded


@dataclass(frozen=True)
class Section:
    """A part of the page with a title, an anchor that links point to, and its blocks.

    Raises:
        ValueError: an anchor of other characters than ``a-z``, ``0-9``, ``-`` and ``_``, or that begins with a digit.
    """

    title: str
    anchor: str
    blocks: Sequence[Block]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.anchor):
            raise ValueError(f"expected an anchor of a-z, 0-9, - and _, not {self.anchor!r}")


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        title: what the page is about, for the browser's tab and above the headline.
        headline: the result in one line.
        summary: sentences under it.
        warnings: what one must know first, at the very top: synthetic data, an unfinished run.
        sections: in the order in which one reads them, with anchors that differ.
        footer: the last line.

    Raises:
        ValueError: two sections with the same anchor.
    """

    title: str
    headline: str
    summary: Sequence[str]
    warnings: Sequence[str]
    sections: Sequence[Section]
    footer: str

    def __post_init__(self) -> None:
        anchors = [section.anchor for section in self.sections]
        if len(set(anchors)) < len(anchors):
            raise ValueError(f"two sections have the same anchor: {', '.join(anchors)}")
