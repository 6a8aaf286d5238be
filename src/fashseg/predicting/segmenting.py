"""Files of pictures to masks at their size, overlays and tables of shares."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from fashseg.devices import keep_freed_memory, return_freed_memory
from fashseg.predicting.ahead import ahead
from fashseg.predicting.inputs import RESULTS
from fashseg.predicting.painting import lay_over, palette_image, palette_of, photograph, png
from fashseg.predicting.pictures import BadPictureError, Picture, read_picture
from fashseg.predicting.predictor import Segmented
from fashseg.predicting.work import SHOWN, Work
from fashseg.text import on_one_line, percent, printable

_LARGE = 4_000_000  # pixels: of such pictures no second one is kept in memory while one is written, nor what is freed
_COLUMNS = 6  # classes in the table on the screen
Row = dict[str, Any]


@dataclass(frozen=True)
class _Labelled:
    """A picture whose files are to be written."""

    path: Path
    name: str
    picture: Picture
    found: Segmented


def segment_files(work: Work) -> list[Path]:
    """Label all pictures, write the results and show the first ones.

    Returns:
        The files and folders that were written; none where no picture could be read.
    """
    with work.progress() as advance:
        rows = list(ahead(lambda item: _written(work, item), _labelled(work, advance), 2))
    if not rows:
        return []
    _show(work, rows)
    options = work.options
    used = {"tta": options.tta, "short_side": options.short_side, "tile": options.tile, "overlap": options.overlap}
    palette = dict(zip(work.class_names, palette_of(work.predictor.info), strict=True))
    content = {**work.about(), "palette": palette, "options": used, "unreadable": work.unreadable_rows()}
    return [
        work.output.path / "masks",
        work.output.path / "overlays",
        work.output.write_table("predictions.csv", list(_flat(rows[0])), [list(_flat(row).values()) for row in rows]),
        work.output.write_json(RESULTS, content, rows),
    ]


def _labelled(work: Work, advance: Callable[[float], None]) -> Iterator[_Labelled | Row]:
    """The pictures one after the other; large ones are written at once, and their rows come in their place."""
    options = work.options
    for path, picture in zip(work.inputs.paths, ahead(_read, work.inputs.paths, 2), strict=True):
        if isinstance(picture, str):
            work.unreadable.append((path, picture))
            advance(1)
            continue
        large = picture.image.width * picture.image.height > _LARGE
        (return_freed_memory if large else keep_freed_memory)()
        parts = _Parts(advance)
        found = work.predictor.segment(
            picture,
            short_side=options.short_side,
            tile=options.tile,
            overlap=options.overlap,
            tta=options.tta,
            progress=parts,
        )
        item = _Labelled(path, work.output.name_for(path), picture, found)
        work.output.make()
        yield _written(work, item) if large else item
        parts(1)


class _Parts:
    """From the share of a picture that is done to what has been added to it."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        self.advance, self.done = advance, 0.0

    def __call__(self, share: float) -> None:
        self.advance(share - self.done)
        self.done = share


def _read(path: Path) -> Picture | str:
    try:
        return read_picture(path)
    except BadPictureError as error:
        return str(error)


def _written(work: Work, item: _Labelled | Row) -> Row:
    if isinstance(item, dict):
        return item
    image, found = item.picture.image, item.found
    painted = palette_image(found.mask, palette_of(work.predictor.info))
    mask = f"masks/{item.name}.png"
    work.output.write(mask, png(painted))
    suffix, content = photograph(lay_over(image, painted))
    laid_over = f"overlays/{item.name}{suffix}"
    work.output.write(laid_over, content)
    return {
        "path": on_one_line(str(item.path)),
        "width": image.width,
        "height": image.height,
        "mask": mask,
        "overlay": laid_over,
        "labelled_at": list(found.scaled[::-1]),
        "shares": {printable(name): round(share, 6) for name, share in found.shares.items()},
    }


def _flat(row: Row) -> Row:
    plain = {name: row[name] for name in ("path", "width", "height", "mask", "overlay")}
    return plain | {f"share({name})": share for name, share in row["shares"].items()}


def _show(work: Work, rows: list[Row]) -> None:
    """The largest classes of the first pictures."""
    more = f", the first {SHOWN} of {len(rows):,}" if len(rows) > SHOWN else ""
    table = Table(title=f"Shares of the area{more}", title_justify="left", box=box.SIMPLE_HEAD)
    names = sorted(work.class_names, key=lambda name: -sum(row["shares"][name] for row in rows))
    for name in ("picture", "size"):
        table.add_column(name)
    for name in names[:_COLUMNS]:
        table.add_column(name, justify="right")
    for row in rows[:SHOWN]:
        shares = [percent(row["shares"][name]) for name in names[:_COLUMNS]]
        table.add_row(row["path"], f"{row['width']}×{row['height']}", *shares)
    work.screen.print(table)
