"""The teacher of ``loss=distill``: found, held against the data, and what is said of it."""

from typing import Any

from fashseg import config as cfg
from fashseg.data.info import DataInfo
from fashseg.data.module import ImageDataModule
from fashseg.devices import accelerator
from fashseg.errors import UserError
from fashseg.run import RunFolder
from fashseg.tasks.augmentation import variants
from fashseg.tasks.teaching import Teacher
from fashseg.text import first_of
from fashseg.trained import digest, load_trained
from fashseg.which_model import require_teacher

_SHOWN = 12  # classes, in an error


def teacher_of(run: cfg.Train, info: DataInfo, before: Any) -> Teacher | None:
    """The teacher that a run is to learn from; None where its loss has none.

    Args:
        run: its options.
        info: of its data.
        before: what its results.json says of its teacher, where it goes on; whoever wrote it.

    Raises:
        UserError: there is none, it is damaged, knows other classes or images, or is another one than before.
    """
    if not isinstance(run.loss, cfg.Distill):
        return None
    name, found = run.loss.teacher, require_teacher(run.loss.teacher)
    trained = load_trained(run=name) if isinstance(found, RunFolder) else load_trained(model=name)
    _require_alike(name, trained.info, info)
    sha256 = digest(trained.network.model.state_dict())
    if isinstance(before, dict) and before.get("sha256") != sha256:
        raise UserError(
            f"loss.teacher={name} has other weights than when the run was begun.",
            "Bring them back, or start a new run.",
        )
    said = trained.about.get("fingerprints")
    validated = said.get("val") if isinstance(said, dict) else None
    ways = run.loss.ways or variants(run.augment)
    return Teacher(
        trained.network,
        run.loss,
        {"name": trained.name, "sha256": sha256, "validated_on": str(validated or "")},
        keeps=accelerator(run.trainer) == "cpu" and ways is not None and ways < run.epochs,
    )


def _require_alike(name: str, its: DataInfo, info: DataInfo) -> None:
    if its.class_names != info.class_names:
        taught, own = (f"the classes {first_of(one.class_names, _SHOWN)}" for one in (its, info))
    elif its.shape != info.shape:
        taught, own = (f"images of {' × '.join(map(str, one.shape))}" for one in (its, info))
    else:
        return
    raise UserError(
        f"loss.teacher={name} knows {taught}; the data has {own}.",
        "Name a teacher that was trained on the same classes and on images of that size.",
    )


def described(teacher: Teacher, data: ImageDataModule) -> dict[str, Any]:
    """What results.json says of a teacher: whether it was validated on the same images; null where nobody knows."""
    origin = dict(teacher.origin)
    validated = origin.pop("validated_on")
    return {**origin, "same_validation": validated == data.part("val").fingerprint if validated else None}


def notice(teacher: dict[str, Any]) -> str | None:
    """What to say where validation may be no measure of what was learnt."""
    if teacher["same_validation"]:
        return None
    why = (
        "was validated on other images" if teacher["same_validation"] is False else "does not say what it validated on"
    )
    return (
        f"the teacher, {teacher['name']}, {why}: those that validate here may be among those that it was trained on, "
        "which makes validation look better than it is"
    )
