"""Pictures for TensorBoard while a model trains, and what is added when it is done."""

import contextlib
import copy
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from omegaconf import OmegaConf
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor, nn

from fashseg import config as cfg
from fashseg.data.arrays import ArrayDataset
from fashseg.data.module import ImageDataModule
from fashseg.figures.confusion import confusion_matrix
from fashseg.figures.filters import filters
from fashseg.figures.masks import Triptych, triptychs
from fashseg.figures.samples import Sample, sample_sheet
from fashseg.figures.style import pixels
from fashseg.metrics.precision_recall import at_thresholds
from fashseg.models.first_layer import first_filters
from fashseg.run import flat_options
from fashseg.summary import class_scores, main_score
from fashseg.tasks import Task

if TYPE_CHECKING:  # loaded by the logger, and not before it is opened
    from torch.utils.tensorboard import SummaryWriter

    from fashseg.report.facts import Arrays

log = logging.getLogger(__name__)

SHARE = 0.05  # of the training time, at most
FIRST_COST = 1.0  # seconds, a guess until the first picture was drawn
IMAGES = {"classification": 12, "segmentation": 3}
MOST_POINTS = 1000  # of the projector, which lays their thumbnails out in one picture
THUMBNAIL = 28
PRIVATE = ("data.root", "resume", "debug", "notes", "page")  # what a run is kept and told by, not what it computes
THRESHOLDS = 127  # what TensorBoard's own curves have


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
            log.exception("the pictures for TensorBoard could not be drawn")
        self.cost = time.perf_counter() - start
        self.spent += self.cost

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say what it cost."""
        trained = time.perf_counter() - self._start
        log.info("pictures for TensorBoard took %.1f s of %.1f s of training", self.spent, trained)

    def _draw(self, task: Task, step: int) -> None:
        writer = cast("SummaryWriter", cast(TensorBoardLogger, task.logger).experiment)
        part = self.data.part("val")
        count = min(IMAGES[task.info.task], len(part))
        with _evaluating(task):
            _log(writer, "val/samples", samples(task, part, range(count)), step)
        counts = np.array(task.scores["val"]["confusion_matrix"])
        unit = "images" if task.info.task == "classification" else "pixels"
        _log(writer, "val/confusion_matrix", confusion_matrix(counts, task.info.class_names, unit), step)
        if (weights := first_filters(task.model)) is not None:
            _log(writer, "filters", filters(None, weights), step)


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
            Triptych(image.numpy(), mask.numpy().astype(np.uint8), target.numpy().astype(np.uint8), f"image {i}")
            for i, image, mask, target in zip(indices, images, logits.argmax(1), truth, strict=True)
        ]
        return triptychs(items, names, task.info.palette)
    probability, predicted = logits.softmax(1).max(1)
    row = [
        Sample(image.numpy(), names[int(true)], names[int(said)], float(p))
        for image, true, said, p in zip(images, truth, predicted, probability, strict=True)
    ]
    return sample_sheet([("", row[i : i + 6]) for i in range(0, len(row), 6)])


def _log(writer: "SummaryWriter", tag: str, chart: Any, step: int) -> None:
    writer.add_image(tag, pixels(chart), step, dataformats="HWC")


def log_end(
    logger: TensorBoardLogger,
    run: cfg.Train,
    task: Task,
    data: ImageDataModule,
    test: "Arrays | None",
    results: dict[str, Any],
    step: int,
) -> None:
    """What a finished run adds: hyper-parameters with final scores, curves, test pictures, graph, projector.

    Args:
        logger: of the run.
        run: its options.
        task: with the best weights, on any device.
        data: read already.
        test: evidence of the test images; None leaves out the curves.
        results: results.json.
        step: where on the axis of the curves it stands.
    """
    _log_hyperparameters(logger, run, results, step)
    writer = cast("SummaryWriter", logger.experiment)
    task, part = task.eval(), data.part("test")
    parts: tuple[Callable[[], None], ...] = (
        lambda: _log_precision_recall(writer, task, test, step),
        lambda: _log_test_pictures(writer, task, part, results, step),
        lambda: _log_graph(writer, task),
        lambda: _log_projector(writer, task, part, step),
    )
    with torch.inference_mode():
        for add in parts:
            try:
                add()
            except Exception:
                log.exception("TensorBoard lacks a part of what it shows of a finished run")
    logger.finalize("success")


def options_to_log(run: cfg.Train) -> dict[str, Any]:
    """The options of a run that say what it computes."""
    options = flat_options(OmegaConf.to_container(OmegaConf.structured(run)))
    return {
        path: value for path, value in options.items() if path not in ("data.root", "resume", "debug", "notes", "page")
    }


def _log_hyperparameters(logger: TensorBoardLogger, run: cfg.Train, results: dict[str, Any], step: int) -> None:
    """What differs between runs, with the scores they reached."""
    scores = {f"final/{part}": main_score(results["task"], results[part]) for part in ("val", "test")}
    for name, value in class_scores(results["task"], results["test"]).items():
        if value == value:
            scores[f"final_test/{name}"] = value
    logger.log_hyperparams(options_to_log(run), scores, step)


def _log_precision_recall(writer: "SummaryWriter", task: Task, test: "Arrays | None", step: int) -> None:
    if test is None:
        return
    histogram = test["histogram"] if "histogram" in test else test["histograms"].sum(0, dtype=np.int64)
    for name, counts in zip(task.info.class_names, histogram, strict=True):
        if counts[1].any():
            true, false, not_false, not_true, precision, recall = at_thresholds(counts, THRESHOLDS)
            writer.add_pr_curve_raw(
                f"test/{name}", true, false, not_false, not_true, precision, recall, step, THRESHOLDS
            )


def _log_test_pictures(writer: "SummaryWriter", task: Task, part: ArrayDataset, results: Any, step: int) -> None:
    count = min(IMAGES[task.info.task], len(part))
    _log(writer, "test/samples", samples(task, part, range(count)), step)
    counts = np.array(results["test"]["confusion_matrix"])
    unit = "images" if task.info.task == "classification" else "pixels"
    _log(writer, "test/confusion_matrix", confusion_matrix(counts, task.info.class_names, unit), step)


_graphs: dict[str, Any] = {}


def _log_graph(writer: "SummaryWriter", task: Task) -> None:
    """What writer.add_graph does; but torch keeps all that it traces to the end, so a network is traced once a process.

    It would be a megabyte for each run of a sweep.
    """
    from torch.utils.tensorboard._pytorch_graph import graph

    network = repr((task.options["model"], task.info.shape))
    if network not in _graphs:
        with warnings.catch_warnings():
            # TensorBoard's writer knows no other way than the tracing that torch 2.15 has deprecated.
            warnings.simplefilter("ignore")
            model = copy.deepcopy(task.model).cpu()  # a compiled network can't be traced, its copy is not
            _graphs[network] = graph(model, torch.zeros(1, *task.info.shape))  # type: ignore[no-untyped-call]
    writer._get_file_writer().add_graph(_graphs[network])  # type: ignore[no-untyped-call]


def _log_projector(writer: "SummaryWriter", task: Task, part: ArrayDataset, step: int) -> None:
    """What the last layer sees of each test image, by its class, of masks the most frequent one."""
    indices = list(range(min(MOST_POINTS, len(part))))
    features, thumbnails, labels = [], [], []
    for first in range(0, len(indices), 50):
        images, truth = part.batch(indices[first : first + 50])
        features.append(_seen_by_last_layer(task, images.to(task.device)))
        thumbnails.append(nn.functional.interpolate(images.float() / 255, (THUMBNAIL, THUMBNAIL), mode="area"))
        labels.append(truth.flatten(1).mode(1).values if truth.ndim > 1 else truth)
    names = [task.info.class_names[int(label)] for label in torch.cat(labels)]
    pictures = torch.cat(thumbnails).expand(-1, 3, -1, -1)
    writer.add_embedding(torch.cat(features), names, pictures, step, tag="test")


def _seen_by_last_layer(task: Task, images: Tensor) -> Tensor:
    """Input of the last layer with weights, averaged over pixels: (N, D)."""
    last = [module for module in task.model.modules() if isinstance(module, nn.Linear | nn.Conv2d)][-1]
    seen: list[Tensor] = []
    handle = last.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    # A network that computes faster with its last layers as one still has them one by one.
    forward = getattr(task.model, "layer_by_layer", task.model.forward)
    try:
        forward((images.to(task.mean.dtype) - task.mean) / task.std)
    finally:
        handle.remove()
    features = seen[0].float().cpu()
    return features.mean((2, 3)) if features.ndim == 4 else features
