"""Options that would do nothing, or leave nothing of the images. New runs alone are asked. Imports no torch."""

from collections.abc import Collection, Sequence

from fashseg import config as cfg
from fashseg.errors import UserError
from fashseg.sides import known_sides

_HELD_OUT = {
    "published": ("data.split=published says which validate", "Set data.split=building"),
    "written": (
        "the images that validate were held out when the chunks were written",
        "Write the data set with it (python -m fashseg.prepare data=NAME shards=FOLDER data.val_share=...)",
    ),
}
"""Splits that hold out no share of the images: why, and the way out."""


def require_effect(plans: Sequence[cfg.Train], given: Collection[str]) -> None:
    """Refuse an option of the command line that does nothing in any of the runs.

    What a preset brings may lie idle, and so may a value of some runs of a sweep: of mixup=0,0.2 for example.

    Args:
        plans: of one run, or of the jobs of a sweep.
        given: dotted paths of the options that the command line names.

    Raises:
        UserError: for the first of them.
    """
    found = [_idle(plan, given) for plan in plans]
    if found and found[0] and all(found):
        raise found[0]


def _idle(run: cfg.Train, given: Collection[str]) -> UserError | None:
    augment, convergence = run.augment, run.callbacks.convergence
    if isinstance(augment, cfg.Flip) and not augment.mixes:
        share = f"augment.mix_probability={augment.mix_probability:g}"
        for name, value in (("mixup", augment.mixup), ("cutmix", augment.cutmix)):
            if value > 0 and f"augment.{name}" in given:  # then it's the share that is 0
                return UserError(
                    f"augment.{name}={value:g} mixes no images, for {share}.",
                    f"Set augment.mix_probability=1, or leave out augment.{name}.",
                )
        mixes = max(augment.mixup, augment.cutmix) > 0
        if not mixes and augment.mix_probability != 1 and "augment.mix_probability" in given:
            return UserError(
                f"{share} mixes no images, for augment.mixup and augment.cutmix are 0.",
                "Leave out augment.mix_probability."
                if cfg.TASKS["model"][run.model.name] == "segmentation"
                else "Set augment.mixup=0.2 or augment.cutmix=1, or leave out augment.mix_probability.",
            )
    if unread := _unread(run, given):
        return unread
    name = "callbacks.convergence.min_epochs"
    if convergence.min_epochs > 0 and convergence.threshold is None and name in given:
        return UserError(
            f"{name}={convergence.min_epochs} delays nothing, for callbacks.convergence.threshold=null never stops.",
            f"Set callbacks.convergence.threshold=1e-4, or leave out {name}.",
        )
    return None


def _unread(run: cfg.Train, given: Collection[str]) -> UserError | None:
    """The error of an option whose place another one takes."""
    optimizer, scheduler = run.optimizer, run.scheduler
    if "data.val_share" in given and run.data.split in _HELD_OUT:
        why, way_out = _HELD_OUT[run.data.split]
        return UserError(
            f"data.val_share={run.data.val_share:g} holds out no images, for {why}.",
            f"{way_out}, or leave out data.val_share.",
        )
    if isinstance(scheduler, cfg.OneCycle) and scheduler.cycle_momentum:
        name = "momentum" if isinstance(optimizer, cfg.SGD) else "beta1"
        if f"optimizer.{name}" in given and hasattr(optimizer, name):
            return UserError(
                f"optimizer.{name}={getattr(optimizer, name):g} is not used, for scheduler.cycle_momentum=true goes "
                "through others, from 0.95 to 0.85 and up again.",
                f"Set scheduler.cycle_momentum=false, or leave out optimizer.{name}.",
            )
    return None


def check_erasing(run: cfg.Train, sides: Sequence[int] | None = None) -> None:
    """Refuse a black square that is as large as the images.

    Args:
        run: the run.
        sides: height and width of an image; None where the data were not opened yet, and may say it all the same.

    Raises:
        UserError: it is.
    """
    if not isinstance(run.augment, cfg.Garment):
        return
    known = sides or known_sides(run.data)
    if known is None or run.augment.erase < (side := min(known)):
        return
    way_out = f"Set augment.erase={max(side // 4, 1)}, or at most {side - 1}." if side > 1 else "Set augment.erase=0."
    raise UserError(
        f"augment.erase={run.augment.erase} is the side of a black square on images whose smaller side is {side}: "
        "it must be less.",
        way_out,
    )
