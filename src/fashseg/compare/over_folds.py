"""Rows of several folds or seeds in words and tables: mean, deviation and interval over each, and pairs of rows."""

from collections.abc import Mapping

from fashseg.compare.crossed import Crossed, known, paired
from fashseg.compare.rows import Group
from fashseg.metrics.spread import Difference, Spread
from fashseg.text import counted, signed

PARTS = ("val", "test")
COLUMNS = ("runs", "over", "validation", "95% interval", "test", "95% interval")


def lines_of(group: Group, names: Mapping[int, str]) -> list[list[str]]:
    """The cells of a table with `COLUMNS`: what each row of several folds or seeds comes to.

    Args:
        group: of runs.
        names: what its rows are called, by their place.
    """
    lines = []
    for place, side in ((group.rows.index(side.row), side) for side in known(group.shown)):
        spreads = {part: side.spreads(part) for part in PARTS}
        for over in dict.fromkeys([*spreads["val"], *spreads["test"]]):
            lines.append([names[place], over, *(text for part in PARTS for text in _cells(spreads[part].get(over)))])
        if pooled := _pooled(group, side):
            lines.append([names[place], f"all images of {counted(len(side.folds), 'fold')}", pooled, "-", "-", "-"])
    return lines


def _cells(found: Spread | None) -> tuple[str, str]:
    if found is None:
        return "-", "-"
    return f"{found.mean:.4f} ± {found.deviation:.4f}", f"{found.low:.4f} to {found.high:.4f}"


def _pooled(group: Group, side: Crossed) -> str:
    found = side.pooled()
    if found is None:
        return ""
    if group.task == "classification":
        return f"{found.accuracy:.4f} of {counted(found.count, 'image')}"
    return f"pixel accuracy {found.accuracy:.4f}, mean IoU {found.iou:.4f}"


def about(group: Group) -> list[str]:
    """Which intervals these are and what they hold, as sentences."""
    sides = known(group.shown)
    folded = [side for side in sides if len(side.folds) > 1]
    seeded = [side for side in sides if len(side.seeds) > 1]
    said = []
    if folded:
        said.append(
            "Intervals over folds are 95% t intervals of the means of the folds. They are too narrow: the training "
            "sets of folds overlap, and no way is known to mend that for one setting (Bengio and Grandvalet, 2004)."
        )
    if seeded:
        where = " of the same folds" if folded else ""
        said.append(f"Intervals over seeds are 95% t intervals, as if seeds{where} were drawn at random.")
    if any(side in seeded and side.whole for side in folded):
        said.append(
            "Over folds × seeds both are chance (a table of two random factors): ± is over all runs, and the interval "
            "does not take runs that share a fold or a seed for independent ones."
        )
    if any(_pooled(group, side) for side in folded):
        what = "right images" if group.task == "classification" else "pixels"
        said.append(
            f"All images of the folds: {what} are counted over all folds together, each image by the one network that "
            "was not trained on it."
        )
    return said


def pairs_in_words(group: Group, names: Mapping[int, str]) -> list[str]:
    """How further rows differ from the first one over the same folds, and what test that is."""
    found = paired(group)
    if not found:
        return []
    lines = [f"Validation, {group.score_label}, less that of {names[0]} on the same folds:"]
    lines += [f"  {names[group.rows.index(row)]}: {difference_in_words(difference)}" for row, difference in found]
    return [*lines, *about_pairs(group, names)]


def about_pairs(group: Group, names: Mapping[int, str]) -> list[str]:
    """What test it is, where there is one."""
    found = [difference for _, difference in paired(group) if isinstance(difference, Difference)]
    if not found:
        return []
    lines = [
        "By the corrected resampled t test (Nadeau and Bengio, 2003), paired by fold: it allows for training sets that "
        "overlap."
    ]
    if len(found) > 1:
        lines.append(
            f"{names[0]} was chosen by these scores, and of {len(found)} such intervals one in "
            "twenty leaves out 0 by chance: what is close to 0 decides nothing."
        )
    return lines


def difference_in_words(found: Difference | str) -> str:
    """The difference with its interval, or why there is none."""
    if isinstance(found, str):
        return f"not compared, for {found}"
    verdict = "within noise" if found.low <= 0 <= found.high else "beyond noise"
    return (
        f"{signed(found.mean)} ({signed(found.low)} to {signed(found.high)}), p = {found.p:.2g} at "
        f"{counted(found.df, 'degree')} of freedom, {verdict}"
    )
