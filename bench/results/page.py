"""Puts the tables into docs/results.md, each between its markers; the text around them is written by hand."""

import re
from pathlib import Path

from bench.results import presets
from bench.results.ablations import ablations
from bench.results.kept import ABLATIONS, FOLDER, read_ablations, read_presets
from fashseg.errors import UserError

PAGE = FOLDER.parent / "results.md"
END = "<!-- end -->"
_TABLE = re.compile(r"<!-- table: (?P<name>[^\n]*?) -->\n(?P<old>.*?)<!-- (?P<end>end|table: [^\n]*?) -->", re.DOTALL)


def with_tables(text: str, folder: Path = FOLDER) -> str:
    """The page with every table as the files in ``folder`` give it now.

    Raises:
        UserError: a marker names no table, or has no end; or a file is damaged.
    """
    found = read_presets(folder)

    def replaced(match: re.Match[str]) -> str:
        name = match["name"]
        if match["end"] != "end":
            raise UserError(f"<!-- table: {name} --> has no {END} before the next table.", "Write one behind it.")
        made = _table(name, found, folder)
        return f"<!-- table: {name} -->\n\n{made}\n\n{END}" if made else f"<!-- table: {name} -->\n{END}"

    made = _TABLE.sub(replaced, text)
    if made.count("<!-- table: ") != made.count(END):
        raise UserError(f"not every table has both <!-- table: NAME --> and {END}.", "Mend the page.")
    return made


def without_table(text: str, folder: Path = FOLDER) -> list[str]:
    """Presets with variants in ``folder`` that no table of the page shows."""
    shown = {match["name"] for match in _TABLE.finditer(text)}
    kept = sorted(path.name for path in (folder / ABLATIONS).glob("*") if any(path.glob("*.json")))
    return [preset for preset in kept if f"ablations {preset}" not in shown]


def _table(name: str, found: presets.Presets, folder: Path) -> str:
    kind, _, preset = name.partition(" ")
    whole = {
        "summary": presets.summary,
        "picture": presets.picture,
        "costs": presets.costs,
        "flips": presets.flips,
        "caveats": presets.caveats,
    }
    if kind in whole and not preset:
        return whole[kind](found)
    if kind == "classes" and preset:
        return presets.classes(preset, found)
    if kind == "ablations" and preset:
        return ablations(preset, read_ablations(preset, folder), found.get(preset, ()))
    raise UserError(
        f"<!-- table: {name} --> names no table.", f"There are {', '.join(whole)}, classes PRESET and ablations PRESET."
    )
