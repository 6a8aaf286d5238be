"""What is looked at before torch is loaded or a folder is made: the data, the trackers, and where the run goes."""

import contextlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override

from fashseg.checking import check
from fashseg.commands import quoted
from fashseg.config import CMPFacade, Distill, Facade, OwnData, Streaming, Train
from fashseg.data_place import require_task
from fashseg.errors import UserError
from fashseg.files import OUTPUTS, claim_folder, in_full, require_writable
from fashseg.importing import heavy_imports
from fashseg.in_vain import check_erasing, require_effect
from fashseg.libraries import require_libraries
from fashseg.ranks.options import fitting_overrides
from fashseg.ranks.places import here
from fashseg.resuming import AUTO, find_unfinished, resumed_config
from fashseg.run import RunFolder
from fashseg.sweep.networks import require_networks
from fashseg.sweep.starting import refuse_in_sweep
from fashseg.trackers.ahead import require_trackers
from fashseg.which_model import require_teacher


def prepare(plans: Sequence[Train], overrides: list[Override], multirun: bool) -> list[str]:
    """See that the data is there, and choose the folder: a new one, or that of the run to go on with."""
    given = {override.key_or_group: override.value() for override in overrides}
    if "data.folds" in given and any(plan.data.fold is None for plan in plans) and plans[0].resume is None:
        raise UserError(
            f"data.folds={plans[0].data.folds} without data.fold: nothing says which of them validates.",
            "Name one by data.fold=0, or all: -m data.fold=0,1,2 and so on.",
        )
    started = fitting_overrides(plans, given, multirun, here())
    return [*started, *_folder_override(plans, overrides, given, multirun)]


def _folder_override(
    plans: Sequence[Train], overrides: list[Override], given: dict[str, Any], multirun: bool
) -> list[str]:
    resume = plans[0].resume
    if multirun:
        refuse_in_sweep(plans)
        require_effect(plans, given)
        folder = given.get("hydra.sweep.dir")
        if folder and Path(str(folder)).is_dir() and any(Path(str(folder)).iterdir()):
            raise UserError(f"{folder} holds a sweep already.", "Choose another hydra.sweep.dir.")
        look_at_data(plans)
        require_networks(plans)
        require_trackers(plans)
        return [] if folder else [_claim("sweep", "hydra.sweep.dir")]
    folder = given.get("hydra.run.dir")
    if resume == AUTO:
        if found := find_unfinished(plans[0], str(folder) if folder else None):
            print(f"resume=auto: goes on with {found.path}")
            require_trackers(plans)
            return [f"hydra.run.dir={quoted(found.path)}"]
        print("resume=auto: there is no unfinished run of these options, so a new one begins")
    elif resume is not None:
        composed = resumed_config(RunFolder(resume), overrides)
        require_writable(Path(resume))
        require_trackers([check(Train, composed)])
        return [f"hydra.run.dir={quoted(Path(resume))}"]
    if folder:
        refuse_taken(RunFolder(str(folder)))
    require_effect(plans, given)
    look_at_data(plans)
    require_trackers(plans)
    if folder:  # which is made, so last
        require_writable(Path(str(folder)))
    return [] if folder else [_claim(plans[0].model.name, "hydra.run.dir")]


def look_at_data(plans: Sequence[Train]) -> None:
    """Refuse folders that are missing or can't be trained on, before torch is loaded; images are decoded later."""
    for plan in plans:
        check_erasing(plan)
    require_libraries(plans)
    for name in {plan.loss.teacher for plan in plans if isinstance(plan.loss, Distill)}:
        require_teacher(name)
    _look_at_chunks(plans)
    found = [
        plan.data for plan in plans if isinstance(plan.data, OwnData | Facade | CMPFacade) or plan.data.fold is not None
    ]
    if found:
        from fashseg.data.facade import require_folders
        from fashseg.data.source import split_indices
        from fashseg.data.sources import SOURCES  # brings NumPy and Pillow

        for data in found:
            if isinstance(data, Facade):
                require_folders(in_full("data.root", data.root).absolute() / "facade")
            if source := SOURCES.get(data.name):
                split_indices(source, data, source.counts(data)[0])


def _look_at_chunks(plans: Sequence[Train]) -> None:
    """Refuse data in chunks that is not there, or is for another task; a bucket is asked by way of torch."""
    looked_at = dict[str, str]()
    for plan in plans:
        if isinstance(plan.data, Streaming):
            from fashseg.data.streaming.places import is_distant
            from fashseg.data.streaming.source import look  # brings NumPy

            key = repr(plan.data)
            if key not in looked_at:
                with heavy_imports() if is_distant(plan.data.url) else contextlib.nullcontext():
                    looked_at[key] = look(plan.data)
            require_task(plan, looked_at[key])


def refuse_taken(folder: RunFolder) -> None:
    """Refuse a folder with a run in it for a new one."""
    if folder.results.exists():
        raise UserError(f"{folder.path} holds a run already.", "Choose another hydra.run.dir, or go on with resume=.")


def _claim(kind: str, option: str) -> str:
    folder = claim_folder(OUTPUTS / kind / datetime.now().strftime("%Y-%m-%d_%H-%M-%S"))
    return f"{option}={quoted(folder)}"
