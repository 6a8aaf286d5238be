"""All measurements in one go: ``make bench``, or ``python -m bench [--quick]``.

Prints the tables as they are found; the full form also puts them into README.md, between its two markers.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import metrics, start
from bench.children import run_command, run_module
from bench.floor import floor_table
from bench.growth import compare_growth
from bench.labelling import compare_prediction
from bench.reach import compare_reach
from bench.roots import find_root, yardstick_root
from bench.setting import Setting
from bench.side_by_side import compare_training, measured_rates, training_sizes
from bench.tables import megabytes, table

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- begin of the tables -->", "<!-- end of the tables -->"

Rates = dict[str, tuple[float, float]]
Section = tuple[str, Callable[[], str]]


def sections(setting: Setting) -> Iterator[Section]:
    """Titles, and what measures for each; a quick look has neither reach nor metrics nor start."""
    rates: Rates = {}

    def train(number: int) -> str:
        training = training_sizes(setting.quick)[number]
        text, found = compare_training(training, setting)
        rates[training.model] = measured_rates(found["project"])
        return text

    yield "Training: cnn", lambda: train(0)
    yield "Training: segnet", lambda: train(1)
    yield "Distance from the floor", lambda: floor_table(run_module("bench.peaks").result, rates)
    yield "Prediction", lambda: compare_prediction(setting)
    yield "Growth", lambda: "\n\n".join(compare_growth(setting.quick, setting.threads))
    if not setting.quick:
        yield "Time to 90%", lambda: compare_reach(setting)
        yield "Metrics", lambda: metrics.tables(metrics.measure(threads=setting.threads, rounds=setting.rounds))
        yield "Start", lambda: start_table(start.measure(setting.rounds))


def start_table(rows: Sequence[dict[str, Any]]) -> str:
    """Both clocks of a command in one line."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        ratio = f"{row['median']:.2f} ({row['min']:.2f} to {row['max']:.2f})"
        line = lines.setdefault((row["command"], row["against"]), {})
        line[row["clock"]] = ratio
        line[f"{row['clock']} seconds"] = f"{row['seconds']:.2f} : {row['seconds_against']:.2f}"
    names = ("cpu", "wall", "cpu seconds", "wall seconds")
    header = ("command", "against", "by processor time", "by wall time", "processor seconds", "wall seconds")
    return table(header, [(*which, *(line[name] for name in names)) for which, line in lines.items()])


def provenance(setting: Setting, seconds: float) -> str:
    """Date, machine, versions, and how it was measured."""
    code = (
        "import json; from fashseg import provenance as p; "
        "print(json.dumps({'all': [p.machine(), p.versions(), p.git_state()]}))"
    )
    machine, versions, git = run_command([sys.executable, "-c", code]).result["all"]
    gpus = ", ".join(machine["gpus"]) or "no GPU"
    commit = f"commit {git['commit'][:12]}{' with changes' if git['dirty'] else ''}" if git else "no commit"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {machine['cores']} cores of {machine['processor']}, "
        f"{megabytes(machine['memory_bytes'] or 0)}, {machine['system']}, {gpus}; "
        f"{', '.join(f'{name} {version}' for name, version in versions.items())}; {commit}. {setting.rounds} rounds, "
        f"{setting.threads} thread{'s' * (setting.threads > 1)} a process, {seconds / 60:.0f} minutes."
    )


def into(text: str, tables: str) -> str:
    """The text with these tables between its markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the text lacks {BEGIN} or {END}")
    return f"{before}{begin}\n\n{tables.strip()}\n\n{end}{after}"


def main(words: Sequence[str] | None = None) -> int:
    """Measure everything; 1 where something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in some minutes; README.md stays as it is")
    parser.add_argument("--root", type=Path, help="data root; default $FASHSEG_DATA, else ./data")
    parser.add_argument("--rounds", type=int, help="how often each side is measured; default 3, quick 1")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--speedrun", default="speedrun", help="experiment preset that reaches 90%%")
    options = parser.parse_args(words)
    began, failed, texts = time.monotonic(), False, []
    with ExitStack() as stack:
        root = find_root(options.root)
        rounds = options.rounds or (1 if options.quick else 3)
        plain_root = stack.enter_context(yardstick_root(root))
        setting = Setting(root, plain_root, rounds, options.threads, options.quick, options.speedrun)
        for title, measure in sections(setting):
            try:
                text = measure()
            except RuntimeError as error:  # the other tables are worth having
                failed, text = True, f"Not measured: {error}"
            texts.append(f"### {title}\n\n{text}")
            print(texts[-1], end="\n\n", flush=True)
    texts.insert(0, provenance(setting, time.monotonic() - began))
    print(texts[0])
    if not options.quick and not failed:
        README.write_text(into(README.read_text(encoding="utf-8"), "\n\n".join(texts)), encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
