"""Sections on how good the model is: class by class, and where it errs."""

import numpy as np
import numpy.typing as npt

from fashseg.figures.bars import class_bars, class_shares
from fashseg.figures.calibration import reliability
from fashseg.figures.confusion import confusion_matrix
from fashseg.figures.precision_recall import precision_recall
from fashseg.metrics.precision_recall import precision_recall_path
from fashseg.pages.blocks import Block, Cell, Section, Table, Text
from fashseg.report import words
from fashseg.report.album import Album
from fashseg.report.facts import Facts
from fashseg.report.other_scores import PART_NAMES, other_scores
from fashseg.text import listed, percent, signed

MOST_CURVES = 20
"""Classes whose precision over recall is drawn."""


def classes(facts: Facts, album: Album) -> Section:
    """The table class by class, beside the published figures, and in words which classes are hard."""
    scored = facts.scored
    if not scored:
        why = "what the images of each class came to is missing" if facts.rows else "no epoch was finished"
        return Section("Class by class", "classes", [Text([f"No scores class by class: {why}."])])
    part = "test" if "test" in scored else "val"
    bars: dict[str, dict[str, float]] = {PART_NAMES[name]: scored[name].by_class for name in scored}
    if facts.published.test and part == "test":
        bars["published"] = {name: facts.published.test[name] for name in scored[part].by_class}
    lead = words.hardest(facts, scored[part], confusion(facts, part))
    name = facts.score_label
    chart = album.chart(
        "class_scores",
        class_bars(bars, name),
        alt=f"Bars of {name} by class on {listed(list(bars))} images; the numbers are in the table above.",
    )
    return Section("Class by class", "classes", [_table(facts), Text(lead), chart, *other_scores(facts)])


def _table(facts: Facts) -> Table:
    scored, published = facts.scored, facts.published
    head = [*(["value", "colour"] if facts.palette else []), "class"]
    compared = bool(published.test) and "test" in scored
    numbers = []
    for part in scored:
        numbers.append(PART_NAMES[part])
        if part == "val" and published.val:
            numbers.append("published validation")
    numbers += ["published", "difference"] if compared else []
    rows = [_row(facts, label, name, compared) for label, name in enumerate(facts.class_names)]
    footer = [
        [*([Cell(""), Cell("")] if facts.palette else []), Cell("all", strong=True), *_numbers(facts, "all", compared)]
    ]
    columns = [*head, *numbers]
    numeric = frozenset(range(len(head), len(columns))) | (frozenset({0}) if facts.palette else frozenset())
    caption = f"{facts.score_label[0].upper()}{facts.score_label[1:]}, class by class"
    return Table(columns, rows, caption, numeric, footer)


def _row(facts: Facts, label: int, name: str, compared: bool) -> list[Cell]:
    colour = facts.palette[label] if facts.palette else None
    head = [Cell(str(label), value=label), Cell(colour or "", colour=colour)] if facts.palette else []
    return [*head, Cell(name), *_numbers(facts, name, compared)]


def _numbers(facts: Facts, name: str, compared: bool) -> list[Cell]:
    cells, strong = [], name == "all"
    for part, scores in facts.scored.items():
        ours = scores.main if strong else scores.by_class[name]
        cells.append(_score(facts, ours, strong))
        if part == "val" and facts.published.val:
            cells.append(_score(facts, facts.published.val.get(name), strong))
    if compared:
        test = facts.scored["test"]
        ours, published = test.main if strong else test.by_class[name], facts.published.test.get(name)
        cells.append(_score(facts, published, strong))
        difference = None if published is None else ours - published
        text = "" if difference is None else signed(100 * difference, 1) if facts.classifies else signed(difference, 3)
        cells.append(Cell(text, value=difference, strong=strong))
    return cells


def _score(facts: Facts, score: float | None, strong: bool) -> Cell:
    if score is None:
        return Cell("", strong=strong)
    return Cell(words.score_in_words(facts, score), value=None if np.isnan(score) else score, strong=strong)


def confusion(facts: Facts, part: str) -> npt.NDArray[np.int64] | None:
    """The confusion matrix of a part: rows are the truth."""
    given = facts.results.get(part, {}).get("confusion_matrix")
    if given is not None:
        return np.array(given, dtype=np.int64)
    arrays = facts.evidence.get(part)
    if arrays is None:
        return None
    counts: npt.NDArray[np.int64] = arrays["confusion"]
    return counts if counts.ndim == 2 else counts.sum(0)


