"""Calls into a library, whose errors are told in two lines: options of a network may be anybody's."""

import contextlib
from collections.abc import Iterator

from fashseg.errors import FashsegError, UserError


@contextlib.contextmanager
def told(what: str, way_out: str) -> Iterator[None]:
    """Around a call: any error of the library becomes one of ours.

    Args:
        what: that could not be done, as a sentence without its end.
        way_out: what the user can do.

    Raises:
        UserError: of the block.
    """
    try:
        yield
    except (FashsegError, MemoryError):
        raise
    except Exception as error:
        if type(error).__name__ == "OutOfMemoryError":
            raise
        raise UserError(f"{what}: {reason_of(error)}.", way_out) from error


def reason_of(error: Exception) -> str:
    """Its first line; of those of `load_state_dict` the second one too, which names the weight."""
    first, *others = str(error).strip().split("\n")
    text = f"{first} {others[0].strip()}" if first.endswith(":") and others else first
    return (text if text else type(error).__name__)[:300].rstrip(". :")
