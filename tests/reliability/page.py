"""Writes docs/reliability.md from the figures that tests have noted: ``page.py FIGURES PAGE``."""

import json
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from fashseg.provenance import machine, versions

INTRODUCTION = """# Reliability: what was tried, and what came of it

`make test-slow` has written this page; `make test` tries a sample of each line. *Survived* means that it ended as it
has to: a killed run goes on to the same weights, table and scores, bit for bit; a damaged file is named, or read right;
a random command line is a plan or an error of two lines. What did not is *lost*.
"""


def page(rows: Iterable[dict[str, Any]]) -> str:
    """Markdown."""
    here, names = machine(), versions()
    where = f"{here['cores']} cores of {here['processor']}, {here['memory_bytes'] / 2**30:.0f} GiB"
    packages = ", ".join(f"{name} {version}" for name, version in names.items() if name != "fashseg")
    lines = [
        INTRODUCTION,
        f"{date.today().isoformat()}, {where}; {packages}.",
        "",
        "| what | tried | survived | lost | |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for row in sorted(rows, key=lambda row: row["what"]):
        lost = row["tried"] - row["survived"]
        lines.append(f"| {row['what']} | {row['tried']:,} | {row['survived']:,} | {lost:,} | {row['remarks']} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    figures, target = map(Path, sys.argv[1:])
    noted = [json.loads(line) for line in figures.read_text(encoding="utf-8").splitlines()]
    target.write_text(page(noted), encoding="utf-8")
