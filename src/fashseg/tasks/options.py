"""The options of a task as plain containers, with which a checkpoint loads under ``weights_only=True``."""

from dataclasses import asdict
from typing import Any, NotRequired, TypedDict

from fashseg import config as cfg


class Options(TypedDict):
    """The parts of the configuration that a task needs, as plain containers."""

    model: dict[str, Any]
    optimizer: dict[str, Any]
    scheduler: dict[str, Any]
    augment: dict[str, Any]
    loss: NotRequired[dict[str, Any]]  # cross-entropy in checkpoints that do not say
    seed: int


def task_options(run: cfg.Train) -> Options:
    """The options of a task out of those of a run.

    A file that a network has begun with is left out, and so is a teacher: its weights, or what it has taught, are there
    now, and where it lies is the user's affair.
    """
    model = asdict(run.model)
    if "weights_file" in model:
        model["weights_file"] = None
    loss = asdict(run.loss)
    if "teacher" in loss:
        loss["teacher"] = ""
    return Options(
        model=model,
        optimizer=asdict(run.optimizer),
        scheduler=asdict(run.scheduler),
        augment=asdict(run.augment),
        loss=loss,
        seed=run.seed,
    )


def typed(group: str, values: dict[str, Any]) -> Any:
    """The dataclass of a choice of a group again."""
    return cfg.CHOICES[group][values["name"]](**values)
