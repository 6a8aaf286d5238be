"""What a finished run adds to TensorBoard: scores by hyper-parameters, curves, the graph, the projector."""

import copy
import logging
import warnings
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor, nn

from fashseg import config as cfg
from fashseg.data.arrays import ArrayDataset
from fashseg.data.module import ImageDataModule
from fashseg.data_place import PLACES
from fashseg.metrics.precision_recall import at_thresholds
from fashseg.run import flat_options
from fashseg.summary import class_scores, main_score
from fashseg.tasks import Task

if TYPE_CHECKING:  # loaded by the logger, and not before it is opened
    from torch.utils.tensorboard import SummaryWriter

    from fashseg.report.reading import Arrays

log = logging.getLogger(__name__)

MOST_POINTS = 1000  # of the projector, which lays their thumbnails out in one picture
THUMBNAIL = 28
THRESHOLDS = 127  # what TensorBoard's own curves have
PRIVATE = (
    *PLACES,
    "plugins",
    "resume",
    "debug",
    "notes",
    "page",
)  # what a run is kept and told by, not what it computes


def log_end(
    logger: TensorBoardLogger,
    run: cfg.Train,
    task: Task,
    data: ImageDataModule,
    test: "Arrays | None",
    results: dict[str, Any],
    step: int,
) -> None:
    """What a finished run adds: hyper-parameters with final scores, curves, graph, projector.

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
    options = flat_options(asdict(run))
    return {path: value for path, value in options.items() if path not in PRIVATE}


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
            model = copy.deepcopy(task.model).cpu().float()  # a compiled network can't be traced, its copy is not
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
    names = [_name_of(task, int(label)) for label in torch.cat(labels)]
    pictures = torch.cat(thumbnails).expand(-1, 3, -1, -1)
    writer.add_embedding(torch.cat(features), names, pictures, step, tag="test")


def _name_of(task: Task, label: int) -> str:
    return "not counted" if label == task.info.ignore else task.info.class_names[label]


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
