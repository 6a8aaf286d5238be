"""How long commands take to start: ``python -m bench.start [PAIRS]``.

Each command runs in turn with the one that it is measured against, so that a machine that is busy is busy for both:

- help, ``--cfg job`` and configuration errors against the ``--help`` of an empty Hydra program;
- from the command to the first training step against ``python -c "import pytorch_lightning"``: against the whole of
  it, which is how one times it in a shell, and against the moment at which the import is through, without the second
  in which Python clears away what was loaded.

Times are of the whole process, from its start: wall time, and processor time of all its threads and of the processes
that it has waited for. The real data are read where ``$FASHSEG_DATA`` is set, else synthetic ones are drawn.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "src"
EMPTY_HYDRA = """\
import hydra

@hydra.main(config_path=None, version_base="1.3")
def main(_config):
    pass

main()
"""
IMPORT_LIGHTNING = "import pytorch_lightning"

# Prints wall and processor time since the start of the process, and ends it there. Linux tells the start in ticks, of
# which there are a hundred a second; processor time is exact.
_TELL = """\
import os, sys, time

def tell():
    with open("/proc/self/stat", encoding="ascii") as file:
        started = int(file.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    used = os.times()
    cpu = time.process_time() + used.children_user + used.children_system
    print("STARTED", time.clock_gettime(time.CLOCK_BOOTTIME) - started, cpu, flush=True)
    os._exit(0)
"""
IMPORTED = f"{_TELL}\nimport pytorch_lightning\ntell()\n"

# Runs a command up to its first training step. The step is caught where its class is defined, without a change to the
# package; whoever imports it sees a module like any other.
FIRST_STEP = f"""{_TELL}
import importlib.util, runpy

class Finder:
    def find_spec(self, name, path, target=None):
        if name != "fashseg.tasks.base":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            module.Task.training_step = lambda *_: tell()

        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Finder())
sys.argv[0] = "fashseg"
runpy.run_module("fashseg", run_name="__main__", alter_sys=True)
"""

Times = tuple[float, float]


def measure(pairs: int, seconds: float = 120.0) -> list[dict[str, Any]]:
    """Every command beside its yardstick.

    Args:
        pairs: how often each of them runs.
        seconds: the most that one run may take.

    Returns:
        A row for each command and clock: ``command``, ``against``, ``clock`` (``wall`` or ``cpu``), ``pairs``, the
        median ``seconds`` of both (``seconds``, ``seconds_against``), and ``min``, ``median`` and ``max`` of the ratios
        of the pairs.

    Raises:
        RuntimeError: a command did not come to where it is measured.
    """
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY_HYDRA, encoding="utf-8")
        rows = []
        for verb, words in SHORT_COMMANDS:
            own = [sys.executable, "-m", f"fashseg.{verb}", *words]
            yardstick = [sys.executable, str(empty), "--help"]
            rows += _rows(
                " ".join([verb, *words]),
                [_in_turn([own, yardstick], folder, seconds) for _ in range(pairs)],
                ["empty Hydra program"],
            )
        for model in ("cnn", "segnet"):
            own = [sys.executable, "-c", FIRST_STEP, "train", *first_step_words(model)]
            whole = [sys.executable, "-c", IMPORT_LIGHTNING]
            imported = [sys.executable, "-c", IMPORTED]
            rows += _rows(
                f"train model={model}, to the first step",
                [_in_turn([own, whole, imported], folder, seconds) for _ in range(pairs)],
                ["python -c 'import pytorch_lightning'", "its import alone"],
            )
    return rows


SHORT_COMMANDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((verb, ("--help",)) for verb in ("train", "evaluate", "report", "compare")),
    *((verb, ("--cfg", "job")) for verb in ("train", "evaluate", "report", "compare")),
    ("train", ("optimizer.lrr=1",)),
    ("train", ("model=nope",)),
    ("train", ("epochs=-1",)),
    ("evaluate", ("run=nope",)),
    ("report", ("run=nope",)),
    ("compare", ("nope",)),
)


def first_step_words(model: str) -> list[str]:
    """Options of a training that is stopped at its first step."""
    synthetic = {"cnn": "data=synthetic_fashion", "segnet": "data=synthetic_facade"}
    return [f"model={model}", *([] if os.environ.get("FASHSEG_DATA") else [synthetic[model]])]


def _in_turn(commands: Sequence[list[str]], folder: str, seconds: float) -> list[Times]:
    return [run_once(command, folder, seconds) for command in commands]


def run_once(command: list[str], folder: str | Path, seconds: float = 120.0) -> Times:
    """Wall and processor seconds of a command, or up to where it tells them itself.

    Raises:
        RuntimeError: it says neither help nor error, but fails.
    """
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=_environment(), capture_output=True, text=True, timeout=seconds, check=False
    )
    wall, after = time.perf_counter() - start, os.times()
    told = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("STARTED ")]
    if told:
        return float(told[0][0]), float(told[0][1])
    wants_mark = FIRST_STEP in command or IMPORTED in command
    if wants_mark or done.returncode not in (0, 2) or "Traceback" in done.stderr:
        raise RuntimeError(f"{' '.join(command[-3:])} ended with {done.returncode}: {done.stderr[-2000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu


def _environment() -> dict[str, str]:
    """This checkout comes first, wherever the package is installed."""
    paths = [str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _rows(command: str, runs: list[list[Times]], against: Sequence[str]) -> list[dict[str, Any]]:
    """From the times of each turn, the command's first, to rows."""
    rows = []
    for other, name in enumerate(against, start=1):
        for clock, label in enumerate(("wall", "cpu")):
            own = [turn[0][clock] for turn in runs]
            others = [turn[other][clock] for turn in runs]
            ratios = [mine / yours for mine, yours in zip(own, others, strict=True)]
            rows.append(
                {
                    "command": command,
                    "against": name,
                    "clock": label,
                    "pairs": len(runs),
                    "seconds": round(statistics.median(own), 3),
                    "seconds_against": round(statistics.median(others), 3),
                    "min": round(min(ratios), 3),
                    "median": round(statistics.median(ratios), 3),
                    "max": round(max(ratios), 3),
                }
            )
    return rows


def main() -> None:
    """Print all rows as a table."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    print(f"{'command':<40}{'against':<38}{'clock':<6}{'s':>7}{'s':>7}   ratio: median (min to max), {pairs} pairs")
    for row in measure(pairs):
        print(
            f"{row['command']:<40}{row['against']:<38}{row['clock']:<6}{row['seconds']:>7.2f}"
            f"{row['seconds_against']:>7.2f}   {row['median']:.2f} ({row['min']:.2f} to {row['max']:.2f})"
        )


if __name__ == "__main__":
    main()
