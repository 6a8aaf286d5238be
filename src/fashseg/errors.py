"""Errors as part of the interface: what is wrong and where, why, and the way out, in two lines."""

from fashseg.text import printable


class FashsegError(Exception):
    """An error that is shown to the user as two lines.

    Args:
        what: names the key or the file, its value and the rule it breaks.
        way_out: what to do about it.
    """

    exit_status = 1

    def __init__(self, what: str, way_out: str) -> None:
        super().__init__(what, way_out)
        self.what = what
        self.way_out = way_out

    def __str__(self) -> str:
        return f"error: {_one_line(self.what)}\n       {_one_line(self.way_out)}"


class UserError(FashsegError):
    """Something the user can mend: an option, a file, a combination. Exit status 2."""

    exit_status = 2


class RunError(FashsegError):
    """A run that failed on its way. Exit status 1."""


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))
