"""A port of this computer, claimed before anything is loaded."""

import errno
import os
import socket

from fashseg.errors import UserError

HOST = "127.0.0.1"
FIRST = 7860
_TRIED = 100


def claim(port: int | None) -> socket.socket:
    """A socket that listens: who connects before the page is ready waits for it.

    Args:
        port: its number; None takes the first free one of a hundred from `FIRST`.

    Raises:
        UserError: it is taken, or not for this user.
    """
    if port is not None:
        return _listening(port)
    for number in range(FIRST, FIRST + _TRIED):
        try:
            return _listening(number)
        except UserError:
            continue
    raise UserError(f"ports {FIRST} to {FIRST + _TRIED - 1} are all taken.", "Name another one by port=NUMBER.")


def _listening(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # a port whose last connection has just been closed is free; elsewhere it means more
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen()
    except OSError as error:
        found.close()
        if error.errno == errno.EACCES:
            raise UserError(f"port={port}: this user may not listen there.", "Name one of 1024 or more.") from error
        taken = error.errno == errno.EADDRINUSE
        reason = "is taken by another program" if taken else f"can't be used: {error.strerror}"
        raise UserError(f"port={port} {reason}.", "Name another one; port=null takes the next that is free.") from error
    return found
