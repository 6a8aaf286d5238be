"""Compare runs: ``python -m fashseg.compare RUN RUN ...``."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from fashseg import cli
from fashseg.checking import check
from fashseg.errors import UserError
from fashseg.files import in_full
from fashseg.two_lines import failing_in_two_lines
from fashseg.verb_options import Compare

if TYPE_CHECKING:
    from fashseg.compare.runs import Run, Unreadable
    from fashseg.compare.searches import Search

    Found = tuple[list[Run], list[Unreadable], list[Search]]

PAGE = "compare.html"


def prepare(plans: Sequence[Compare], overrides: list[Override], multirun: bool, found: list["Found"]) -> list[str]:
    """Look at all runs before anything is drawn, and note them in ``found``: a thousand take seconds to read."""
    del overrides
    if multirun:
        raise UserError("compare makes one page; -m is for train.", "Leave out -m.")
    from fashseg.compare.searches import find

    found.append(find(plans[0].runs))
    page = _page(plans[0])
    if page.is_dir():
        raise UserError(f"output={page} is a folder.", f"Name a file, such as output={page / PAGE}.")
    return []


def _page(options: Compare) -> Path:
    if options.output is not None:
        return in_full("output", options.output)
    named = [in_full("runs", word) for word in options.runs]
    return named[0] / PAGE if len(named) == 1 and named[0].is_dir() else Path(PAGE)


def job(composed: DictConfig, found: "Found") -> None:
    """Print the tables, write the page."""
    with failing_in_two_lines(composed.debug):
        _compare(check(Compare, composed), *found)


def _compare(
    options: Compare, runs: Sequence["Run"], unreadable: Sequence["Unreadable"], searches: Sequence["Search"]
) -> None:
    from fashseg.compare.noise import measure, pair_of
    from fashseg.compare.rows import group_runs
    from fashseg.compare.search_table import print_search
    from fashseg.compare.searches import outside
    from fashseg.compare.table import print_group, print_others, print_pair, print_spread
    from fashseg.summary import console

    alone = {run.name for run in outside(runs, searches)}
    others = [run for run in runs if not run.finished and run.name in alone]
    screen = console()
    for search in searches:
        print_search(screen, search)
    measured = []
    for group in group_runs(runs):
        said = any(run.name in alone for run in group.runs)  # a table of trials says less than that of their search
        if said:
            print_group(screen, group)
            print_spread(screen, group)
        noise = measure(group, options.resamples)
        measured.append((group, noise))
        if said and (pair := pair_of(group)) is not None:
            print_pair(screen, group, pair, noise)
    print_others(screen, others, unreadable)

    from fashseg.compare.content import build_page  # brings matplotlib: the tables are on the screen before
    from fashseg.files import write_atomically
    from fashseg.pages.render import render

    page = _page(options)
    try:
        write_atomically(page, render(build_page(measured, others, unreadable, searches)))
    except OSError as error:
        raise UserError(
            f"{page} can't be written: {error.strerror}.", "Choose another place by output=FILE."
        ) from error
    screen.print(f"page {page}")


def main(words: Sequence[str] | None = None) -> int:
    """The command; ``words`` take the place of the command line's."""
    found: list[Found] = []

    def looked_at(plans: Sequence[Compare], overrides: list[Override], multirun: bool) -> list[str]:
        return prepare(plans, overrides, multirun, found)

    def job_of_found(composed: DictConfig) -> None:
        job(composed, found[-1])

    return cli.main(cli.Verb("compare", Compare, job_of_found, looked_at, paths="runs"), words)


if __name__ == "__main__":
    sys.exit(main())
