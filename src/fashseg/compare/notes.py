"""What one has to know before one believes a table, in sentences."""

from typing import Any

from fashseg.compare.crossed import crossed
from fashseg.compare.differing import key
from fashseg.compare.rows import Group
from fashseg.compare.runs import Run
from fashseg.text import listed

# Options that the validation images follow from.
VALIDATES = ("split", "split_seed", "val_share", "fold", "folds", "train_images", "draw_seed")


def notes(group: Group) -> list[str]:
    """About the images that were held out, the seeds and the versions behind the rows of a table."""
    return [*_about_images(group), *_about_seeds(group), *_about_versions(group)]


def _about_images(group: Group) -> list[str]:
    said = []
    splits = {str(run.results.get("split") or (run.options or {}).get("data.split", "unknown")) for run in group.runs}
    images = _validated_on(group)
    if len(splits) > 1:
        said.append(
            f"Validation images were held out in different ways (data.split: {listed(sorted(splits))}): validation "
            "scores, and the order of the rows, are not comparable between them."
        )
    elif any(own != images[0] for own in images):
        said.append(
            "The rows were not validated on the same images: their validation scores, and the order of the rows, "
            "are comparable only as far as that choice does not matter."
        )
    drawn = [row for row, own in zip(group.rows, images, strict=True) if len(own) > 1]
    if any(not crossed(row).folds for row in drawn):
        said.append("The validation images change with the seed: ± of validation holds that choice, too.")
    if len({_images(run, "test", group) for run in group.runs}) > 1:
        said.append("The runs were not tested on the same images: their test scores are not comparable.")
    return said


def _validated_on(group: Group) -> list[set[Any]]:
    """The sets of validation images of each row."""
    return [{_images(run, "val", group) for run in row.runs} for row in group.rows]


def same_validation_images(group: Group) -> bool:
    """Whether all rows were validated on the same images, so that their validation scores can be compared."""
    images = _validated_on(group)
    return all(own == images[0] for own in images)


def _images(run: Run, part: str, group: Group) -> Any:
    """What is equal for runs with the same images of a part: fingerprints, or the options behind them."""
    if all(isinstance(other.entry("fingerprints", part), str) for other in group.runs):
        return run.entry("fingerprints", part)
    names = VALIDATES if part == "val" else ("draw_seed",)
    options = run.options or {}
    return (*(key(options.get(f"data.{name}")) for name in names), key(run.entry("images", part)))


def _about_seeds(group: Group) -> list[str]:
    said = []
    if len(group.rows) > 1 and any(len(row.runs) == 1 for row in group.rows):
        said.append("Rows of one run have no ±: how far another seed would move them is not known.")
    if any(len(set(row.draws)) < len(row.draws) for row in group.rows):
        said.append("Some rows hold the same seed more than once: their ± is too small to speak of seeds.")
    said += _about_folds(group)
    if any(row.limited for row in group.rows):
        said.append("Runs on few batches only are marked: their scores are for trying out.")
    without = sorted(group.short_name(run) for run in group.runs if run.options is None)
    if without:
        said.append(f"Without a config.yaml that can be read, and so in a row of its own: {listed(without)}.")
    return said


def _about_folds(group: Group) -> list[str]:
    said = []
    for row in group.rows:
        found = crossed(row)
        name = group.row_label(row)
        where = f"{name}: " if name and len(group.rows) > 1 else ""
        if found.folds and found.missing:
            folds = listed([str(fold) for fold in found.missing])
            verb = "are not there" if len(found.missing) > 1 else "is not there"
            said.append(f"{where}of {found.of} folds, {folds} {verb}: its mean leaves out the images of these.")
        elif not found.whole:
            said.append(f"{where}not every seed has every fold: no interval over seeds, none over both.")
    return said


def _about_versions(group: Group) -> list[str]:
    for package in ("fashseg", "torch"):
        versions = {str(run.entry("versions", package)) for run in group.runs}
        if len(versions) > 1:
            return [f"The runs were made with different versions of {package}: {listed(sorted(versions))}."]
    return []
