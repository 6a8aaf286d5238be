"""What a page is drawn from, kept in the run folder so that the page can be made again without model or data.

``RUN/evidence/`` holds NumPy files, which are read without pickle, and JSON:

- ``start.npz``: ``filters``, those of the first layer before training; ``end.npz``: with the best weights;
- ``network.json``: the layers, see `fashseg.report.network`;
- ``data.json``: what the data set tells about itself, ``class_counts`` and ``fingerprints`` by part;
- ``val.npz``, ``test.npz``: what the best weights said about each image, see `evidence_of_images` and
  `evidence_of_pixels`, with the ``fingerprint`` of the images and the checksum of the ``weights``. Unfinished runs
  have no ``test.npz``: test images are for the end.
"""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fashseg.data.arrays import ArrayDataset
from fashseg.data.module import ImageDataModule
from fashseg.files import checksum, write_atomically
from fashseg.metrics.average_precision import average_precision_from_histogram, bins_for, score_histogram
from fashseg.metrics.calibration import BINS as CALIBRATION_BINS
from fashseg.metrics.calibration import expected_calibration_error, reliability_counts
from fashseg.metrics.confusion import confusion_counts, per_class_accuracy
from fashseg.models.first_layer import first_filters
from fashseg.report.choosing import choose_extremes, choose_samples, union
from fashseg.report.network import layers
from fashseg.run import RunFolder, is_first_process
from fashseg.tasks import Task

Arrays = dict[str, npt.NDArray[Any]]

# Enough to draw a curve and to resample images; the scores themselves are counted in far finer ones.
BINS = 1024
_MOST_COARSE = 2**26  # counts in int32 of all images and classes


def keep_start(folder: RunFolder, task: Task) -> None:
    """Keep what training will change."""
    _keep_filters(folder.evidence / "start.npz", task.model)


def collect(
    folder: RunFolder,
    task: Task,
    data: ImageDataModule,
    parts: Sequence[str],
    device: torch.device,
    limit_batches: int | None = None,
) -> dict[str, Arrays]:
    """Run the task over the parts and keep all that the page needs; about the time of scoring them once.

    Args:
        folder: where it is kept.
        task: with the weights to show.
        data: read already.
        parts: of ``val`` and ``test``.
        device: where to compute.
        limit_batches: look at so many batches of each part, as the scores do; None looks at all.

    Returns:
        What is kept of each part; nothing but on the first process.
    """
    if not is_first_process():
        return {}
    data.trainer = None  # the first process looks at all images
    task = task.to(device).eval()
    _keep_filters(folder.evidence / "end.npz", task.model)
    _write_json(folder.evidence / "network.json", layers(task))
    names = ("train", "val", "test")
    facts: dict[str, Any] = {
        "info": data.info.to_dict(),
        "class_counts": {
            name: data.part(name).class_counts(len(data.info.class_names), data.info.ignore) for name in names
        },
        "fingerprints": data.fingerprints(),
    }
    _write_json(folder.evidence / "data.json", facts)
    gather = evidence_of_images if data.info.task == "classification" else evidence_of_pixels
    weights = np.array(checksum(folder.checkpoint("best")))
    kept = {}
    for part in parts:
        images = data.part(part).first(limit_batches * data.eval_batch_size if limit_batches else None)
        with torch.inference_mode():
            kept[part] = gather(task, images, data.eval_batch_size)
        whose = {"fingerprint": np.array(facts["fingerprints"][part]), "weights": weights}
        save_arrays(folder.evidence / f"{part}.npz", **whose, **kept[part])
    return kept


def evidence_of_images(task: Task, part: ArrayDataset, batch_size: int) -> Arrays:
    """What a classifier says of each image.

    Returns:
        ``probabilities`` float16 (N, C); ``predicted`` and ``targets`` uint8 (N,); ``confusion`` int64 (C, C), rows are
        the truth; ``class_scores`` (C,), the accuracy; ``histogram`` int64 (C, 2, B), the counts of negatives and
        positives of each class by ascending probability, and ``average_precision`` (C,) of that ranking;
        ``calibration`` (3, 15), see `reliability_counts`, and its ``calibration_error`` (); ``shown`` int64 (S,), the
        indices of the images that are kept, and ``images`` uint8 (S, C, H, W).
    """
    classes = len(task.info.class_names)
    fine = torch.zeros(classes, 2, bins_for(classes), dtype=torch.int64)
    coarse = torch.zeros(classes, 2, BINS, dtype=torch.int64)
    probabilities, targets = [], []
    for batch in _indices(part, batch_size):
        images, truth = part.batch(batch)
        logits = task(images.to(task.device)).float().cpu()
        for histogram in (fine, coarse):
            score_histogram(logits, truth, classes, histogram.shape[2], "softmax", out=histogram)
        probabilities.append(logits.softmax(1))
        targets.append(truth)
    said, truth = torch.cat(probabilities), torch.cat(targets)
    confidence, predicted = said.max(1)
    calibration = reliability_counts(confidence, predicted == truth)
    confusion = confusion_counts(predicted, truth, classes)
    kept = said.numpy().astype(np.float16)
    labels = predicted.numpy().astype(np.uint8)
    shown = union(choose_samples(kept, labels, truth.numpy()))
    return {
        "probabilities": kept,
        "predicted": labels,
        "targets": truth.numpy().astype(np.uint8),
        "confusion": confusion.numpy(),
        "class_scores": per_class_accuracy(confusion).numpy(),
        "histogram": coarse.numpy(),
        "average_precision": average_precision_from_histogram(fine).numpy(),
        "calibration": calibration.numpy(),
        "calibration_error": np.array(expected_calibration_error(calibration)),
        "shown": shown,
        "images": part.batch(shown.tolist())[0].numpy(),
    }


