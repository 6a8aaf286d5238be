"""Sections on how the training went."""

import math

from fashseg.figures.curves import curves
from fashseg.figures.filters import filters
from fashseg.pages.blocks import Block, Cell, Section, Table, Text
from fashseg.report import words
from fashseg.report.album import Album
from fashseg.report.facts import Facts, Row
from fashseg.text import counted, signed


def training(facts: Facts, album: Album) -> Section:
    """Loss, accuracy and learning rate over the epochs."""
    if not facts.rows:
        return Section("Training", "training", [Text(["No epoch was finished, so there are no curves."])])
    best = facts.rows[_best(facts)]
    score = best.get(f"val_{facts.score_name}")
    said = (
        f"Best validation {facts.score_label}: {words.score_in_words(facts, score)}, after epoch "
        f"{best['epoch']:.0f} of {len(facts.rows)}."
    )
    chart = album.chart(
        "curves",
        curves(facts.rows, facts.score_name),
        alt=f"Loss, {facts.score_label} and learning rate over {len(facts.rows)} epochs. {said}",
        caption="Running: averaged over an epoch while the weights move. End of epoch: with the weights it has led to"
        + (", as they are averaged." if facts.averaged else ".")
        + (f" Running is of {facts.other_loss}, the others are the cross-entropy." if facts.other_loss else "")
        + (f" Running is of images mixed with each other: {facts.mixing}." if facts.mixing else ""),
    )
    what = "The weights of that epoch are the ones tested." if facts.finished else "It is the model shown on this page."
    return Section("Training", "training", [Text([f"{said} {what}{_averaged(facts)}{_left_out(facts)}"]), chart])


def _averaged(facts: Facts) -> str:
    if not facts.averaged:
        return ""
    return (
        f" They are an exponential moving average over the steps up to then ({facts.averaged}): that is what was "
        "scored, and training went on with the weights themselves."
    )


def _left_out(facts: Facts) -> str:
    skipped = facts.results.get("skipped_steps")
    if not isinstance(skipped, int) or skipped < 1:
        return ""
    return f" Left out: {counted(skipped, 'step')} of training, whose loss was not finite (on_nan=skip)."


def comparability(facts: Facts, album: Album) -> Section | None:
    """The report's riddle: is validation comparable with training?"""
    del album
    said = words.comparable(facts)
    if not said:
        return None
    blocks: list[Block] = [Text(said)]
    if facts.rows:
        blocks.insert(0, _three_losses(facts))
    return Section("Is validation comparable with training?", "comparable", blocks)


def _three_losses(facts: Facts) -> Table:
    columns = ["epoch", "running", "training, end of epoch", "validation", "validation minus training"]
    rows = [_losses(facts.rows[i]) for i in sorted({0, _best(facts), len(facts.rows) - 1})]
    caption = "Mean loss of an image by what it was measured on, after the first, the best and the last epoch"
    return Table(columns, rows, caption, frozenset(range(5)))


def _best(facts: Facts) -> int:
    """Place of the epoch with the best validation score."""
    scores = [row.get(f"val_{facts.score_name}") for row in facts.rows]
    known = [-math.inf if score is None else score for score in scores]
    return known.index(max(known))


def _losses(row: Row) -> list[Cell]:
    fixed, val = row.get("train_loss"), row.get("val_loss")
    values = [row.get("train_loss_running"), fixed, val]
    difference = None if fixed is None or val is None else val - fixed
    return [
        Cell(f"{row['epoch']:.0f}", value=row["epoch"]),
        *(Cell("" if value is None else f"{value:.4f}", value=value) for value in values),
        Cell("" if difference is None else signed(difference, 4), value=difference),
    ]


def first_layer(facts: Facts, album: Album) -> Section | None:
    """The filters of the first layer, before and after training."""
    after = facts.evidence.get("end", {}).get("filters")
    if after is None:
        return None
    before = facts.evidence.get("start", {}).get("filters")
    if before is not None and before.shape != after.shape:
        before = None
    count, channels, height, width = after.shape
    when = "before and after training" if before is not None else "after training"
    chart = album.chart(
        "filters",
        filters(before, after),
        alt=f"The {count} filters of the first layer, {height}×{width} pixels, {when}.",
        caption=f"Weights {when}, on one scale{'' if channels == 1 else ', as colours'}.",
    )
    return Section(f"The {count} filters of the first layer", "filters", [chart])
