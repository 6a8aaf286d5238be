"""A finished run of facade_small that nobody has trained, for what reads run folders."""

from pathlib import Path
from typing import Any

from fashseg.composing import compose
from fashseg.run import RunFolder

CLASSES = ("others", "facade", "pillar", "window", "balcony")
FINGERPRINTS = {part: f"{part} images" for part in ("train", "val", "test")}
CLEAN = {"commit": "1" * 40, "dirty": False}


def scores(main: float) -> dict[str, Any]:
    """Of a segmenter whose classes lie around its mean."""
    by_class = {name: main + 0.01 * (i - 2) for i, name in enumerate(CLASSES)} | {"mean": main}
    return {
        "loss": 0.5,
        "average_precision": by_class,
        "average_precision_softmax": by_class,
        "iou": by_class,
        "pixel_accuracy": 0.75,
        "confusion_matrix": [[1] * 5] * 5,
    }


def make_run(folder: Path, *words: str, val: float = 0.7, test: float = 0.69, seed: int = 0, **more: Any) -> Path:
    """A finished run of facade_small that nobody has trained."""
    folder.mkdir(parents=True)
    run = RunFolder(folder)
    run.write_config(compose("train", ["experiment=facade_small", f"seed={seed}", "data.root=/home/me/data", *words]))
    run.write_results(
        status="finished",
        task="segmentation",
        model="unet",
        seed=seed,
        overrides=["experiment=facade_small", "data.root=/home/me/data"],
        notes="in /home/me/notes",
        parameters=1_000_000,
        multiply_adds=2_540_000_000,
        epochs_run=110,
        train_seconds=232.4,
        precision="bf16",
        threads=2,
        machine={"processor": "AMD EPYC", "gpus": ["NVIDIA H200"]},
        **{"versions": {"torch": "2.15.0"}, "git": CLEAN, "fingerprints": FINGERPRINTS, **more},
        val=scores(val),
        test=scores(test),
    )
    return folder
