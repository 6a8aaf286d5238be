"""Files of pictures to tables of classes and a contact sheet."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from rich import box
from rich.table import Table

from fashseg.data.info import UInt8Array
from fashseg.figures.contact_sheet import ACROSS, DOWN, THUMB, Entry, contact_sheet
from fashseg.predicting.ahead import ahead, chunks, threads
from fashseg.predicting.garment import Done, Wishes
from fashseg.predicting.inputs import RESULTS
from fashseg.predicting.painting import png
from fashseg.predicting.pictures import BadPictureError, inside, read_picture
from fashseg.predicting.work import SHOWN, Work
from fashseg.text import counted, printable

_CHUNK = 16  # files that a thread reads at a time: for small ones the change of threads would cost more than they do
_ENOUGH = 512  # pixels of the sides that are read, at least; models take far smaller ones
_PAGE = ACROSS * DOWN
_MOST_PAGES = 4
_SEEN = 56  # pixels of the sides of what the model saw, in the corner of its picture


@dataclass(frozen=True)
class _Fitted:
    """A picture as the model takes it, or why there is none."""

    path: Path
    image: UInt8Array | None = None
    done: Done | None = None
    thumb: Image.Image | None = None
    reason: str = ""


def classify_files(work: Work) -> list[Path]:
    """Label all pictures, write the results and show the first ones.

    Returns:
        The files that were written; none where no picture could be read.
    """
    rows: list[dict[str, Any]] = []
    entries: list[Entry] = []
    numbered = list(enumerate(work.inputs.paths))
    with work.progress() as advance:
        fitted = itertools.chain.from_iterable(
            ahead(lambda chunk: [_fit(work, *item) for item in chunk], chunks(numbered, _CHUNK), 2 * threads())
        )
        for batch in chunks(fitted, work.options.batch_size):
            _label(work, batch, rows, entries)
            advance(len(batch))
    return _write(work, rows, entries) if rows else []


def _fit(work: Work, number: int, path: Path) -> _Fitted:
    info = work.predictor.info
    try:
        picture = read_picture(path, max(_ENOUGH, *info.shape[1:]))
    except BadPictureError as error:
        return _Fitted(path, reason=str(error))
    image, done = work.predictor.fit(picture, wishes_of(work))
    thumb = _thumb(picture.image, image) if number < _PAGE * _MOST_PAGES else None
    return _Fitted(path, image, done, thumb)


def wishes_of(work: Work) -> Wishes:
    """What the options want to be done to garments."""
    invert, trim = work.options.invert, work.options.trim
    return Wishes(None if invert == "auto" else bool(invert), None if trim == "auto" else bool(trim))


def _thumb(picture: Image.Image, seen: UInt8Array) -> Image.Image:
    """The picture, and in its corner what the model saw of it, where that is something else."""
    enlarged = max(picture.size) <= THUMB // 2
    small = inside(picture, (THUMB, THUMB), Image.Resampling.NEAREST if enlarged else Image.Resampling.BOX)
    pixels = np.ascontiguousarray(seen[0] if len(seen) == 1 else seen.transpose(1, 2, 0))
    thumb = small.convert("RGB")
    if picture.size != seen.shape[:0:-1]:
        canvas = Image.new("RGB", (THUMB, THUMB), "white")
        canvas.paste(thumb, ((THUMB - thumb.width) // 2, (THUMB - thumb.height) // 2))
        shown = inside(Image.fromarray(pixels).convert("RGB"), (_SEEN, _SEEN), Image.Resampling.NEAREST)
        canvas.paste(Image.new("RGB", (shown.width + 2, shown.height + 2), "white"), (THUMB - _SEEN - 2,) * 2)
        canvas.paste(shown, (THUMB - _SEEN,) * 2)
        return canvas
    return thumb


def _label(work: Work, batch: list[_Fitted], rows: list[dict[str, Any]], entries: list[Entry]) -> None:
    good = [item for item in batch if item.image is not None]
    work.unreadable += [(item.path, item.reason) for item in batch if item.image is None]
    if not good:
        return
    images = np.stack([item.image for item in good if item.image is not None])
    probabilities = work.predictor.probabilities(images, tta=work.options.tta)
    order = np.argsort(-probabilities, axis=1, kind="stable")
    for item, values, best in zip(good, _six_digits(probabilities), order.tolist(), strict=True):
        row = _row(work, item, values, best)
        rows.append(row)
        if item.thumb is not None:
            lines = [f"{row['label']} {row['probability']:.2f}"]
            lines += [f"{row[f'label_{i}']} {row[f'probability_{i}']:.2f}" for i in range(2, _top(work) + 1)]
            entries.append(Entry(item.thumb, [*lines, item.path.name]))


def _six_digits(values: npt.NDArray[np.float32]) -> list[list[float]]:
    rounded: list[list[float]] = values.astype(np.float64).round(6).tolist()
    return rounded


def _top(work: Work) -> int:
    return min(work.options.top, len(work.predictor.info.class_names))


def _row(work: Work, item: _Fitted, values: list[float], best: list[int]) -> dict[str, Any]:
    names = work.class_names
    row: dict[str, Any] = {"path": printable(str(item.path))}
    for place, label in enumerate(best[: _top(work)], start=1):
        behind = f"_{place}" if place > 1 else ""
        row |= {f"label{behind}": names[label], f"probability{behind}": values[label]}
    if work.predictor.info.fit == "garment" and item.done is not None:
        row |= item.done._asdict()
    return row | {f"p({name})": value for name, value in zip(names, values, strict=True)}


def _write(work: Work, rows: list[dict[str, Any]], entries: list[Entry]) -> list[Path]:
    output, options = work.output, work.options
    screen_table(work, rows)
    if work.predictor.info.fit == "garment":
        work.screen.print(_what_was_done(rows))
    used = {"tta": options.tta, "invert": options.invert, "trim": options.trim, "fit": work.predictor.info.fit}
    content = {**work.about(), "options": used, "unreadable": work.unreadable_rows()}
    written = [
        output.write_table("predictions.csv", rows),
        output.write_json(RESULTS, content, [_nested(row) for row in rows]),
    ]
    for number, page in enumerate(chunks(entries, _PAGE), start=1):
        name = "contact_sheet.png" if len(entries) <= _PAGE else f"contact_sheet_{number:02}.png"
        written.append(output.write(name, png(contact_sheet(page), quickly=True)))
    if len(rows) > len(entries):
        work.screen.print(f"the contact sheets show the first {len(entries)} pictures")
    return written


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    chances = {name[2:-1]: value for name, value in row.items() if name.startswith("p(")}
    rest = {name: value for name, value in row.items() if not name.startswith("p(")}
    return {**rest, "probabilities": chances}


def screen_table(work: Work, rows: list[dict[str, Any]]) -> None:
    """Show the first pictures with their best classes."""
    top = min(3, _top(work))
    more = f", the first {SHOWN} of {len(rows):,}" if len(rows) > SHOWN else ""
    table = Table(title=f"What they are taken for{more}", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("picture", *(("class", "second", "third")[:top])):
        table.add_column(name)
    for row in rows[:SHOWN]:
        cells = [f"{row[f'label{behind}']} {row[f'probability{behind}']:.2f}" for behind in ("", "_2", "_3")[:top]]
        table.add_row(row["path"], *cells)
    work.screen.print(table)


def _what_was_done(rows: list[dict[str, Any]]) -> str:
    inverted, trimmed = (sum(row[name] for row in rows) for name in ("inverted", "trimmed"))
    as_is = sum(row["why"] == "as it is" for row in rows)
    return (
        f"brought to what the model was trained on, light garments on black: {counted(inverted, 'picture')} inverted, "
        f"{trimmed:,} trimmed, {as_is:,} taken as they are (invert= and trim= decide otherwise)"
    )
