"""Numbers as a reader wants them."""

import math
import re
from collections.abc import Sequence
from typing import Any

# Control characters but for the tab and the new line, marks that turn the direction of writing, and halves of surrogate
# pairs: they would move the cursor of a terminal, make text read other than it is, or not be written at all.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Text from a file or a name as it may be shown: what is hidden in it is written out, such as ``\\x1b``."""
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def on_one_line(text: str) -> str:
    """The same, with tabs and new lines written out, too: a name or a path in a row of a table."""
    return printable(text).replace("\t", "\\t").replace("\n", "\\n")


def all_printable(value: Any) -> Any:
    """The same for every text, keys too, in nested dictionaries and lists."""
    if isinstance(value, dict):
        return {all_printable(key): all_printable(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [all_printable(inside) for inside in value]
    return printable(value) if isinstance(value, str) else value


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 1 as percent; ``absent`` where there is none."""
    return "absent" if share is None or math.isnan(share) else f"{100 * share:.{digits}f}%"


def duration(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def bytes_in_words(count: float) -> str:
    """Bytes in decimal units: 1.1 GB."""
    units = ("bytes", "kB", "MB", "GB", "TB")
    power = min(max(int(math.log10(max(abs(count), 1)) // 3), 0), len(units) - 1)
    return f"{count / 1000**power:.{0 if power < 2 else 1}f} {units[power]}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def first_of(words: Sequence[str], most: int) -> str:
    """``a, b and 3 more``: the first so many, and how many there are besides."""
    more = f" and {len(words) - most:,} more" if words[most:] else ""
    return ", ".join(words[:most]) + more


def counted(count: int, noun: str) -> str:
    """``1 epoch``, ``2 epochs``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shown_option(value: Any) -> str:
    """An option's value as one would write it on the command line."""
    if value is None:
        return "null"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def signed(value: float, digits: int = 4) -> str:
    """A difference with its sign, a true minus as wide as the plus; a hyphen where there is none."""
    return "-" if math.isnan(value) else f"{value:+.{digits}f}".replace("-", "−")
