"""Images with a class each: a folder a class, or a table."""

from pathlib import Path, PurePosixPath

from fashseg import config as cfg
from fashseg.data.folders.items import PART_OF, Item, check_class_count, files_below, folders_in, is_picture, root_of
from fashseg.data.folders.table import read_table
from fashseg.errors import UserError
from fashseg.text import listed


def find(options: cfg.ImageFolder) -> tuple[list[Item], tuple[str, ...]]:
    """All images, and the names of the classes by label value.

    Raises:
        UserError: there are none, or too few or too many classes, or they are not those of ``data.class_names``.
    """
    root = root_of(options)
    items = read_table(root, options, "label_column") if options.csv is not None else _in_folders(root)
    where = f"data.root={root}"
    if options.class_names:
        items = _as_named(items, options.class_names, where)
        names = list(options.class_names)
    else:
        names = sorted({item.target for item in items})
        if all(name.isdecimal() for name in names):
            names.sort(key=int)
    check_class_count(names, where)
    return items, tuple(names)


def _in_folders(root: Path) -> list[Item]:
    tops = folders_in(root)
    split = bool(tops) and "train" in {PART_OF.get(top) for top in tops} and all(top in PART_OF for top in tops)
    classes = [(f"{top}/{name}", PART_OF[top]) for top in tops for name in folders_in(root / top)] if split else []
    items = []
    for folder, part in classes if split else [(top, "") for top in tops]:
        pictures = [name for name in files_below(root, folder) if is_picture(name)]
        if not pictures and part in ("", "train"):
            raise UserError(
                f"{root / folder} holds no pictures, and is to be a class.", "Put pictures into it, or take it away."
            )
        items += [Item(name, folder.rpartition("/")[2], part) for name in pictures]
    if not items:
        loose = sum(is_picture(name) for name in files_below(root))
        what = f"{loose:,} pictures, but no folders of classes" if loose else "no pictures"
        raise UserError(
            f"data.root={root} holds {what}.",
            "Make a folder for each class and put its pictures there; or list them: data.csv=FILE with path and label.",
        )
    _refuse_masks(root, items)
    trained = {item.target for item in items if item.part in ("", "train")}
    if unknown := sorted({item.target for item in items} - trained):
        raise UserError(
            f"{root}: {listed(unknown[:5])} is no class of its folder train.", "Each class has to be there."
        )
    return items


def _refuse_masks(root: Path, items: list[Item]) -> None:
    """Refuse pictures beside their masks, which would be told apart as two classes."""
    stems: dict[str, set[str]] = {}
    for item in items:
        name = PurePosixPath(item.name)
        stems.setdefault(item.target.lower(), set()).add(name.stem)
    if stems.keys() == {"images", "masks"} and stems["images"] == stems["masks"]:
        raise UserError(
            f"data.root={root} holds images and their masks, which data=image_folder would take for two classes.",
            "Choose data=mask_folder for it, with a model that segments; or rename the folders, if they are classes.",
        )


def _as_named(items: list[Item], names: list[str], where: str) -> list[Item]:
    """Items whose targets are among the names; a number that is none of them is taken for a label value."""
    found = []
    for item in items:
        target = item.target
        if target not in names and target.isdecimal() and target.isascii() and len(target) < 9:
            if int(target) >= len(names):
                raise UserError(
                    f"{item.name} has the label {target}, but data.class_names has {len(names)} names, for 0 to "
                    f"{len(names) - 1}.",
                    "Mend the label, or name all classes.",
                )
            target = names[int(target)]
        if target not in names:
            raise UserError(
                f"{item.name} is of the class {target}, which is not in data.class_names ({listed(names[:8])}).",
                f"Name all classes of {where}, or leave data.class_names out.",
            )
        found.append(Item(item.name, target, item.part, item.group))
    return found
