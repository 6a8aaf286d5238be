"""The page of a run as blocks: its sections in order, each drawn by itself."""

import logging
from collections.abc import Callable

from fashseg import __version__
from fashseg.metrics import bootstrap
from fashseg.pages.blocks import Page, Section, Text
from fashseg.report import record, samples, scores, training, words
from fashseg.report.album import Album
from fashseg.report.facts import Facts
from fashseg.text import duration

log = logging.getLogger(__name__)

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
    sections = [section for draw in SECTIONS if (section := _drawn(draw, facts, album))]
    if facts.missing:
        lines = [
            *facts.missing,
            "python -m fashseg.report run=RUN refresh=true collects it again where data and weights are there.",
        ]
        sections.append(Section("What is missing", "missing", [Text(lines)]))
    results = facts.results
    return Page(
        title=f"{results.get('model')} on {results.get('data')}",
        headline=words.headline(facts),
        summary=_summary(facts),
        warnings=words.what_is_wrong(facts),
        sections=sections,
        footer=f"Made by fashseg {__version__}.",
    )


def _drawn(draw: Callable[[Facts, Album], Section | None], facts: Facts, album: Album) -> Section | None:
    """A section, or None; one that can't be drawn, from files of another version for example, costs no other."""
    try:
        return draw(facts, album)
    except Exception as error:
        log.exception("a section of the page could not be drawn")
        facts.missing.append(
            f"The section {draw.__name__.replace('_', ' ')} could not be drawn: {type(error).__name__}: {error}."
        )
        return None


def _summary(facts: Facts) -> list[str]:
    """Two or three sentences under the headline."""
    results = facts.results
    lines = []
    if "test" in facts.scored and "test" in facts.evidence:
        low, high = _interval(facts)
        lines.append(
            f"With other test images of the same kind it would lie between {words.score_in_words(facts, low)} and "
            f"{words.score_in_words(facts, high)} (95% interval over the images; another seed is not in it)."
        )
    if "train_seconds" in results:
        lines.append(
            f"{results['parameters']:,} parameters, {results['epochs_run']} epochs in "
            f"{duration(results['train_seconds'])} of training, {results['images_per_second']:,.0f} images a second."
        )
    elif facts.rows:
        lines.append(f"{results.get('parameters', 0):,} parameters, {len(facts.rows)} epochs so far.")
    return lines


def _interval(facts: Facts) -> tuple[float, float]:
    """95% interval of the main test score over the choice of test images."""
    arrays = facts.evidence["test"]
    if facts.classifies:
        predicted = arrays["probabilities"].argmax(1)
        scores = bootstrap.accuracy(arrays["targets"], predicted, len(facts.class_names))
    else:
        scores = bootstrap.average_precision(arrays["histograms"])
    found = bootstrap.interval(scores)
    # As far from the exact score as the resamples are from theirs, which is read from coarser counts.
    shift = facts.scored["test"].main - float(found.estimate[-1])
    return float(found.low[-1]) + shift, float(found.high[-1]) + shift
