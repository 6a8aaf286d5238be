"""Images with a mask each: in two folders, matched by name, or in a table."""

from pathlib import Path, PurePosixPath

from fashseg import config as cfg
from fashseg.data.folders.items import PART_OF, Item, files_below, folders_in, is_picture, root_of
from fashseg.data.folders.table import read_table
from fashseg.errors import UserError
from fashseg.text import counted


def find(options: cfg.MaskFolder) -> list[Item]:
    """All images with their masks.

    Raises:
        UserError: there are none, or an image lacks its mask or a mask its image.
    """
    root = root_of(options)
    if options.csv is not None:
        return read_table(root, options, "mask_column")
    tops = [top for top in folders_in(root) if top in PART_OF and (root / top / options.images).is_dir()]
    if tops and not (root / options.images).is_dir():
        places = [(f"{top}/{options.images}", f"{top}/{options.masks}", PART_OF[top]) for top in tops]
    else:
        places = [(options.images, options.masks, "")]
    items = []
    for images, masks, part in places:
        _check_folder(root, "images", images)
        _check_folder(root, "masks", masks)
        items += _pairs(root, images, masks, part, options)
    if not items:
        raise UserError(f"{root / options.images} holds no pictures.", "Put images there, and their masks beside it.")
    return _only_whole_splits(items)


def _check_folder(root: Path, option: str, name: str) -> None:
    try:
        if (root / name).is_dir():
            return
    except (OSError, ValueError):
        pass
    there = ", ".join(folders_in(root)[:8])
    raise UserError(
        f"data.{option}={name}: {root / name} is no folder.",
        f"Name another by data.{option}=; data.root holds {there or 'no folders'}.",
    )


def _pairs(root: Path, images: str, masks: str, part: str, options: cfg.MaskFolder) -> list[Item]:
    suffix = options.mask_suffix
    found = {
        kind: [name for name in files_below(root, folder) if is_picture(name)]
        for kind, folder in (("image", images), ("mask", masks))
    }
    if PurePosixPath(images) == PurePosixPath(masks):
        if not suffix:
            raise UserError(
                f"data.images and data.masks are both {images}, and data.mask_suffix is empty.",
                "Say what tells a mask from its image, such as data.mask_suffix=_mask.",
            )
        found["image"] = [name for name in found["image"] if not PurePosixPath(name).stem.endswith(suffix)]
    image_of = _by_stem(found["image"], images, "")
    mask_of = _by_stem([name for name in found["mask"] if PurePosixPath(name).stem.endswith(suffix)], masks, suffix)
    _refuse_alone(root, sorted(image_of.keys() - mask_of.keys()), image_of, "image", "mask", masks, suffix)
    _refuse_alone(root, sorted(mask_of.keys() - image_of.keys()), mask_of, "mask", "image", images, "")
    items = []
    for stem, name in image_of.items():
        top = stem.partition("/")[0] if "/" in stem else ""
        items.append(Item(name, mask_of[stem], part or PART_OF.get(top, "")))
    return items


def _only_whole_splits(items: list[Item]) -> list[Item]:
    """Folders train, val and test count as parts where all images are in such folders."""
    if all(item.part for item in items) and any(item.part == "train" for item in items):
        return items
    return [Item(item.name, item.target) for item in items]


def _by_stem(names: list[str], folder: str, suffix: str) -> dict[str, str]:
    """Paths by what image and mask have in common: the path below their folder without suffixes."""
    found: dict[str, str] = {}
    for name in names:
        stem = str(PurePosixPath(name).relative_to(PurePosixPath(folder)).with_suffix(""))
        stem = stem[: len(stem) - len(suffix)]
        if stem in found:
            raise UserError(
                f"{found[stem]} and {name} have one name, so that nobody knows which is meant.", "Keep one."
            )
        found[stem] = name
    return found


def _refuse_alone(
    root: Path, stems: list[str], name_of: dict[str, str], what: str, other: str, place: str, suffix: str
) -> None:
    if stems:
        more = f" ({counted(len(stems) - 1, what)} more)" if stems[1:] else ""
        raise UserError(
            f"{root / name_of[stems[0]]} has no {other}{more}.",
            f"Its {other} is to be {root / place}/{stems[0]}{suffix} with the suffix of a picture; add it, or take the "
            f"{what} away.",
        )
