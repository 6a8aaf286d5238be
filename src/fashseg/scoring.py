"""Scores of a trained task on one part of a data set."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fashseg import config as cfg
from fashseg.checkpoints import read_checkpoint
from fashseg.data.info import DataInfo
from fashseg.data.module import ImageDataModule
from fashseg.data.plausible import checked_info
from fashseg.data_place import place_in_words, require_task
from fashseg.devices import keep_freed_memory
from fashseg.engine import build_trainer
from fashseg.errors import UserError
from fashseg.fitting import of_network, require_fitting
from fashseg.network import Network
from fashseg.tasks import Scores, Task, build_task
from fashseg.text import first_of

_SHOWN = 12  # classes, in an error


def build_data(run: cfg.Train) -> ImageDataModule:
    """The data module of a run.

    Raises:
        UserError: the data is not there, or for another task than the model.
    """
    data = ImageDataModule(
        run.data,
        batch_size=run.batch_size,
        eval_batch_size=run.eval_batch_size,
        eval_train=run.eval_train,
        seed=run.seed,
        overfit_batches=run.trainer.overfit_batches,
        limit_batches=run.trainer.limit_batches,
        cycle=run.loss.ways if isinstance(run.loss, cfg.Distill) else None,
    )
    require_task(run, data.info.task)
    return data


def build_trained(run: cfg.Train, info: DataInfo, checkpoint: Path) -> Task:
    """The task of a run with the weights of a checkpoint, built only where these are as its options say.

    Whoever wrote the options may have asked for a network of any size.

    Raises:
        UserError: where the checkpoint is missing, damaged, or of another model.
    """
    content = read_checkpoint(checkpoint)
    try:
        require_fitting(run.model, info, of_network(content["state_dict"]))
    except ValueError as error:
        raise _other_model(checkpoint, str(error)) from error
    task = build_task(run, info)
    _load(task, content, checkpoint)
    return task


def go_by_run(data: ImageDataModule, checkpoint: Path) -> None:
    """Have a data set whose facts are found in its folder go by those that a run was trained by.

    A picture more changes the mean, which images are brought to before they reach the network: weights are worth
    nothing with another.

    Raises:
        UserError: classes, size or channels have changed, or the checkpoint does not tell them.
    """
    if data.source.describe is None:
        return
    try:
        before = checked_info(read_checkpoint(checkpoint)["hyper_parameters"]["info"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{checkpoint} does not say what data it is of.", "Name another run.") from error
    where = place_in_words(data.options)
    way_out = "Bring the folder back as it was, or start a new run."
    if before.class_names != data.info.class_names:
        raise UserError(
            f"{where} has the classes {first_of(data.info.class_names, _SHOWN)}; the run was trained on "
            f"{first_of(before.class_names, _SHOWN)}.",
            way_out,
        )
    for name, old, new in (
        ("images of (channels, height, width)", before.shape, data.info.shape),
        ("the ignored value", before.ignore, data.info.ignore),
    ):
        if old != new:
            raise UserError(f"{where} gives {name} {new}; the run was trained on {old}.", way_out)
    data.info = before


def load_weights(task: Task, checkpoint: Path) -> None:
    """Put the weights of a checkpoint into a task; no code of the file is run.

    Raises:
        UserError: where the file is missing, damaged, or of another model.
    """
    _load(task, read_checkpoint(checkpoint), checkpoint)


def _load(task: Task, content: dict[str, Any], checkpoint: Path) -> None:
    try:
        task.load_state_dict(content["state_dict"])
    except Exception as error:
        reason = " ".join(str(error).split("\n")[:2])  # torch names the layer in the second line
        raise _other_model(checkpoint, reason) from error


def _other_model(checkpoint: Path, reason: str) -> UserError:
    return UserError(f"{checkpoint} can't be loaded: {reason}", "It is of another model; name another run.")


def score(task: Task, data: ImageDataModule, part: str, options: cfg.Trainer, *, flips: bool = False) -> Scores:
    """Scores on ``train``, ``val`` or ``test``, in the shape that results.json has.

    Args:
        task: with its weights.
        data: of the same images.
        part: which of them.
        options: where it is computed.
        flips: average logits over each image and its mirror image, in twice the time.
    """
    trainer = build_trainer(options, quiet=True)
    data.trainer = trainer
    data.setup()
    task.flips = flips
    trainer.test(task, dataloaders=data.eval_dataloader(part), verbose=False)
    task.flips = False
    scores: Scores = task.scores["test"]
    return scores


def predict(task: Task | Network, images: Tensor, batch_size: int) -> Iterator[Tensor]:
    """Logits of images, batch by batch, in float32 and in evaluation mode.

    Args:
        task: with its weights, on the device to compute on; or a network.
        images: (N, C, H, W), uint8 or float on the scale of 0 to 255, on any device.
        batch_size: images at once.

    Yields:
        float32 (B, classes) or (B, classes, H, W), on the task's device.
    """
    keep_freed_memory()
    task.eval()
    for batch in torch.split(images, batch_size):
        with torch.inference_mode():
            logits = task(batch.to(task.device))
        yield logits
