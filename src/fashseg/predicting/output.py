"""The folder of results: files that are complete or absent, and never one that was there before. Imports no torch."""

import csv
import io
import json
import math
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fashseg.errors import UserError
from fashseg.files import in_full, write_atomically
from fashseg.text import all_printable, on_one_line

FOLDER = Path("predictions")
_LONGEST_STEM = 100  # characters of a name that are kept
_ON_ONE_LINE, _INDENTED = (json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=indent) for indent in (None, 1))
_WAY_OUT = "Choose another folder by output=DIR."


class Output:
    """The folder, made when the first file is written.

    Args:
        path: a folder that does not exist or is empty; None takes a new one, ``predictions/<date_time>``.

    Raises:
        UserError: it can't be used.
    """

    def __init__(self, path: str | None) -> None:
        self._named = path is not None
        self.path = in_full("output", path) if path is not None else FOLDER / time.strftime("%Y-%m-%d_%H-%M-%S")
        self._names: set[str] = set()
        self._made = False
        if self._named:
            _require_unused(self.path)
        _require_writable(self.path)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write one file; text as UTF-8.

        Raises:
            UserError: it can't be written.
        """
        try:
            self.make()
            write_atomically(self.path / name, content)
        except OSError as error:
            raise UserError(f"{self.path / name} can't be written: {error.strerror}.", _WAY_OUT) from error
        return self.path / name

    def make(self) -> None:
        """Make the folder, once; before several threads write.

        Raises:
            UserError: it can't be made.
        """
        if self._made:
            return
        wanted = self.path
        for number in range(2, 1000):
            try:
                self.path.mkdir(parents=True, exist_ok=self._named)
            except FileExistsError:
                self.path = wanted.with_name(f"{wanted.name}_{number}")
                continue
            except OSError as error:
                raise UserError(f"{self.path} can't be made: {error.strerror}.", _WAY_OUT) from error
            self._made = True
            return
        raise UserError(f"{wanted} and many more like it are taken.", _WAY_OUT)

    def name_for(self, picture: Path) -> str:
        """A name like the picture's, without its suffix, that no other picture has, on any system."""
        stem = on_one_line(picture.stem)[:_LONGEST_STEM].replace("\\", "_") or "picture"
        name, number = stem, 1
        while name.casefold() in self._names:
            number += 1
            name = f"{stem}_{number}"
        self._names.add(name.casefold())
        return name

    def write_table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
        """Write rows with a value for each column as CSV; texts in them are printable."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
        return self.write(name, text.getvalue())

    def write_json(self, name: str, head: dict[str, Any], pictures: Iterable[dict[str, Any]]) -> Path:
        """Write ``head`` with ``pictures`` as its last entry, a line for each; numbers that are not finite as null."""
        text = _json(all_printable(head), _INDENTED).removesuffix("\n}")
        lines = ",\n".join(f"  {_json(picture)}" for picture in pictures)
        return self.write(name, f'{text},\n "pictures": [\n{lines}\n ]\n}}\n')


def _json(value: dict[str, Any], encoder: json.JSONEncoder = _ON_ONE_LINE) -> str:
    try:
        return encoder.encode(value)
    except ValueError:
        return encoder.encode(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [_finite(inside) for inside in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _require_unused(path: Path) -> None:
    try:
        if path.is_dir() and not any(path.iterdir()):
            return
        if path.is_dir():
            raise UserError(f"output={path} is not empty, and nothing in it is overwritten.", "Name a new folder.")
        if path.exists() or path.is_symlink():
            raise UserError(f"output={path} is a file.", "Name a new folder.")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"output={path} can't be used: {reason}.", _WAY_OUT) from error


def _require_writable(path: Path) -> None:
    for place in (path, *path.absolute().parents):
        if place.is_dir():
            if not os.access(place, os.W_OK | os.X_OK):
                raise UserError(f"output={path}: {place} can't be written to.", _WAY_OUT)
            return
        if place.exists():
            raise UserError(f"output={path}: {place} is a file.", _WAY_OUT)
