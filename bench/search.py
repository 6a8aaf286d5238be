"""TPE with pruning against random search over the options of ``sweep=cnn``, by seeds of the sampler.

    python -m bench.search [--seeds 3] [--trials 40] [--folder outputs/search] [word ...]

Words are overrides for all searches, such as epochs=5. A search that is finished is read and not run again, one that
was stopped goes on. Budgets are compared in epochs of training: what random search has reached after as many as TPE
with pruning has taken in all, and each at its end.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev
from typing import Any

KINDS = {"tpe": ("tpe", "median"), "random": ("random", "none")}


def run(kind: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """One search to its end; returns its study.json."""
    folder = Path(arguments.folder) / f"{kind}_{seed}"
    sampler, pruner = KINDS[kind]
    options = {"sampler": sampler, "pruner": pruner, "seed": seed, "study_name": folder.name}
    words = [f"hydra.sweeper.{key}={value}" for key, value in {**options, "n_trials": arguments.trials}.items()]
    command = ["-m", "fashseg.train", "-m", "sweep=cnn", f"hydra.sweep.dir={folder}", *words, *arguments.words]
    subprocess.run([sys.executable, *command], check=True)
    content: dict[str, Any] = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    return content


def curve(study: dict[str, Any]) -> list[tuple[int, float, float]]:
    """Behind each trial that counts: epochs and seconds so far, best score so far."""
    epochs, seconds, best, rows = 0, 0.0, 0.0, []
    for trial in study["trials"]:
        if trial["state"] in ("finished", "pruned", "failed"):
            epochs += len(trial["intermediate"])
            seconds += trial["seconds"] or 0
            best = max([best, *(trial["values"] or [])])
            rows.append((epochs, seconds, best))
    return rows


def within(rows: list[tuple[int, float, float]], epochs: int) -> float:
    """The best score of the trials that end within a budget."""
    return max((best for spent, _, best in rows if spent <= epochs), default=0.0)


def main() -> None:
    """Run what is missing, and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--folder", default="outputs/search")
    parser.add_argument("words", nargs="*")
    arguments = parser.parse_args()
    rows = []
    for seed in range(arguments.seeds):
        curves = {kind: curve(run(kind, seed, arguments)) for kind in KINDS}
        budget = curves["tpe"][-1][0]
        rows.append((curves["tpe"][-1], curves["random"][-1], within(curves["random"], budget)))
    for seed, (tpe, random, same) in enumerate(rows):
        print(f"seed {seed}: tpe {tpe[0]} epochs {tpe[1]:.0f} s {tpe[2]:.4f}; ", end="")
        print(f"random {random[0]} epochs {random[1]:.0f} s {random[2]:.4f}, with the epochs of tpe {same:.4f}")
    for name, values in (
        ("tpe with pruning", [row[0][2] for row in rows]),
        ("random, same epochs", [row[2] for row in rows]),
        ("random, all its epochs", [row[1][2] for row in rows]),
        ("epochs that pruning saved, share", [1 - row[0][0] / row[1][0] for row in rows]),
        ("seconds that pruning saved, share", [1 - row[0][1] / row[1][1] for row in rows]),
    ):
        print(f"{name}: {mean(values):.4f}" + (f" ± {stdev(values):.4f}" if len(values) > 1 else ""))


if __name__ == "__main__":
    main()
