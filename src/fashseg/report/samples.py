"""Sections with images: right and wrong ones of each class, confused pairs, masks beside their truth."""

from collections.abc import Sequence

import numpy as np

from fashseg.figures.masks import NOT_COUNTED, Triptych, colorize, error_map, triptychs, true_pixels
from fashseg.figures.samples import Sample, picture, sample_sheet
from fashseg.pages.blocks import Block, Gallery, Legend, Picture, Section, Text
from fashseg.report.album import Album, small_picture
from fashseg.report.choosing import choose_extremes, choose_samples
from fashseg.report.facts import Facts
from fashseg.report.other_scores import PART_NAMES
from fashseg.report.reading import Arrays
from fashseg.text import percent

KINDS = {
    "wrong/hardest": "taken for another class, the surest mistakes",
    "wrong/random": "taken for another class, at random",
    "right/hardest": "recognised, the least sure",
    "right/random": "recognised, at random",
}


def samples(facts: Facts, album: Album) -> Section | None:
    """Images of the test set, of an unfinished run of the validation set."""
    part = facts.shown_part
    if part is None:
        return None
    show = _garments if facts.classifies else _masks
    return Section(f"Samples: {PART_NAMES[part]} images", "samples", show(facts, facts.evidence[part], album))


def _garments(facts: Facts, arrays: Arrays, album: Album) -> list[Block]:
    chosen = choose_samples(arrays["probabilities"], arrays["predicted"], arrays["targets"])
    places = {int(index): place for place, index in enumerate(arrays["shown"])}
    names, probabilities = facts.class_names, arrays["probabilities"].astype(float)

    def sample(index: int) -> Sample:
        said = int(arrays["predicted"][index])
        truth, predicted = names[int(arrays["targets"][index])], names[said]
        return Sample(arrays["images"][places[index]], truth, predicted, float(probabilities[index, said]))

    found = {key: [(int(i), sample(int(i))) for i in indices if int(i) in places] for key, indices in chosen.items()}
    pairs = [
        (f"{names[int(truth)]} taken for {names[int(other)]}", [_thumbnail(*item) for item in found[key]])
        for key, truth, other in ((key, *key.split("/")[1:]) for key in chosen if key.startswith("pair/"))
    ]
    blocks: list[Block] = [
        Text(
            [
                "Below each image: what it is taken for, and with which probability. Of the mistakes the surest come "
                "first, of the recognised ones the least sure; others are drawn at random."
            ]
        ),
    ]
    if pairs:
        blocks.append(Gallery("The most confused pairs", pairs))
    sheet = []
    for label, name in enumerate(names):
        rows = [
            (title, [_thumbnail(*item) for item in items])
            for kind, title in KINDS.items()
            if (items := found[f"{label}/{kind}"])
        ]
        if rows:
            blocks.append(Gallery(name, rows))
        half = [found[f"{label}/{kind}"][:3] for kind in ("wrong/hardest", "right/random")]
        sheet.append((name, [item for _, item in (*half[0], *half[1])]))
    album.keep("samples", sample_sheet([row for row in sheet if row[1]]))
    return blocks


def _thumbnail(index: int, sample: Sample) -> Picture:
    right = sample.truth == sample.predicted
    said = f"recognised with probability {sample.probability:.2f}"
    if not right:
        said = f"taken for {sample.predicted} with probability {sample.probability:.2f}"
    mark = "✓" if right else "✗"
    return small_picture(
        f"sample-{index}",
        picture(sample.image),
        alt=f"{sample.truth}, {said}",
        caption=f"{mark} {sample.predicted} {sample.probability:.2f}",
    )


def _masks(facts: Facts, arrays: Arrays, album: Album) -> list[Block]:
    right = _share_of_right_pixels(arrays)
    places = {int(index): place for place, index in enumerate(arrays["shown"])}
    titles = {"best": "Best", "worst": "Worst", "random": "At random"}
    blocks: list[Block] = [
        Text(
            [
                "Best and worst by the share of right pixels. In the error map right pixels are pale and grey, wrong "
                "ones coloured."
            ]
        ),
        Legend(
            list(zip(facts.class_names, facts.palette, strict=True))
            + [("not counted", NOT_COUNTED)] * ("ignored" in arrays)
        ),
    ]
    sheet = []
    for kind, indices in choose_extremes(right).items():
        items = [
            _triptych(arrays, places[int(i)], f"Image {i}: {percent(float(right[i]))} of its pixels are right")
            for i in indices
            if int(i) in places
        ]
        sheet += items
        if items:
            blocks.append(Gallery(titles[kind], [(item.title, _panels(facts, item)) for item in items]))
    if sheet:
        album.keep("triptychs", triptychs(sheet, facts.class_names, facts.palette))
    return blocks


def _share_of_right_pixels(arrays: Arrays) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    confusion = arrays["confusion"].astype(np.float64)
    with np.errstate(invalid="ignore"):  # of an image of which nothing counts
        shares: np.ndarray[tuple[int], np.dtype[np.float64]] = np.trace(confusion, axis1=1, axis2=2) / confusion.sum(
            (1, 2)
        )
    return shares


def _triptych(arrays: Arrays, place: int, title: str) -> Triptych:
    ignored = arrays["ignored"][place].astype(bool) if "ignored" in arrays else None
    return Triptych(arrays["images"][place], arrays["predictions"][place], arrays["targets"][place], title, ignored)


def _panels(facts: Facts, item: Triptych) -> Sequence[Picture]:
    panels = {
        "original": picture(item.image),
        "prediction": colorize(item.prediction, facts.palette),
        "ground truth": true_pixels(item, facts.palette),
        "errors": error_map(item.image, item.prediction, item.truth, item.ignored),
    }
    return [
        small_picture(name, pixels, alt=f"{item.title}: {name}", caption=name, photo=name in ("original", "errors"))
        for name, pixels in panels.items()
    ]
