"""The page of a run as blocks: its sections in order, each drawn by itself."""

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from fashseg import __version__
from fashseg.commands import command
from fashseg.metrics import bootstrap
from fashseg.pages.blocks import Page, Section, Text
from fashseg.report import record, samples, scores, training, words
from fashseg.report.album import Album
from fashseg.report.facts import Facts
from fashseg.summary import fold_of, main_score
from fashseg.text import counted, duration, listed

log = logging.getLogger(__name__)

T = TypeVar("T")

SECTIONS: tuple[Callable[[Facts, Album], Section | None], ...] = (
    scores.classes,
    training.training,
    training.comparability,
    samples.samples,
    training.first_layer,
    scores.confusions,
    scores.calibration,
    scores.shares,
    record.network,
    record.what_was_run,
    record.run_again,
)


def build_page(facts: Facts, album: Album) -> Page:
    """All that is known about a run, in the order in which one reads it."""
    results = facts.results
    summary = [line for say in SUMMARY if (line := _attempt(facts, say.__name__, partial(say, facts)))]
    headline = _attempt(facts, "headline", partial(words.headline, facts)) or "What it has reached can't be told"
    warnings = _attempt(facts, "warnings", partial(words.what_is_wrong, facts)) or []
    sections = [
        section for draw in SECTIONS if (section := _attempt(facts, draw.__name__, partial(draw, facts, album)))
    ]
    if facts.missing:
        again = command("report", facts.plugins, run=facts.shown_path, refresh="true")
        way_out = f"What the images come to is collected again by {again}, where data and weights are there."
        sections.append(Section("What is missing", "missing", [Text([*facts.missing, way_out])]))
    return Page(
        title=f"{results.get('model')} on {results.get('data')}",
        headline=headline,
        summary=summary,
        warnings=warnings,
        sections=sections,
        footer=f"The charts as files: {facts.shown_path / 'figures'}. Made by fashseg {__version__}.",
    )


def _attempt(facts: Facts, name: str, part: Callable[[], T | None]) -> T | None:
    """A part of the page; one that can't be made, from files of another version for example, costs no other."""
    try:
        return part()
    except Exception as error:
        log.exception("a part of the page could not be made")
        facts.missing.append(
            f"The part {name.strip('_').replace('_', ' ')} could not be drawn: {type(error).__name__}: {error}."
        )
        return None


def _interval(facts: Facts) -> str | None:
    """How far chance in the choice of test images goes, as a 95% interval of the main score."""
    if "test" not in facts.scored or "test" not in facts.evidence:
        return None
    arrays = facts.evidence["test"]
    if facts.classifies:
        scores = bootstrap.accuracy(arrays["targets"], arrays["predicted"], len(facts.class_names))
    else:
        scores = bootstrap.average_precision(arrays["histograms"])
    found = bootstrap.interval(scores)
    # As far from the exact score as the resamples are from theirs, which is read from coarser counts.
    shift = facts.scored["test"].main - float(found.estimate[-1])
    low, high = (words.score_in_words(facts, float(bound[-1]) + shift) for bound in (found.low, found.high))
    if low == high:  # none is mistaken, or nothing counts
        return None
    return (
        f"With other test images of the same kind it would lie between {low} and {high} (95% interval over the images; "
        "another seed is not in it)."
    )


def _flips(facts: Facts) -> str | None:
    """What a second look at each image brings, which no other figure has."""
    flips, parts = facts.results.get("flips", {}), {"test": "test", "val": "validation"}
    scores = {name: main_score(facts.task, flips[part]) for part, name in parts.items() if part in flips}
    if not scores:
        return None
    said = listed([f"{words.score_in_words(facts, score)} on {name} images" for name, score in scores.items()])
    return (
        f"Averaged over each image and its mirror image: {said}. That is two looks at an image, and every other figure "
        "here is of one."
    )


def _costs(facts: Facts) -> str | None:
    """Size, epochs, time."""
    results = facts.results
    size = f"{results['parameters']:,} parameters, " if "parameters" in results else ""
    if "train_seconds" not in results:
        return f"{size}{counted(len(facts.rows), 'epoch')} so far." if facts.rows else None
    return (
        f"{size}{counted(results['epochs_run'], 'epoch')} in {duration(results['train_seconds'])} of training "
        "(validation not counted), "
        f"{results['images_per_second']:,.0f} images a second."
    )


def _fold(facts: Facts) -> str | None:
    """Which part of a cross-validation it is."""
    if not (said := fold_of(facts.results)):
        return None
    return (
        f"Validated on {said}, counted from 0: one part of a cross-validation, of which the mean over all folds counts "
        "(fashseg.compare). Test images are the same in each."
    )


SUMMARY: tuple[Callable[[Facts], str | None], ...] = (_interval, _flips, _fold, _costs)
