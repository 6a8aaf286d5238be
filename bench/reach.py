"""Time to 90% test accuracy, from the command to the end."""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from bench.children import Child
from bench.ratios import paired, take_turns
from bench.setting import Setting
from bench.tables import table

TARGET = 0.9


def compare_reach(setting: Setting) -> str:
    """The speed run against the plain script, which stops after the epoch that reaches the target.

    Each round has its seed, the same on both sides.
    """
    found = take_turns(
        {
            "project": _by_seed(lambda seed: _project(setting, seed)),
            "plain_fashion": _by_seed(lambda seed: _plain(setting, seed)),
        },
        setting.rounds,
    )
    rows: list[Sequence[object]] = [_row(name, children) for name, children in found.items()]
    ratios = (
        paired(*([getattr(child, key) for child in found[name]] for name in ("project", "plain_fashion")))
        for key in ("cpu_seconds", "seconds")
    )
    rows.append(("project : plain_fashion, wanted ≤ 0.167", *ratios, "", ""))
    return table((f"from the command to {TARGET:.0%}", "processor", "wall", "epochs", "test accuracy"), rows)


def _by_seed(measure: Callable[[int], Child]) -> Callable[[], Child]:
    """Another seed at each call."""
    seeds = iter(range(1000))
    return lambda: measure(next(seeds))


def _plain(setting: Setting, seed: int) -> Child:
    words = (setting.plain_root, "--epochs", 30, "--until", TARGET, "--seed", seed)
    child = setting.child("bench.plain_fashion", *words)()
    # It looks at the test images after each epoch to know when to stop: only the last look counts.
    seconds, cpu_seconds = (sum(child.result[key][:-1]) for key in ("test_seconds", "test_cpu_seconds"))
    return replace(child, seconds=child.seconds - seconds, cpu_seconds=child.cpu_seconds - cpu_seconds)


def _project(setting: Setting, seed: int) -> Child:
    with tempfile.TemporaryDirectory() as folder:
        options = (f"experiment={setting.speedrun}", f"data.root={setting.root}", f"seed={seed}")
        child = setting.child("fashseg.train", *options, f"hydra.run.dir={folder}/run")()
        results: dict[str, Any] = json.loads((Path(folder) / "run" / "results.json").read_text(encoding="utf-8"))
    told = {"test_accuracy": results["test"]["accuracy"], "epoch_seconds": [0.0] * results["epochs_run"]}
    return replace(child, result=told)


def _row(name: str, children: Sequence[Child]) -> tuple[str, ...]:
    times = (median(getattr(child, key) for child in children) for key in ("cpu_seconds", "seconds"))
    epochs = " ".join(str(len(child.result["epoch_seconds"])) for child in children)
    accuracy = " ".join(f"{child.result['test_accuracy']:.4f}" for child in children)
    return name, *(f"{seconds:.1f} s" for seconds in times), epochs, accuracy
