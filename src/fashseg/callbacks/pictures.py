"""Pictures for TensorBoard and the trackers while a model trains."""

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np
import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import TensorBoardLogger

from fashseg.data.arrays import ArrayDataset
from fashseg.data.module import ImageDataModule
from fashseg.figures.confusion import confusion_matrix
from fashseg.figures.filters import filters
from fashseg.figures.masks import Triptych, triptychs
from fashseg.figures.samples import Sample, sample_sheet
from fashseg.figures.style import pixels
from fashseg.models.first_layer import first_filters
from fashseg.tasks import Task
from fashseg.trackers.tracker import Tracker

log = logging.getLogger(__name__)

SHARE = 0.05  # of the training time, at most
FIRST_COST = 1.0  # seconds, a guess until the first picture was drawn
IMAGES = {"classification": 12, "segmentation": 3}


class Pictures(Callback):
    """Validation samples, the confusion matrix and the first layer's filters every few epochs.

    They are left out where they would take more than a twentieth of the time trained so far.

    Args:
        every: so many epochs.
        data: where the images come from; always the same ones.
    """

    def __init__(self, every: int, data: ImageDataModule) -> None:
        self.every, self.data = every, data
        self.cost = FIRST_COST
        self.spent = 0.0
        self._start = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._start, self.spent = time.perf_counter(), 0.0

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw where it is time and there is time."""
        if not trainer.is_global_zero or (trainer.current_epoch + 1) % self.every:
            return
        start = time.perf_counter()
        if self.spent + self.cost > SHARE * (start - self._start):
            return
        try:
            self._draw(cast(Task, pl_module), trainer.global_step)
        except Exception:
            log.exception("the pictures could not be drawn")
        self.cost = time.perf_counter() - start
        self.spent += self.cost

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say what it cost."""
        trained = time.perf_counter() - self._start
        log.info("pictures took %.1f s of %.1f s of training", self.spent, trained)

    def _draw(self, task: Task, step: int) -> None:
        part = self.data.part("val")
        count = min(IMAGES[task.info.task], len(part))
        with task.average.in_place() if task.average else contextlib.nullcontext():
            with _evaluating(task):
                show(task.loggers, "val/samples", samples(task, part, range(count)), step)
            if (weights := first_filters(task.model)) is not None:
                show(task.loggers, "filters", filters(None, weights), step)
        show_confusion(task.loggers, "val", task, task.scores["val"], step)


@contextlib.contextmanager
def _evaluating(task: Task) -> Iterator[None]:
    """As if nothing were trained; afterwards every layer is in the mode that it was in."""
    modes = {module: module.training for module in task.modules()}
    try:
        with torch.inference_mode():
            task.eval()
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def samples(task: Task, part: ArrayDataset, indices: range) -> Any:
    """A chart of images with what the task makes of them."""
    images, truth = part.batch(list(indices))
    logits = task(images.to(task.device)).float().cpu()
    names = task.info.class_names
    if task.info.task == "segmentation":
        items = [
            Triptych(
                image.numpy(),
                mask.numpy().astype(np.uint8),
                target.numpy().astype(np.uint8),
                f"image {i}",
                None if task.info.ignore is None else (target == task.info.ignore).numpy(),
            )
            for i, image, mask, target in zip(indices, images, logits.argmax(1), truth, strict=True)
        ]
        return triptychs(items, names, task.info.palette)
    probability, predicted = logits.softmax(1).max(1)
    row = [
        Sample(image.numpy(), names[int(true)], names[int(said)], float(p))
        for image, true, said, p in zip(images, truth, predicted, probability, strict=True)
    ]
    return sample_sheet([("", row[i : i + 6]) for i in range(0, len(row), 6)])


def show_test_pictures(
    loggers: Iterable[Any], task: Task, part: ArrayDataset, results: dict[str, Any], step: int
) -> None:
    """The same of the test images, once a run is finished: ``task`` has its best weights, ``results`` the scores."""
    try:
        count = min(IMAGES[task.info.task], len(part))
        with _evaluating(task):
            show(loggers, "test/samples", samples(task, part, range(count)), step)
        show_confusion(loggers, "test", task, results["test"], step)
    except Exception:
        log.exception("the pictures of the test could not be drawn")


def show_confusion(loggers: Iterable[Any], name: str, task: Task, scores: dict[str, Any], step: int) -> None:
    """The confusion matrix of a part."""
    counts = np.array(scores["confusion_matrix"])
    unit = "images" if task.info.task == "classification" else "pixels"
    show(loggers, f"{name}/confusion_matrix", confusion_matrix(counts, task.info.class_names, unit), step)


def show(loggers: Iterable[Any], tag: str, chart: Any, step: int) -> None:
    """Show a chart as a picture."""
    drawn = pixels(chart)
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.experiment.add_image(tag, drawn, step, dataformats="HWC")
        elif isinstance(logger, Tracker):
            logger.picture(tag, drawn, step)
