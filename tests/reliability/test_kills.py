"""Killed at any moment, a run goes on and ends as the one that was never stopped, bit for bit."""

import csv
import json
import random
import shutil
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
import victims

from amounts import SLOW, amount, record
from conftest import REAL_DATA

# The real data takes longest where it is scored; one kill of the sample is like another without it.
DRAWN = not (SLOW and REAL_DATA)
ALL = pytest.mark.skipif(not SLOW, reason="make test-slow")
FASHION = (
    *("model=cnn", "trainer.limit_batches=40", "trainer.steps_per_call=8", "eval_batch_size=500", "eval_train=1"),
    *(("data=synthetic_fashion", "data.train_images=3000", "data.test_images=500") if DRAWN else ()),
)
FACADE = (
    *("model=segnet", "trainer.limit_batches=6", "trainer.steps_per_call=2", "eval_batch_size=4", "eval_train=1"),
    *(("data=synthetic_facade", "data.train_images=32", "data.test_images=6") if DRAWN else ()),
)
COMMON = ("epochs=3", "augment=flip", "trainer.accelerator=cpu", "checkpoint.every_seconds=0.01", "hydra.run.dir=r")


def state(folder: Path) -> dict[str, Any]:
    """All that has to be the same: weights and their optimizer, the table without its times, scores."""
    checkpoints = {
        name: torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True) for name in ("best", "last")
    }
    with (folder / "metrics.csv").open(encoding="utf-8") as file:
        table = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return {
        "weights": {name: content["state_dict"] for name, content in checkpoints.items()},
        "optimizer": checkpoints["last"]["optimizer_states"],
        "table": table,
        "scores": {part: results[part] for part in ("val", "test", "status", "epochs_run", "fingerprints")},
    }


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def assert_nothing_is_half(folder: Path) -> None:
    """After a kill every file is complete or absent."""
    if (folder / "results.json").exists():
        json.loads((folder / "results.json").read_text(encoding="utf-8"))
    for path in (folder / "checkpoints").glob("*.ckpt"):
        torch.load(path, weights_only=True)


def is_over(folder: Path, page: bool) -> bool:
    """Whether nothing is left to go on with."""
    results = folder / "results.json"
    finished = results.exists() and json.loads(results.read_text(encoding="utf-8"))["status"] == "finished"
    return finished and (folder / "report.html").exists() is page


@pytest.mark.parametrize(
    ("words", "precision"),
    [
        pytest.param(FASHION, "32", id="cnn-32"),
        pytest.param(FACADE, "32", id="segnet-32", marks=ALL),
        pytest.param(FASHION, "bf16", id="cnn-bf16", marks=ALL),
        pytest.param(FACADE, "bf16", id="segnet-bf16"),
    ],
)
def test_killed_runs_go_on(words: tuple[str, ...], precision: str, tmp_path: Path, monkeypatch: Any) -> None:
    if REAL_DATA:
        monkeypatch.setenv("FASHSEG_DATA", REAL_DATA)
    wanted = amount(1, 25)
    pages = SLOW
    chance = random.Random(f"{words[0]} {precision}")
    options = (*words, *COMMON, f"trainer.precision={precision}")
    whole = tmp_path / "whole"
    whole.mkdir()
    status, calls = victims.run((*options, f"page={pages}"), whole)
    assert status == 0, (whole / "stream2.txt").read_text()
    expected = state(whole / "r")
    kills: Counter[str] = Counter()
    runs = lost = 0
    while kills.total() < wanted:
        place = tmp_path / f"run{runs}"
        place.mkdir()
        before = kills.total()
        page = pages and runs % 3 == 0  # which takes longer than all the rest
        command = (*options, f"page={page}", *(() if page else ("logger=none",)))
        for _ in range(100):
            moment = victims.random_moment(calls, chance) if kills.total() < wanted else None
            status, _ = victims.run(command, place, moment)
            if status == -signal.SIGKILL:
                assert moment
                kills[moment.phase] += 1
                assert_nothing_is_half(place / "r")
            if (place / "r" / "results.json").exists():
                command = ("resume=r",)
            if status == 0 or is_over(place / "r", page):  # perhaps it was killed behind its last line
                break
            assert status == -signal.SIGKILL, (place / "stream2.txt").read_text()
        runs += 1
        whole_again = same(state(place / "r"), expected) and is_over(place / "r", page)
        if not whole_again or list(place.rglob(".*.part")):  # what a killed process left has to go, too
            lost += kills.total() - before
        shutil.rmtree(place)
    record(
        f"kill -9 in training, {words[0].partition('=')[2]}, {'float32' if precision == '32' else 'bfloat16'}",
        tried=kills.total(),
        survived=kills.total() - lost,
        remarks=f"{runs} runs; " + ", ".join(f"{phase} {count}" for phase, count in sorted(kills.items())),
    )
    assert not lost, tmp_path
