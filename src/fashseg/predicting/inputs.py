"""Which pictures are meant: files, folders, patterns, or a list on standard input.

Imports no torch, and Pillow only when they are looked for.
"""

import glob
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fashseg.data.reading import dead_link
from fashseg.errors import UserError
from fashseg.files import in_full
from fashseg.text import counted

STDIN = "-"
RESULTS = "predictions.json"
"""The file by which a folder of results is known: pictures in it are no pictures of the user's."""

_LONGEST_LINE = 2**16


@dataclass
class Inputs:
    """Pictures to look at.

    Attributes:
        paths: of files, each once.
        ignored: how many files of folders and patterns are no pictures by their suffix.
    """

    paths: list[Path] = field(default_factory=list)
    ignored: int = 0

    def _add(self, paths: Iterable[Path], *, named: bool) -> None:
        from fashseg.data.pictures import SUFFIXES

        for path in paths:
            if named or path.suffix.lower() in SUFFIXES:
                self.paths.append(path)
            else:
                self.ignored += 1


def check_words(words: Sequence[str]) -> None:
    """Refuse what can be seen to be wrong before anything is read; standard input is left alone.

    Raises:
        UserError: there is no word, or a file or folder that is named does not exist.
    """
    if not words or "" in words:  # an empty word would be the folder that one is in
        raise UserError(
            "input= is missing.", "Name a picture, a folder or a pattern such as 'photos/*.jpg'; - reads paths."
        )
    for word in words:
        if re.match(r"https?://", word, re.IGNORECASE):
            raise UserError(f"input={word} is an address on the network.", "Download the picture, and name its file.")
        if word != STDIN and not _is_there(in_full("input", word)) and not _is_pattern(word):
            raise UserError(
                f"input={word}: there is no such file or folder{dead_link(in_full('input', word))}.",
                "Name a picture, a folder or a pattern such as 'photos/*.jpg'.",
            )


def find_pictures(words: Sequence[str], leave_out: Path | None = None) -> Inputs:
    """All pictures that are meant.

    Args:
        words: a file, which is taken whatever its suffix; a folder, of which all pictures are taken, those of folders
            in it too, hidden ones and those of earlier results not; a pattern of files and folders, ``**`` for any
            folders; ``-`` for lines of standard input, each one of these.
        leave_out: folder that is not searched, for it holds results.

    Raises:
        UserError: there are none.
    """
    from fashseg.data.pictures import SUFFIXES

    check_words(words)
    found = Inputs()
    for word in words:
        for place in _lines() if word == STDIN else [word]:
            _add_place(found, place, leave_out)
    found.paths = list(dict.fromkeys(found.paths))
    if not found.paths and not found.ignored and STDIN in words:
        raise UserError("input=-: standard input names no picture.", "Write a path a line into it, such as ls *.jpg |.")
    if not found.paths:
        ignored = f", but {counted(found.ignored, 'file')} with other suffixes" if found.ignored else ""
        raise UserError(
            f"input={' '.join(words)}: there is no picture{ignored}.",
            f"Pictures of a folder end in {', '.join(sorted(SUFFIXES))}; a file named by itself may end in any.",
        )
    return found


def _add_place(found: Inputs, word: str, leave_out: Path | None) -> None:
    path = in_full("input", word)
    if not _is_there(path) and _is_pattern(word):
        for match in sorted(glob.glob(str(path), recursive=True)):  # noqa: PTH207 Path.glob takes no absolute pattern
            if Path(match).is_dir():
                found._add([] if "**" in word else _below(Path(match), leave_out), named=False)
            else:
                found._add([Path(match)], named=False)
    elif path.is_dir():
        found._add(_below(path, leave_out), named=False)
    else:
        found._add([path], named=True)


def _below(folder: Path, leave_out: Path | None) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        ours = place != str(folder) and RESULTS in names
        if ours or (leave_out is not None and Path(place).absolute() == leave_out.absolute()):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def _lines() -> Iterator[str]:
    """Lines of standard input; one that is no path that there is becomes a picture that can't be read."""
    for line in iter(lambda: sys.stdin.buffer.readline(_LONGEST_LINE), b""):
        if text := os.fsdecode(line).strip("\r\n"):
            yield text


def _is_pattern(word: str) -> bool:
    return any(mark in word for mark in "*?[") and "\0" not in word  # which glob does not bear


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # longer than a name can be, or with a character that none can have
        return False
