"""The pictures below a folder, each with what the folder says about it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fashseg import config as cfg
from fashseg.data.pictures import SUFFIXES
from fashseg.data.reading import dead_link
from fashseg.errors import UserError
from fashseg.files import in_full

MOST_CLASSES = 254
"""Labels are kept in a byte, and one of its values is for pixels that count for nothing."""

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")

# What the folders of a data set that is split already are called.
PART_OF = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


@dataclass(frozen=True)
class Item:
    """One image.

    Attributes:
        name: its path below the root, with slashes.
        target: name of its class, or path of its mask below the root.
        part: ``train``, ``val`` or ``test`` as the folder says; empty where it says nothing.
        group: what it shows; None where nobody says.
    """

    name: str
    target: str
    part: str = ""
    group: str | None = None


def root_of(options: cfg.OwnData) -> Path:
    """The folder of the pictures.

    Raises:
        UserError: it is not named, or there is no such folder.
    """
    if not options.root:
        raise UserError(
            f"data.root is missing: data={options.name} reads pictures of your own.",
            "Name their folder, such as data.root=my_pictures.",
        )
    root = in_full("data.root", options.root).absolute()
    try:
        if root.is_dir():
            return root
        why = "is no folder" if root.exists() else f"does not exist{dead_link(root)}"
    except (OSError, ValueError) as error:
        why = f"can't be read ({error})"
    raise UserError(f"data.root={root} {why}.", "Name the folder of your pictures.")


def files_below(root: Path, folder: str = "") -> list[str]:
    """The files that can be seen below a folder of the root, as paths below the root, sorted.

    Links are followed, each folder once; what is hidden (``.name``, ``__MACOSX``) is left out.

    Raises:
        UserError: a folder can't be read.
    """
    return sorted(_walk(root, PurePosixPath(folder), set()))


def _walk(root: Path, folder: PurePosixPath, seen: set[tuple[int, int]]) -> Iterator[str]:
    place = root / folder
    try:
        status = place.stat()
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(place) as entries:
            found = [(entry.name, entry.is_dir()) for entry in entries]
    except OSError as error:
        raise UserError(
            f"{place} can't be read: {error.strerror}.", "Mend its permissions, or move it away."
        ) from error
    for name, is_folder in found:
        if name.startswith(".") or name == "__MACOSX":
            continue
        if is_folder:
            yield from _walk(root, folder / name, seen)
        else:
            yield str(folder / name)


def is_picture(name: str) -> bool:
    """Whether a file's name is that of a picture."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def folders_in(root: Path) -> list[str]:
    """The folders that can be seen in a folder, sorted."""
    try:
        return sorted(
            p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith(".") and p.name != "__MACOSX"
        )
    except OSError as error:
        raise UserError(f"{root} can't be read: {error.strerror}.", "Mend its permissions.") from error


def check_class_count(names: list[str], where: str) -> None:
    """Refuse what can't be told apart, or is too much for a label.

    Raises:
        UserError: there are fewer than two classes, too many, or names that no class can have.
    """
    if len(names) < 2:
        raise UserError(
            f"{where} has {f'one class alone, {names[0]}' if names else 'no classes'}; at least two are needed.",
            "Add pictures of another class, to tell this one from.",
        )
    if len(names) > MOST_CLASSES:
        raise UserError(
            f"{where} has {len(names)} classes; at most {MOST_CLASSES} are possible.", "Put some of them together."
        )
    for name in names:
        if not name.strip() or len(name) > 200:
            raise UserError(f"{where}: {name!r:.60} is no name of a class.", "Names have 1 to 200 characters.")
        if name in ("mean", "all"):
            raise UserError(f"{where}: no class can be called {name}, which tables of scores use.", "Rename it.")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"{where}: two classes are called {twice}.", "Give each its own name.")
