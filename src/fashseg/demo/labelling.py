"""From a file that somebody has dropped to what the page shows of it."""

import base64
import time
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import DictLoader, Environment, StrictUndefined, Template
from PIL import Image

from fashseg.data.info import UInt8Array
from fashseg.demo.uploads import check_size
from fashseg.predicting.garment import Done, Wishes
from fashseg.predicting.painting import lay_over, palette_image, palette_of, photograph, png
from fashseg.predicting.pictures import Picture, inside, read_picture
from fashseg.predicting.predictor import Predictor
from fashseg.text import percent, printable

_SHOWN = 1024  # pixels of the sides of what is shown, at most
_ENOUGH = 512  # pixels of the sides that are read for a classifier, at least: models take far smaller ones
_MOST_ROWS = 20  # classes whose probabilities are shown
_TEMPLATE = "results.html.j2"


@dataclass(frozen=True)
class Labelled:
    """What has come of a picture.

    Attributes:
        html: to be shown.
        mask: a PNG file with a palette, of the size of the picture; None where the model labels no pixels.
    """

    html: str
    mask: bytes | None = None


def label(predictor: Predictor, path: Path, name: str, invert: bool | None, trim: bool | None) -> Labelled:
    """Label the picture in a file.

    Args:
        predictor: the model.
        path: of the file.
        name: what the picture is called, for the reader.
        invert: for garments: exchange dark and light; None decides by the picture.
        trim: for garments: cut to the garment and make the rest black; None decides by the picture.

    Raises:
        BadPictureError: it can't be read, or is too large.
    """
    check_size(path)
    start = time.perf_counter()
    if predictor.info.task == "segmentation":
        return _segmented(predictor, read_picture(path), name, start)
    picture = read_picture(path, max(_ENOUGH, *predictor.info.shape[1:]))
    return _classified(predictor, picture, name, (invert, trim), start)


def about(predictor: Predictor) -> str:
    """A few words on a model as HTML."""
    return _render("about", info=predictor.info, origin=predictor.trained.origin)


def message(text: str) -> str:
    """What went wrong as HTML."""
    return _render("message", text=text)


def invitation() -> str:
    """What is shown while there is no picture, as HTML."""
    return _render("invitation")


def _segmented(predictor: Predictor, picture: Picture, name: str, start: float) -> Labelled:
    found = predictor.segment(picture)
    palette = palette_of(predictor.info)
    painted = palette_image(found.mask, palette)
    box = (_SHOWN, _SHOWN)
    small = picture.image if max(picture.size) <= _SHOWN else inside(picture.image, box, Image.Resampling.BOX)
    laid_over = lay_over(small, painted.resize(small.size, Image.Resampling.NEAREST))
    suffix, content = photograph(laid_over)
    rows = [
        {"name": class_name, "colour": colour, "share": share, "percent": percent(share)}
        for (class_name, share), colour in zip(found.shares.items(), palette, strict=True)
    ]
    html = _render(
        "segmented",
        name=name,
        size=picture.size,
        scaled=found.scaled,
        picture=_as_address(content, "jpeg" if suffix == ".jpg" else "png"),
        shown=laid_over.size,
        rows=rows,
        seconds=time.perf_counter() - start,
    )
    return Labelled(html, png(painted))


def _classified(
    predictor: Predictor, picture: Picture, name: str, wishes: tuple[bool | None, bool | None], start: float
) -> Labelled:
    info = predictor.info
    seen, done = predictor.fit(picture, Wishes(*wishes))
    chances = predictor.probabilities(np.stack([seen]))[0]
    best = np.argsort(-chances, kind="stable")[:_MOST_ROWS].tolist()
    rows = [
        {"name": info.class_names[i], "share": float(chances[i]), "percent": percent(float(chances[i]))} for i in best
    ]
    html = _render(
        "classified",
        name=name,
        size=picture.size,
        seen=_as_address(png(_as_image(seen)), "png"),
        seen_size=info.shape[1:],
        done=_in_words(done) if info.fit == "garment" else "",
        rows=rows,
        others=len(chances) - len(best),
        seconds=time.perf_counter() - start,
    )
    return Labelled(html)


def _in_words(done: Done) -> str:
    """What was done to a garment before the model saw it."""
    if done.why == "as it is":
        return "It is as the images that the model was trained on, and was left as it is."
    inverted = "Dark and light were exchanged" if done.inverted else "Dark and light were left as they are"
    trimmed = "it was cut to the garment" if done.trimmed else "it was not cut"
    return f"{inverted}, and {trimmed}: {done.why}."


def _as_image(seen: UInt8Array) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(seen[0] if len(seen) == 1 else seen.transpose(1, 2, 0)))


def _as_address(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _render(part: str, **values: Any) -> str:
    return printable(_template().render(part=part, **values))


@cache
def _template() -> Template:
    text = resources.files("fashseg.demo").joinpath(_TEMPLATE).read_text("utf-8")
    environment = Environment(
        loader=DictLoader({_TEMPLATE: text}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(_TEMPLATE)
