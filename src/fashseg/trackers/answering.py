"""Whether somebody listens at an address, known within seconds. Imports no torch."""

import socket
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

SECONDS = 10  # for an answer
_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}


def require_answer(address: str) -> None:
    """See that somebody listens: left alone, libraries try for minutes.

    What goes through a proxy is not looked at, nor is what names no host.

    Raises:
        OSError: nobody does; host and port are named.
        ValueError: it is no address.
    """
    parts = urlsplit(address)
    port = parts.port or _PORTS.get(parts.scheme.partition("+")[0])
    if not parts.hostname or not port:
        return
    if parts.scheme in getproxies() and not proxy_bypass(parts.hostname):
        return
    try:
        socket.create_connection((parts.hostname, port), timeout=SECONDS).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConnectionError(f"{parts.hostname} does not answer on port {port}: {reason}") from error
