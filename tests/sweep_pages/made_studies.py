"""Searches that never were, with records as a sweeper writes them, made in milliseconds."""

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from compare.made_runs import make_run

START = datetime(2026, 11, 26, 8, tzinfo=UTC)
SPACE: dict[str, dict[str, Any]] = {
    "optimizer.lr": {"kind": "float", "low": 1e-4, "high": 1e-1, "log": True, "step": None},
    "optimizer": {"kind": "choice", "choices": ["adam", "sgd", "adamw"]},
    "model.features": {"kind": "int", "low": 8, "high": 64, "log": False, "step": 8},
    "batch_size": {"kind": "choice", "choices": ["32", "64", "128"]},
}


def made_study(
    trials: int = 40, *, epochs: int = 10, objectives: int = 1, seed: int = 0, **changes: Any
) -> dict[str, Any]:
    """The record of a search that has come to its end, with pruned and failed trials and a lost one.

    Args:
        trials: that count.
        epochs: of each.
        objectives: 1: the score; 2: the number of parameters, too, as small as possible.
        seed: of its luck.
        changes: entries that are otherwise.
    """
    random = np.random.default_rng(seed)
    made: list[dict[str, Any]] = []
    spent = 0.0
    finals: list[float] = []
    for number in range(trials + 1):
        params = {
            "optimizer.lr": f"{10 ** random.uniform(-4, -1):.10g}",
            "optimizer": str(random.choice(["adam", "sgd", "adamw"])),
            "model.features": str(8 * int(random.integers(1, 9))),
            "batch_size": str(random.choice(["32", "64", "128"])),
        }
        skill = (
            0.93 - 0.03 * (math.log10(float(params["optimizer.lr"])) + 2.6) ** 2 - 0.01 * (params["optimizer"] == "sgd")
        )
        skill = 0.1 if float(params["optimizer.lr"]) > 0.06 else max(0.1, skill + float(random.normal(0, 0.004)))
        scores = {str(e): skill - (skill - 0.1) * 0.5 * math.exp(-e / 2) for e in range(1, epochs + 1)}
        state = "finished"
        if number == 3:
            state = "lost"
        elif number % 17 == 5:
            state = "failed"
        elif len(finals) > 4 and skill < np.median(finals):
            state = "pruned"
            scores = dict(list(scores.items())[: int(random.integers(1, 1 + max(1, epochs // 3)))])
        scores = {} if state == "failed" else scores
        seconds = 12.0 * max(1, len(scores)) + float(random.random())
        values = [skill, 3000.0 * int(params["model.features"])][:objectives] if state == "finished" else None
        if values:
            finals.append(skill)
        made.append(
            {
                "number": number,
                "state": state,
                "params": params,
                "values": values,
                "intermediate": scores,
                "started": (START + timedelta(seconds=spent)).isoformat(),
                "ended": (START + timedelta(seconds=spent + seconds)).isoformat(),
                "seconds": seconds,
                "folder": str(number),
                "error": "RuntimeError: out of memory: DefaultCPUAllocator" if state == "failed" else None,
                "replaces": 3 if number == 4 else None,
            }
        )
        spent += seconds
    return {
        "format": 1,
        "study_name": "cnn-1a2b3c",
        "directions": ["maximize", "minimize"][:objectives],
        "objectives": ["score", "parameters"][:objectives],
        "sampler": "tpe",
        "pruner": "median",
        "n_trials": trials,
        "space": SPACE,
        "overrides": ["model=cnn", "data=synthetic_fashion", f"epochs={epochs}"],
        "command": "python -m fashseg.train -m hydra/sweeper=optuna 'optimizer.lr=tag(log,interval(1e-4,1e-1))'",
        "importance": {"optimizer.lr": 0.71, "optimizer": 0.15, "model.features": 0.09, "batch_size": 0.05},
        "trials": made,
        **changes,
    }


def write_study(folder: Path, content: dict[str, Any]) -> Path:
    """The folder of a search with its record alone."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def with_runs(folder: Path, content: dict[str, Any], evidence: bool = False) -> Path:
    """The folder of a search with the runs of its trials."""
    status = {
        "finished": "finished",
        "pruned": "pruned",
        "failed": "failed",
        "running": "running",
        "lost": "interrupted",
    }
    for trial in content["trials"]:
        params = trial["params"]
        results = {"status": status[trial["state"]], "data": "synthetic_fashion", "synthetic": True}
        if trial["values"] is None:
            results |= {"val": None, "test": None}  # type: ignore[dict-item]
        make_run(
            folder / trial["folder"],
            skill=min(1.0, max(0.0, (trial["values"] or [0.5])[0])),
            evidence=evidence and trial["values"] is not None,
            results=results,
            epochs=10,
            optimizer__lr=float(params["optimizer.lr"]),
            optimizer__name=params["optimizer"],
            model__features=int(params["model.features"]),
            batch_size=int(params["batch_size"]),
        )
    return write_study(folder, content)
