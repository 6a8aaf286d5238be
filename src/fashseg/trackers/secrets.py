"""Keys and passwords, which are written nowhere: neither on the screen nor in run.log. Imports no torch."""

import logging
import os
import re

_IN_ADDRESS = re.compile(r"(\w[\w+.-]*://)[^/\s@'\"]*@")
_VARIABLE = re.compile("KEY|TOKEN|PASSWORD|SECRET")
_SHORTEST = 6  # characters of a secret; shorter ones would be found in any text


def redacted(text: str) -> str:
    """Text without user and password of addresses, and without what the variables hold that are named for secrets."""
    text = _IN_ADDRESS.sub(r"\1***@", text)
    for name, value in os.environ.items():
        if _VARIABLE.search(name) and len(value) >= _SHORTEST:
            text = text.replace(value, "***")
    return text


def has_password(address: str) -> bool:
    """Whether an address names a user or a password."""
    return bool(_IN_ADDRESS.match(address))


class _Redacting(logging.Filter):
    """Changes what is logged, tracebacks too."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
        return True


def redact_logs() -> None:
    """From now on nothing secret is in what this process logs."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(known, _Redacting) for known in handler.filters):
            handler.addFilter(_Redacting())
