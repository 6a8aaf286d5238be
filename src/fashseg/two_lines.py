"""How a command ends where something is wrong: two lines on standard error, and an exit status."""

import contextlib
import sys
import traceback
from collections.abc import Iterator

from fashseg.errors import FashsegError, RunError
from fashseg.stopping import Stopped, stoppable


class Status:
    """Exit status of a block, 0 until something goes wrong."""

    code = 0


@contextlib.contextmanager
def two_line_errors(debug: bool) -> Iterator[Status]:
    """Print errors as the contract has it and note the exit status."""
    status = Status()
    try:
        with stoppable():
            yield status
    except Stopped as stopped:
        print(f"interrupted by {stopped}", file=sys.stderr)
        status.code = stopped.exit_status
    except FashsegError as error:
        if debug:
            traceback.print_exc()
        print(error, file=sys.stderr)
        status.code = error.exit_status


@contextlib.contextmanager
def failing_in_two_lines(debug: bool) -> Iterator[None]:
    """For the job of a verb: whatever goes wrong in the block ends the program in two lines.

    Raises:
        SystemExit: with the exit status of the error.
    """
    try:
        yield
    except Exception as failure:
        if debug:
            traceback.print_exc()
        reason = f"{type(failure).__name__}: {str(failure).strip().partition(chr(10))[0]}"
        error = failure if isinstance(failure, FashsegError) else RunError(reason, "More with debug=true.")
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_status) from None
