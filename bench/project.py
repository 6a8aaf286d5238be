"""A training of the project as a user starts it, with the clock of the other scripts around ``Trainer.fit``.

    python -m bench.project model=cnn epochs=2 page=false [any option of fashseg.train]

Counted is all that ``fit`` does: steps, validation, logging, checkpoints. What results.json counts, the steps alone, is
in the result as ``step_seconds`` and ``step_cpu_seconds``. Everything is written to a temporary folder.
"""

import functools
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from bench.clock import Laps, print_result
from bench.epoch_clock import EpochClock
from fashseg.callbacks.history import History


def clocked(fit: Callable[..., None], laps: Laps, images: list[int]) -> Callable[..., None]:
    """``Trainer.fit`` with a lap for each epoch; the numbers of images that were trained on are added to ``images``."""

    @functools.wraps(fit)
    def clocked_fit(trainer: Any, *args: Any, **options: Any) -> None:
        trainer.callbacks.append(EpochClock(laps))
        laps.start()
        fit(trainer, *args, **options)
        laps.lap()
        images.extend(c.images for c in trainer.callbacks if isinstance(c, History))

    return clocked_fit


def train(words: Sequence[str]) -> dict[str, Any]:
    """Train with these overrides; returns what is printed."""
    from fashseg.train import main

    laps, images, fit = Laps(), list[int](), pl.Trainer.fit
    pl.Trainer.fit = clocked(fit, laps, images)  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        status = main([*words, f"hydra.run.dir={folder}/run"])
        pl.Trainer.fit = fit  # type: ignore[method-assign]
        if status:
            sys.exit(status)
        results = json.loads((Path(folder) / "run" / "results.json").read_text(encoding="utf-8"))
    steps = {"step_seconds": results["train_seconds"], "step_cpu_seconds": results["train_cpu_seconds"]}
    scores = {name: results["test"][name] for name in ("accuracy", "average_precision") if name in results["test"]}
    return laps.report(sum(images) // len(laps.seconds)) | steps | {"precision": results["precision"], "test": scores}


def main() -> None:
    """Train and print."""
    print_result(**train(sys.argv[1:]))


if __name__ == "__main__":
    main()
