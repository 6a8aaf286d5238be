"""What is done to prepare each data set; an entry is a function from the options to lines of text for the screen."""

from collections.abc import Callable, Iterator
from importlib import import_module

from fashseg.verb_options import Prepare

Preparer = Callable[[Prepare], Iterator[str]]

# Module and function by name of the data set: imported when it is asked for. The function is called with all options
# of the verb (the data set's own are `options.data`), yields lines while it works, and raises UserError.
PREPARERS: dict[str, str] = {
    "fashion_mnist": "fashseg.prepare.fashion_mnist:prepare",
    "facade": "fashseg.prepare.facade:prepare",
    "cmp_facade": "fashseg.prepare.cmp_facade:prepare",
    "image_folder": "fashseg.data.folders.account:prepare",
    "mask_folder": "fashseg.data.folders.account:prepare",
    "streaming": "fashseg.prepare.streaming:prepare",
    "synthetic_fashion": "fashseg.prepare.synthetic:prepare",
    "synthetic_facade": "fashseg.prepare.synthetic:prepare",
}

_OTHERS = "fashseg.prepare.account:prepare"
"""For data sets that are in no table, such as those registered from outside: they are read, and that is told."""


def preparer(name: str) -> Preparer:
    """The function for a data set."""
    module, _, function = PREPARERS.get(name, _OTHERS).partition(":")
    found: Preparer = getattr(import_module(module), function)
    return found
