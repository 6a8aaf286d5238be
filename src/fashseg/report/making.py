"""Makes the page of a run folder: reads it, draws, writes report.html and figures/."""

import logging
import sys
from pathlib import Path

from fashseg.commands import command
from fashseg.errors import FashsegError, UserError
from fashseg.files import write_atomically
from fashseg.pages.render import render
from fashseg.report.album import Album
from fashseg.report.content import build_page
from fashseg.report.loading import load_facts
from fashseg.run import RunFolder, is_first_process

log = logging.getLogger(__name__)


def make_page(folder: RunFolder) -> list[str]:
    """Write the page from what the folder holds; returns what is missing on it.

    Raises:
        UserError: the folder holds no run, or can't be written to.
    """
    facts = load_facts(folder)
    album = Album()
    page = render(build_page(facts, album))
    try:
        album.write(folder.figures)
        write_atomically(folder.page, page)
    except OSError as error:
        raise UserError(
            f"the page can't be written to {folder.path}: {error.strerror}.", "Make room, or let this user write there."
        ) from error
    return facts.missing


def try_to_make_page(folder: RunFolder) -> Path | None:
    """The page where it can be made; a run is never lost for a picture."""
    if not is_first_process():
        return None
    try:
        make_page(folder)
    except Exception as error:
        log.exception("the page could not be made")
        reason = error.what if isinstance(error, FashsegError) else f"{type(error).__name__}: {error}"
        print(f"the page could not be made: {reason}\n  again: {command('report', run=folder.path)}", file=sys.stderr)
        return None
    return folder.page