def confusions(facts: Facts, album: Album) -> Section | None:
    """The confusion matrix, and of pixels the precision-recall curves."""
    part = next((name for name in ("test", "val") if confusion(facts, name) is not None), None)
    if part is None:
        return None
    counts = confusion(facts, part)
    assert counts is not None
    unit = "images" if facts.classifies else "pixels"
    blocks: list[Block] = []
    if facts.shown_part:
        blocks.append(_precision_recall(facts, album))
    matrix = album.chart(
        "confusion_matrix",
        confusion_matrix(counts, facts.class_names, unit),
        alt=f"Confusion matrix of {counts.sum():,} {PART_NAMES[part]} {unit}: {_matrix_in_words(facts, counts)}",
        caption=f"Rows are the truth, columns the prediction, {PART_NAMES[part]} {unit}. Shares are of a row.",
    )
    title = "Confusions" if facts.classifies else "Precision and recall, confusions"
    return Section(title, "confusions", [matrix, *blocks] if facts.classifies else [*blocks, matrix])


def _matrix_in_words(facts: Facts, counts: npt.NDArray[np.int64]) -> str:
    return " ".join(words.taken_for(facts, name, counts) for name in facts.class_names)


def _precision_recall(facts: Facts, album: Album) -> Block:
    part = facts.shown_part
    assert part is not None
    arrays, names = facts.evidence[part], facts.class_names
    histogram = arrays["histogram"] if facts.classifies else arrays["histograms"].sum(0, dtype=np.int64)
    exact = arrays["average_precision" if facts.classifies else "class_scores"]
    present = [i for i in range(len(names)) if histogram[i, 1].sum()]
    hardest = ""
    if len(present) > MOST_CURVES:
        hardest = f" The {MOST_CURVES} lowest of {len(present)} classes."
        present = sorted(sorted(present, key=lambda i: float(exact[i]))[:MOST_CURVES])
    paths = {names[i]: precision_recall_path(histogram[i]) for i in present}
    precision = {names[i]: float(exact[i]) for i in present}
    chance = {names[i]: float(histogram[i, 1].sum() / histogram[i].sum()) for i in present}
    order = "probability" if facts.classifies else "raw logit"
    unit = "images" if facts.classifies else "pixels of all images"
    said = listed([f"{name} {value:.3f}" for name, value in precision.items()])
    return album.chart(
        "precision_recall",
        precision_recall(paths, precision, chance),
        alt=f"Precision over recall, a curve for each class. Average precision: {said}.",
        caption=f"{PART_NAMES[part].capitalize()} {unit}, ranked class by class by the {order}. Dotted: chance."
        f"{hardest}",
    )


def calibration(facts: Facts, album: Album) -> Section | None:
    """Whether the network is right as often as it says."""
    part = facts.shown_part
    if part is None:
        return None
    arrays = facts.evidence[part]
    samples, confidences, right = arrays["calibration"]
    if not samples.sum():  # masks in which nothing counts
        return None
    error = float(arrays["calibration_error"])
    with np.errstate(invalid="ignore"):
        confidence, accuracy = confidences / samples, right / samples
    mean_confidence, mean_accuracy = confidences.sum() / samples.sum(), right.sum() / samples.sum()
    unit = "images" if facts.classifies else "pixels"
    lean = "overconfident" if mean_confidence > mean_accuracy else "underconfident"
    if abs(mean_confidence - mean_accuracy) < 0.005:
        lean = "as sure as it is right"
    said = (
        f"On average the network is {percent(float(mean_confidence))} sure of its prediction and right in "
        f"{percent(float(mean_accuracy))} of the {unit}: it is {lean}. The expected calibration error is "
        f"{percent(error)}."
    )
    chart = album.chart(
        "calibration",
        reliability(samples, confidence, accuracy, error),
        alt=f"Reliability diagram: accuracy by confidence in {len(samples)} bins. {said}",
    )
    return Section("How sure it is", "calibration", [Text([said]), chart])


def shares(facts: Facts, album: Album) -> Section | None:
    """How often each class occurs, and how often it is predicted."""
    counts = facts.data.get("class_counts")
    if not counts:
        return None
    part = "test" if "test" in facts.scored else "val"
    parts = {"training": "train", "validation": "val", **({"test": "test"} if part == "test" else {})}
    shown: dict[str, npt.NDArray[np.int64]] = {name: np.array(counts[key]) for name, key in parts.items()}
    matrix = confusion(facts, part)
    if matrix is not None:
        shown[f"predicted, {PART_NAMES[part]}"] = matrix.sum(0)
    by_name = {
        name: dict(zip(facts.class_names, (values / max(values.sum(), 1)).tolist(), strict=True))
        for name, values in shown.items()
    }
    said = [
        f"{name}: " + ", ".join(f"{label} {percent(share)}" for label, share in values.items())
        for name, values in by_name.items()
    ]
    unit = "images" if facts.classifies else "pixels"
    chart = album.chart(
        "class_shares", class_shares(by_name), alt=f"Share of each class in the {unit}. " + ". ".join(said) + "."
    )
    return Section("How often each class occurs", "shares", [chart])
