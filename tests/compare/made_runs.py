"""Run folders with random but valid content, made in milliseconds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from omegaconf import OmegaConf

from fashseg.metrics import bootstrap

NAMES = ("coat", "shirt", "bag")
IMAGES = 120
FINGERPRINT = "c0ffee"


def options(seed: int = 0, **changes: Any) -> dict[str, Any]:
    """A configuration; changes are by dotted path with __ for the dot."""
    values = OmegaConf.create(
        {
            "epochs": 3,
            "seed": seed,
            "notes": "",
            "debug": False,
            "data": {"name": "fashion_mnist", "root": f"/data/{seed}", "split_seed": seed, "val_share": 0.1},
            "optimizer": {"name": "adam", "lr": 0.001, "beta1": 0.9},
            "model": {"name": "cnn", "features": 32},
            "trainer": {"precision": "auto", "limit_batches": None},
            "callbacks": {"progress": "auto"},
        }
    )
    for path, value in changes.items():
        OmegaConf.update(values, path.replace("__", "."), value)
    content = OmegaConf.to_container(values)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}


def classifier(skill: float, seed: int) -> dict[str, npt.NDArray[Any]]:
    """Evidence of a classifier that is right on a share of the same images."""
    targets = np.random.default_rng(99).integers(0, len(NAMES), IMAGES)
    random = np.random.default_rng(seed)
    predictions = np.where(random.random(IMAGES) < skill, targets, (targets + 1) % len(NAMES))
    probabilities = np.full((IMAGES, len(NAMES)), 0.1, np.float16)
    probabilities[np.arange(IMAGES), predictions] = 0.8
    cells = len(NAMES) * targets.astype(np.int64) + predictions
    confusion = np.bincount(cells, minlength=len(NAMES) ** 2).reshape(len(NAMES), -1)
    return {
        "probabilities": probabilities,
        "predicted": predictions.astype(np.uint8),
        "targets": targets.astype(np.uint8),
        "confusion": confusion,
    }


def segmenter(skill: float, seed: int, images: int = 20, bins: int = 64) -> dict[str, npt.NDArray[Any]]:
    """Evidence of a segmenter whose positives lie a little higher than its negatives; the last class is absent."""
    random = np.random.default_rng(seed)
    histograms = np.zeros((images, len(NAMES), 2, bins), np.int32)
    for image in histograms:
        for label in range(len(NAMES) - 1):
            for side, (count, middle) in enumerate(((300, 25), (100, 25 + 20 * skill))):
                place = np.clip(random.normal(middle, 8, count).round().astype(int), 1, bins - 1)
                image[label, side] = np.bincount(place, minlength=bins)
        image[-1, 0] = image[0].sum(0)
    return {"histograms": histograms}


def make_run(
    folder: Path,
    *,
    seed: int = 0,
    skill: float = 0.8,
    task: str = "classification",
    evidence: bool = True,
    fingerprint: str = FINGERPRINT,
    results: dict[str, Any] | None = None,
    **changes: Any,
) -> Path:
    """A finished run.

    Args:
        folder: where.
        seed: of the run, and of its luck.
        skill: share of the images that are right.
        task: or segmentation.
        evidence: whether test.npz is there.
        fingerprint: of the test images.
        results: entries of results.json that are otherwise; None leaves an entry out.
        changes: of the configuration, see `options`.
    """
    classifies = task == "classification"
    arrays = classifier(skill, seed) if classifies else segmenter(skill, seed)
    val, test = (_scores(arrays, task, shift) for shift in (0.01 * (seed % 5), 0))
    content: dict[str, Any] = {
        "status": "finished",
        "task": task,
        "model": "cnn" if classifies else "segnet",
        "data": "fashion_mnist" if classifies else "facade",
        "seed": seed,
        "overrides": [f"seed={seed}"],
        "synthetic": False,
        "limited": False,
        "split": "random",
        "parameters": 113386,
        "precision": "32",
        "versions": {"fashseg": "0.1.0", "torch": "2.15.0"},
        "epochs_run": 3,
        "train_seconds": 100.0 + seed,
        "fingerprints": {"train": "a", "val": f"val of {seed}", "test": fingerprint},
        "val": val,
        "test": test,
        **(results or {}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    content = {key: value for key, value in content.items() if value is not None}
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    OmegaConf.save(OmegaConf.create(options(seed, **changes)), folder / "config.yaml")
    score = "accuracy" if classifies else "average_precision"
    lines = [f"{epoch},{1 / epoch},,{0.5 / epoch},{0.3 * epoch}" for epoch in (1, 2, 3)]
    header = f"epoch,train_loss_running,train_loss,val_loss,val_{score}"
    (folder / "metrics.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    if evidence:
        (folder / "evidence").mkdir(exist_ok=True)
        np.savez(folder / "evidence" / "test.npz", fingerprint=np.array(fingerprint), **arrays)
    return folder


def _scores(arrays: dict[str, npt.NDArray[Any]], task: str, shift: float) -> dict[str, Any]:
    if task == "classification":
        targets = arrays["targets"].astype(int)
        found = bootstrap.accuracy(targets, arrays["predicted"], len(NAMES), resamples=1)
    else:
        found = bootstrap.average_precision(arrays["histograms"], resamples=1)
    values = [None if np.isnan(value) else float(value) + shift for value in found.estimate]
    by_class = dict(zip(NAMES, values[:-1], strict=True))
    if task == "classification":
        return {"accuracy": values[-1], "accuracy_per_class": by_class}
    return {"average_precision": {**by_class, "mean": values[-1]}}
