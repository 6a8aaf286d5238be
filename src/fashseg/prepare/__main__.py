"""Fetch, verify or build a data set: ``python -m fashseg.prepare data=NAME``."""

import sys
from collections.abc import Sequence

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from fashseg import cli
from fashseg.checking import check
from fashseg.errors import UserError
from fashseg.files import in_full
from fashseg.text import printable
from fashseg.two_lines import failing_in_two_lines
from fashseg.verb_options import Prepare


def prepare(plans: Sequence[Prepare], overrides: list[Override], multirun: bool) -> list[str]:
    """Look at the options before anything is read."""
    del overrides
    if multirun:
        raise UserError("prepare works on one data set; -m is for train.", "Leave out -m.")
    in_full("data.root", plans[0].data.root)
    if plans[0].shards is not None:
        from fashseg.prepare.shards import look  # brings NumPy

        look(plans[0])
    return []


def job(composed: DictConfig) -> None:
    """Prepare, and print line by line what was found and done."""
    with failing_in_two_lines(composed.debug):
        options = check(Prepare, composed)
        if options.shards is None:
            from fashseg.prepare.table import preparer  # brings NumPy and Pillow

            lines = preparer(options.data.name)(options)
        else:
            from fashseg.prepare.shards import write_shards

            lines = write_shards(options)
        for line in lines:
            print(printable(line), flush=True)


def main(words: Sequence[str] | None = None) -> int:
    """The command; ``words`` take the place of the command line's."""
    return cli.main(cli.Verb("prepare", Prepare, job, prepare), words)


if __name__ == "__main__":
    sys.exit(main())
