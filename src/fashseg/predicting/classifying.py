"""Files of pictures to tables of classes and a contact sheet."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
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
from fashseg.text import counted, on_one_line

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


class _Labelled(NamedTuple):
    """What a picture was taken for.

    Attributes:
        path: as it may be shown.
        chances: of each class, six digits.
        best: the likeliest classes, the likeliest first.
        done: to the picture before.
    """

    path: str
    chances: list[float]
    best: list[int]
    done: Done


def classify_files(work: Work) -> list[Path]:
    """Label all pictures, write the results and show the first ones.

    Returns:
        The files that were written; none where no picture could be read.
    """
    labelled: list[_Labelled] = []
    entries: list[Entry] = []
    numbered = list(enumerate(work.inputs.paths))
    with work.progress() as advance:
        fitted = itertools.chain.from_iterable(
            ahead(lambda chunk: [_fit(work, *item) for item in chunk], chunks(numbered, _CHUNK), 2 * threads())
        )
        for batch in chunks(fitted, work.options.batch_size):
            _label(work, batch, labelled, entries)
            advance(len(batch))
    return _write(work, labelled, entries) if labelled else []


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


def _label(work: Work, batch: list[_Fitted], labelled: list[_Labelled], entries: list[Entry]) -> None:
    good = [item for item in batch if item.image is not None]
    work.unreadable += [(item.path, item.reason) for item in batch if item.image is None]
    if not good:
        return
    images = np.stack([item.image for item in good if item.image is not None])
    probabilities = work.predictor.probabilities(images, tta=work.options.tta)
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, : _top(work)].tolist()
    # In float64, or the six digits would not be all that is written.
    values = probabilities.astype(np.float64).round(6).tolist()
    for item, chances, best in zip(good, values, order, strict=True):
        found = _Labelled(on_one_line(str(item.path)), chances, best, item.done or Done())
        labelled.append(found)
        if item.thumb is not None:
            lines = [f"{work.class_names[label]} {chances[label]:.2f}" for label in best]
            entries.append(Entry(item.thumb, [*lines, item.path.name]))


def _top(work: Work) -> int:
    return min(work.options.top, len(work.predictor.info.class_names))


def _write(work: Work, labelled: list[_Labelled], entries: list[Entry]) -> list[Path]:
    output, options, garments = work.output, work.options, work.predictor.info.fit == "garment"
    screen_table(work, labelled)
    if garments:
        work.screen.print(_what_was_done(labelled))
    used = {"tta": options.tta, "invert": options.invert, "trim": options.trim, "fit": work.predictor.info.fit}
    content = {**work.about(), "options": used, "unreadable": work.unreadable_rows()}
    names = work.class_names
    columns = ["path"]
    for place in range(1, _top(work) + 1):
        behind = f"_{place}" if place > 1 else ""
        columns += [f"label{behind}", f"probability{behind}"]
    columns += Done._fields if garments else ()
    rows = [_row(item, names, garments=garments) for item in labelled]
    written = [
        output.write_table(
            "predictions.csv",
            [*columns, *(f"p({name})" for name in names)],
            ([*map(_cell, row), *item.chances] for row, item in zip(rows, labelled, strict=True)),
        ),
        output.write_json(
            RESULTS,
            content,
            (
                dict(zip(columns, row, strict=True)) | {"probabilities": dict(zip(names, item.chances, strict=True))}
                for row, item in zip(rows, labelled, strict=True)
            ),
        ),
    ]
    for number, page in enumerate(chunks(entries, _PAGE), start=1):
        name = "contact_sheet.png" if len(entries) <= _PAGE else f"contact_sheet_{number:02}.png"
        written.append(output.write(name, png(contact_sheet(page), quickly=True)))
    if len(labelled) > len(entries):
        work.screen.print(f"the contact sheets show the first {len(entries)} pictures")
    return written


def _row(item: _Labelled, names: list[str], *, garments: bool) -> list[Any]:
    row: list[Any] = [item.path]
    for label in item.best:
        row += [names[label], item.chances[label]]
    return [*row, *item.done] if garments else row


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def screen_table(work: Work, labelled: list[_Labelled]) -> None:
    """Show the first pictures with their best classes."""
    top = min(3, _top(work))
    more = f", the first {SHOWN} of {len(labelled):,}" if len(labelled) > SHOWN else ""
    table = Table(title=f"What they are taken for{more}", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("picture", *(("class", "second", "third")[:top])):
        table.add_column(name)
    for item in labelled[:SHOWN]:
        table.add_row(item.path, *(f"{work.class_names[label]} {item.chances[label]:.2f}" for label in item.best[:top]))
    work.screen.print(table)


def _what_was_done(labelled: list[_Labelled]) -> str:
    inverted, trimmed = (sum(getattr(item.done, name) for item in labelled) for name in ("inverted", "trimmed"))
    as_is = sum(item.done.why == "as it is" for item in labelled)
    return (
        f"brought to what the model was trained on, light garments on black: {counted(inverted, 'picture')} inverted, "
        f"{trimmed:,} trimmed, {as_is:,} taken as they are (invert= and trim= decide otherwise)"
    )
