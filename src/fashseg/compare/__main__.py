"""Compare runs: ``python -m fashseg.compare RUN RUN ...``."""

import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from fashseg import cli
from fashseg.checking import check
from fashseg.errors import UserError
from fashseg.files import in_full
from fashseg.verb_options import Compare

PAGE = "compare.html"


def prepare(plans: Sequence[Compare], overrides: list[Override], multirun: bool) -> list[str]:
    """Look at all runs before anything is drawn."""
    del overrides
    if multirun:
        raise UserError("compare makes one page; -m is for train.", "Leave out -m.")
    from fashseg.compare.runs import find_runs

    find_runs(plans[0].runs)
    page = _page(plans[0])
    if page.is_dir():
        raise UserError(f"output={page} is a folder.", f"Name a file, such as output={page / PAGE}.")
    return []


def _page(options: Compare) -> Path:
    if options.output is not None:
        return in_full("output", options.output)
    named = [in_full("runs", word) for word in options.runs]
    return named[0] / PAGE if len(named) == 1 and named[0].is_dir() else Path(PAGE)


def job(composed: DictConfig) -> None:
    """Print the tables, write the page."""
    with cli.failing_in_two_lines(composed.debug):
        _compare(check(Compare, composed))


def _compare(options: Compare) -> None:
    from fashseg.compare.noise import measure, pair_of
    from fashseg.compare.rows import group_runs
    from fashseg.compare.runs import find_runs
    from fashseg.compare.table import print_group, print_others, print_pair, print_spread
    from fashseg.summary import console

    runs, unreadable = find_runs(options.runs)
    others = [run for run in runs if not run.finished]
    screen = console()
    measured = []
    for group in group_runs(runs):
        print_group(screen, group)
        print_spread(screen, group)
        noise = measure(group, options.resamples)
        measured.append((group, noise))
        if (pair := pair_of(group)) is not None:
            print_pair(screen, group, pair, noise)
    print_others(screen, others, unreadable)

    from fashseg.compare.content import build_page  # brings matplotlib: the tables are on the screen before
    from fashseg.files import write_atomically
    from fashseg.pages.render import render

    page = _page(options)
    try:
        write_atomically(page, render(build_page(measured, others, unreadable)))
    except OSError as error:
        raise UserError(
            f"{page} can't be written: {error.strerror}.", "Choose another place by output=FILE."
        ) from error
    screen.print(f"page {page}")


def main(words: Sequence[str] | None = None) -> int:
    """The command; ``words`` take the place of the command line's."""
    return cli.main(cli.Verb("compare", Compare, job, prepare, paths="runs"), words)


if __name__ == "__main__":
    sys.exit(main())
