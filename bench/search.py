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
    figures: dict[str, list[float]] = {}
    for seed in range(arguments.seeds):
        tpe, random = (curve(run(kind, seed, arguments)) for kind in KINDS)
        (epochs, seconds, best), (all_epochs, all_seconds, all_best) = tpe[-1], random[-1]
        row = {
            "tpe with pruning, best score": best,
            "random with as many epochs, best score": within(random, epochs),
            "random with all its epochs, best score": all_best,
            "epochs of tpe": epochs,
            "epochs of random": all_epochs,
            "share of epochs that was saved": 1 - epochs / all_epochs,
            "share of time that was saved": 1 - seconds / all_seconds,
        }
        for name, value in row.items():
            figures.setdefault(name, []).append(value)
    for name, values in figures.items():
        spread = f" ± {stdev(values):.4g}" if len(values) > 1 else ""
        print(f"{name}: {mean(values):.4g}{spread} ({', '.join(f'{value:.4g}' for value in values)})")


if __name__ == "__main__":
    main()
