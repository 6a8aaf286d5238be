"""Networks and losses from outside the package are tried out on two black images before anything is trained."""

import torch
from torch import Tensor

from fashseg.errors import FashsegError, UserError
from fashseg.models.adapters.calling import reason_of
from fashseg.plugins import calling
from fashseg.tasks.base import Task

IMAGES = 2


def try_out(task: Task, group: str, name: str) -> None:
    """See whether a network gives logits, or a loss a number.

    Args:
        task: with the network and the loss, on the CPU.
        group: ``model`` or ``loss``: what is tried out.
        name: of the network or the loss.

    Raises:
        UserError: it does not, or its code fails.
    """
    info = task.info
    classes = len(info.class_names)
    sides = info.shape[1:] if info.task == "segmentation" else ()
    wanted = (IMAGES, classes, *sides)
    training = task.training
    task.eval()
    with calling(group, name), torch.no_grad():
        if group == "model":
            given = task(torch.zeros(IMAGES, *info.shape))
        else:
            given = task.loss(torch.zeros(wanted), torch.zeros(IMAGES, *sides, dtype=torch.int64))
    task.train(training)
    shape = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
    if group == "model" and shape != wanted:
        raise UserError(
            f"model={name}: of {IMAGES} images of {_by(info.shape)} in {classes} classes it gave {shape}.",
            f"It has to give logits of shape {wanted}: {_meaning(info.task)}.",
        )
    if group == "loss" and shape != ():
        raise UserError(
            f"loss={name}: of logits {wanted} it gave {shape}, and not one number.", "Take the mean, such as .mean()."
        )


def try_library(task: Task, name: str) -> None:
    """See whether a network of a library gives logits of the images of a data set.

    Args:
        task: with the network, on the CPU.
        name: of the model.

    Raises:
        ValueError: it fails at them.
        UserError: it gives something else.
    """
    try:
        try_out(task, "model", name)
    except (FashsegError, MemoryError):
        raise
    except Exception as error:
        raise ValueError(reason_of(error)) from error


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _meaning(task: str) -> str:
    return "one for each class and image" if task == "classification" else "one for each class and pixel"
