"""Make the page of a run again: ``python -m fashseg.report run=RUN``."""

import logging
import sys
from collections.abc import Sequence

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from fashseg import cli
from fashseg.checking import check
from fashseg.errors import UserError
from fashseg.importing import heavy_imports
from fashseg.run import RunFolder
from fashseg.stopping import not_now
from fashseg.text import printable
from fashseg.two_lines import failing_in_two_lines
from fashseg.verb_options import Report
from fashseg.which_model import require_run


def prepare(plans: Sequence[Report], overrides: list[Override], multirun: bool) -> list[str]:
    """Look at the run before anything is drawn."""
    del overrides
    if multirun:
        raise UserError("report makes the page of one run; -m is for train.", "Leave out -m.")
    require_run(plans[0].run)
    return []


def job(composed: DictConfig) -> None:
    """Collect what is missing, draw, and say where the page is."""
    if not composed.debug:
        # The page itself says what could not be drawn.
        logging.getLogger("fashseg").addHandler(logging.NullHandler())
    with failing_in_two_lines(composed.debug):
        _make(check(Report, composed))


def _make(options: Report) -> None:
    folder = require_run(options.run)
    if options.refresh or _is_stale(folder):
        print("looking at the images with the best weights")
        try:
            _collect(folder, options)
        except Exception as error:
            if options.refresh:
                raise
            reason = error.what if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            print(printable(f"the images are not looked at again: {reason}"), file=sys.stderr)
    with not_now():
        from fashseg.report.making import make_page

    for line in make_page(folder):
        print(printable(f"missing: {line}"))
    print(printable(f"page {folder.page}"))


def _is_stale(folder: RunFolder) -> bool:
    """Whether weights are there whose evidence is not."""
    if not folder.checkpoint("best").is_file():
        return False
    with not_now():
        from fashseg.report.loading import load_facts

    facts = load_facts(folder)
    return any(part not in facts.evidence for part in (("val", "test") if facts.finished else ("val",)))


def _collect(folder: RunFolder, options: Report) -> None:
    with heavy_imports():
        # Brings torch, which a page from kept evidence does without.
        from fashseg.report.collecting import collect_again

    collect_again(folder, options.root, options.trainer)


def main(words: Sequence[str] | None = None) -> int:
    """The command; ``words`` take the place of the command line's."""
    return cli.main(cli.Verb("report", Report, job, prepare), words)


if __name__ == "__main__":
    sys.exit(main())
