"""LightningModules: loss, metrics, optimizer."""

from fashseg import config as cfg
from fashseg.data.info import DataInfo
from fashseg.register import OWN
from fashseg.tasks.base import Scores, Task
from fashseg.tasks.classification import ClassificationTask
from fashseg.tasks.options import task_options
from fashseg.tasks.segmentation import SegmentationTask
from fashseg.tasks.trying import try_out

__all__ = ["ClassificationTask", "Scores", "SegmentationTask", "Task", "build_task", "task_class"]

_CLASSES: dict[str, type[Task]] = {"classification": ClassificationTask, "segmentation": SegmentationTask}


def task_class(name: str) -> type[Task]:
    """The class of a task, ``classification`` or ``segmentation``."""
    return _CLASSES[name]


def build_task(run: cfg.Train, info: DataInfo) -> Task:
    """A task with fresh weights.

    Raises:
        UserError: a network or loss of the user's own does not give what a task needs.
    """
    task = task_class(info.task)(task_options(run), info.to_dict())
    for group, name in (("model", run.model.name), ("loss", run.loss.name)):
        if (group, name) in OWN:
            try_out(task, group, name)
    return task
