"""A table of images in place of folders: a CSV file of paths, classes or masks, and perhaps parts and groups."""

import csv
import io
import os
from pathlib import Path, PurePosixPath

from fashseg import config as cfg
from fashseg.data.folders.items import PART_OF, Item
from fashseg.data.reading import read_at_most
from fashseg.errors import UserError
from fashseg.nearest import did_you_mean

_MOST_BYTES = 2**28


def read_table(root: Path, options: cfg.OwnData, target_column: str) -> list[Item]:
    """The images of ``data.csv``, in its order.

    Args:
        root: paths are below it.
        options: name the file and its columns.
        target_column: option that names the column of classes or masks.

    Raises:
        UserError: the file is missing, damaged or empty, lacks a column, or names a path outside or twice.
    """
    path = below(root, "data.csv", options.csv or "")
    rows, columns = _rows(path)
    wanted = {"path_column": options.path_column, target_column: getattr(options, target_column)}
    for option, column in wanted.items():
        if column not in columns:
            raise UserError(
                f"{path} has no column {column} (data.{option}); it has {', '.join(columns) or 'none'}.",
                did_you_mean(column, columns, f"Name it: data.{option}=COLUMN."),
            )
    for option, default in (("split_column", "split"), ("group_column", "group")):
        column = getattr(options, option)
        if column not in columns and column != default:
            raise UserError(
                f"{path} has no column {column} (data.{option}); it has {', '.join(columns)}.",
                did_you_mean(column, columns, f"Name another, or leave data.{option} out."),
            )
    items = [_item(root, path, number, row, options, wanted[target_column]) for number, row in rows]
    if not items:
        raise UserError(f"{path} lists no images.", "It needs a line for each image, below the names of the columns.")
    names = [item.name for item in items]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{path} lists {twice} more than once.", "Keep one line for each image.")
    files = [*names, *(item.target for item in items if isinstance(options, cfg.MaskFolder))]
    if absent := [name for name in files if not os.access(root / name, os.F_OK)]:
        more = f" and {len(absent) - 1:,} more of its files are not there" if absent[1:] else ""
        way_out = "Write / between folders." if "\\" in absent[0] else "Mend the paths."
        raise UserError(f"{path} lists {absent[0]}, but {root / absent[0]} does not exist{more}.", way_out)
    return items


def below(root: Path, option: str, value: str) -> Path:
    """The file that an option names: a path below the root, or in full.

    Raises:
        UserError: there is no such file.
    """
    try:
        path = root / Path(value).expanduser()
        if path.is_file():
            return path
        here = Path(value).absolute()
        hint = f" There is {here}: write that in full." if here.is_file() else ""
    except (OSError, ValueError, RuntimeError):
        path, hint = Path(value), ""
    raise UserError(f"{option}={value}: {path} is no file.", f"Paths are below data.root, or in full.{hint}")


def text_of(path: Path, limit: int) -> str:
    """The text of a file of the user's.

    Raises:
        UserError: it can't be read, or is no text in UTF-8.
    """
    try:
        return read_at_most(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text in UTF-8 ({error.reason}).", "Save it as UTF-8.") from error
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}.", "Name another file.") from error


def _rows(path: Path) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    """Lines by number, and the columns."""
    text = text_of(path, _MOST_BYTES)
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restval="", restkey="")
        rows = [
            (reader.line_num, {(k or "").strip(): v for k, v in row.items() if isinstance(v, str)}) for row in reader
        ]
    except csv.Error as error:
        raise UserError(f"{path} can't be read as a table: {error}.", "Save it as CSV, with commas.") from error
    return rows, [(name or "").strip() for name in reader.fieldnames or []]


def _item(root: Path, path: Path, number: int, row: dict[str, str], options: cfg.OwnData, target: str) -> Item:
    where = f"line {number} of {path}"
    part = row.get(options.split_column, "").strip().lower()
    if part and part not in PART_OF:
        raise UserError(
            f"{where}: {options.split_column} is {part}; it must be train, val, test or empty.",
            "Mend it, or name another column by data.split_column.",
        )
    name = _inside(root, row[options.path_column].strip(), where)
    value = row[target].strip()
    if not value:
        raise UserError(f"{where}: {target} is empty.", "Fill it in, or take the line out.")
    if isinstance(options, cfg.MaskFolder):
        value = _inside(root, value, where)
    return Item(name, value, PART_OF.get(part, ""), row.get(options.group_column, "").strip() or None)


def _inside(root: Path, text: str, where: str) -> str:
    """A path as one below the root, as it is written: links are the user's affair."""
    full = os.path.normpath(root / text) if text else str(root)
    if not full.startswith(f"{os.path.normpath(root)}{os.sep}"):
        raise UserError(
            f"{where}: {text or 'an empty path'} is not below data.root={root}.", "Paths are below data.root."
        )
    return str(PurePosixPath(Path(full).relative_to(os.path.normpath(root)).as_posix()))
