"""LightningModules: loss, metrics, optimizer."""

from dataclasses import replace

from fashseg import config as cfg
from fashseg.data.info import DataInfo
from fashseg.errors import FashsegError, UserError
from fashseg.misfits import misfit, misfit_of_options
from fashseg.register import OWN
from fashseg.tasks.base import Scores, Task
from fashseg.tasks.classification import ClassificationTask
from fashseg.tasks.options import task_options
from fashseg.tasks.segmentation import SegmentationTask
from fashseg.tasks.trying import try_library, try_out

__all__ = ["ClassificationTask", "Scores", "SegmentationTask", "Task", "build_task", "task_class"]

_CLASSES: dict[str, type[Task]] = {"classification": ClassificationTask, "segmentation": SegmentationTask}


def task_class(name: str) -> type[Task]:
    """The class of a task, ``classification`` or ``segmentation``."""
    return _CLASSES[name]


def build_task(run: cfg.Train, info: DataInfo) -> Task:
    """A task with fresh weights.

    Raises:
        UserError: the network can't be built for images of this size, or a network or loss of the user's own does not
            give what a task needs.
    """
    try:
        task = _built(run, info)
    except ValueError as error:
        if isinstance(run.model, cfg.Library) and _fits_without_options(run, run.model, info):
            raise misfit_of_options(run.model, error) from error
        _, height, width = info.shape
        raise misfit(run, (height, width), str(error)) from error
    if info.ignore is not None and isinstance(run.augment, cfg.Flip) and run.augment.mixes:
        raise UserError(
            f"data={run.data.name} has images that count for nothing, {info.ignore} in place of a class: these "
            "can't be mixed with others.",
            "Set augment.mixup=0 augment.cutmix=0.",
        )
    if info.ignore is not None and isinstance(run.loss, cfg.Distill):
        raise UserError(
            f"data={run.data.name} has images that count for nothing, {info.ignore} in place of a class: a teacher "
            "would have an answer to these, too.",
            "Choose another loss, such as loss=cross_entropy.",
        )
    for group, name in (("model", run.model.name), ("loss", run.loss.name)):
        if (group, name) in OWN:
            try_out(task, group, name)
    return task


def _built(run: cfg.Train, info: DataInfo) -> Task:
    task = task_class(info.task)(task_options(run), info.to_dict())
    if isinstance(run.model, cfg.Library):
        try_library(task, run.model.name)
    return task


def _fits_without_options(run: cfg.Train, model: cfg.Library, info: DataInfo) -> bool:
    """Whether a network takes the images where its library is given no keyword arguments."""
    if not model.options:
        return False
    try:
        _built(replace(run, model=replace(model, options={})), info)
    except (ValueError, FashsegError):
        return False
    return True