def evidence_of_pixels(task: Task, part: ArrayDataset, batch_size: int) -> Arrays:
    """What a segmenter says of the pixels of each image.

    Returns:
        ``histograms`` int32 (N, C, 2, B), for each image the counts of negatives and positives of each class by
        ascending logit; ``confusion`` int64 (N, C, C), rows are the truth; ``losses`` float32 (N,); ``class_scores``
        (C,), the average precision; ``calibration`` (3, 15), see `reliability_counts`, and its ``calibration_error``
        (); ``shown`` int64 (S,), the indices of the images that are kept, with ``images`` uint8 (S, 3, H, W),
        ``predictions`` and ``targets`` uint8 (S, H, W); where some pixels count for nothing, ``ignored`` uint8
        (S, H, W) is 1 there, and their target 0.
    """
    classes, ignore = len(task.info.class_names), task.info.ignore
    bins = _coarse_bins(len(part), classes)
    histograms, confusion, losses = [], [], []
    fine = torch.zeros(classes, 2, bins_for(classes), dtype=torch.int64)
    calibration = torch.zeros(3, CALIBRATION_BINS, dtype=torch.float64)
    for batch in _indices(part, batch_size):
        images, truth = part.batch(batch)
        logits = task(images.to(task.device)).float().cpu()
        score_histogram(logits, truth, classes, fine.shape[2], ignore_index=ignore, out=fine)
        confidence, predicted = logits.softmax(1).max(1)
        losses.append(_loss_by_image(logits, truth, ignore))
        right = predicted == truth
        if ignore is not None:
            confidence, right = confidence[truth != ignore], right[truth != ignore]
        calibration += reliability_counts(confidence, right)
        for image in range(len(images)):
            own = logits[image : image + 1], truth[image : image + 1]
            histograms.append(score_histogram(*own, classes, bins, ignore_index=ignore).to(torch.int32))
            confusion.append(confusion_counts(predicted[image], truth[image], classes, ignore_index=ignore))
    counts = torch.stack(confusion)
    shares = (counts.diagonal(dim1=1, dim2=2).sum(1) / counts.sum((1, 2))).numpy()
    shown = union(choose_extremes(shares))
    images, truth = part.batch(shown.tolist())
    ignored = {} if ignore is None else {"ignored": (truth == ignore).numpy().astype(np.uint8)}
    if ignore is not None:
        truth = truth.masked_fill(truth == ignore, 0)
    return {
        "histograms": torch.stack(histograms).numpy(),
        "confusion": counts.numpy(),
        "losses": torch.cat(losses).numpy(),
        "class_scores": average_precision_from_histogram(fine).numpy(),
        "calibration": calibration.numpy(),
        "calibration_error": np.array(expected_calibration_error(calibration)),
        "shown": shown,
        "images": images.numpy(),
        "predictions": torch.cat([truth[:0].to(torch.uint8), *(_labels(task, image) for image in images)]).numpy(),
        "targets": truth.numpy().astype(np.uint8),
        **ignored,
    }


def _loss_by_image(logits: Tensor, truth: Tensor, ignore: int | None) -> Tensor:
    """Mean loss (N,) over the pixels of each image that count; 0 where none does."""
    if ignore is None:
        return nn.functional.cross_entropy(logits, truth, reduction="none").mean((1, 2))
    losses = nn.functional.cross_entropy(logits, truth, ignore_index=ignore, reduction="none")
    return losses.sum((1, 2)) / (truth != ignore).sum((1, 2)).clamp(min=1)


def _coarse_bins(images: int, classes: int) -> int:
    """`BINS`, or fewer where there are so many images and classes that a page would take too much memory."""
    most = _MOST_COARSE // max(1, 2 * images * classes)
    return min(BINS, max(32, 2 ** (most.bit_length() - 1) if most else 0))


def _indices(part: ArrayDataset, batch_size: int) -> list[list[int]]:
    return [list(range(i, min(i + batch_size, len(part)))) for i in range(0, len(part), batch_size)]


def _labels(task: Task, image: Tensor) -> Tensor:
    labels: Tensor = task(image[None].to(task.device)).argmax(1).to(torch.uint8).cpu()
    return labels


def _keep_filters(path: Path, model: nn.Module) -> None:
    if (filters := first_filters(model)) is not None:
        save_arrays(path, filters=filters)


def save_arrays(path: Path, **arrays: npt.NDArray[Any]) -> None:
    """Write named arrays, compressed; complete or absent."""
    if is_first_process():
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
        write_atomically(path, content.getvalue())


def _write_json(path: Path, content: Any) -> None:
    write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
