"""Train a model and test it: ``python -m fashseg.train model=cnn``."""

import contextlib
import gc
import logging
import sys
import traceback
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from fashseg import cli
from fashseg.checking import check
from fashseg.commands import quoted
from fashseg.composing import parse
from fashseg.config import CMPFacade, Facade, OwnData, Streaming, Train
from fashseg.data_place import make_absolute, require_task
from fashseg.ending import explain, note_failure, note_interruption, page_so_far, say_interrupted
from fashseg.errors import UserError
from fashseg.files import OUTPUTS, HeldError, claim_folder, in_full, remove_unfinished, require_writable
from fashseg.importing import heavy_imports
from fashseg.launch.jobs import Job, note_failed
from fashseg.plugins import recorded
from fashseg.ranks.company import Company
from fashseg.ranks.options import fitting_overrides, require_started
from fashseg.ranks.places import here
from fashseg.ranks.starting import company_of, in_place
from fashseg.references import escaped
from fashseg.resuming import AUTO, changes, find_unfinished, resumed_config, step_changes
from fashseg.run import RunFolder, first_record
from fashseg.stopping import Stopped, not_now
from fashseg.sweep.address import TrialAddress, trial_of
from fashseg.sweep.search import Search
from fashseg.sweep.starting import refuse_in_sweep, start
from fashseg.trackers.ahead import require_trackers

if TYPE_CHECKING:
    from fashseg.trackers.running import Trackers

log = logging.getLogger(__name__)


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
        folder = given.get("hydra.sweep.dir")
        if folder and Path(str(folder)).is_dir() and any(Path(str(folder)).iterdir()):
            raise UserError(f"{folder} holds a sweep already.", "Choose another hydra.sweep.dir.")
        _look_at_data(plans)
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
        _refuse_taken(RunFolder(str(folder)))
        require_writable(Path(str(folder)))
    _look_at_data(plans)
    require_trackers(plans)
    return [] if folder else [_claim(plans[0].model.name, "hydra.run.dir")]


def _look_at_data(plans: Sequence[Train]) -> None:
    """Refuse folders that are missing or can't be trained on, before torch is loaded; images are decoded later."""
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


def _refuse_taken(folder: RunFolder) -> None:
    if folder.results.exists():
        raise UserError(f"{folder.path} holds a run already.", "Choose another hydra.run.dir, or go on with resume=.")


def _claim(kind: str, option: str) -> str:
    folder = claim_folder(OUTPUTS / kind / datetime.now().strftime("%Y-%m-%d_%H-%M-%S"))
    return f"{option}={quoted(folder)}"


def job(composed: DictConfig, jobs: list[Job]) -> float | None:
    """One run in the folder that Hydra has made; returns its validation score.

    A job that fails in a sweep says so in two lines and in its results.json, and the sweep goes on.

    Args:
        composed: the configuration.
        jobs: where the job is noted when it is done.
    """
    hydra = HydraConfig.get()
    folder = RunFolder(hydra.runtime.output_dir)
    in_sweep = hydra.mode is RunMode.MULTIRUN
    number = hydra.job.num if in_sweep else 0
    trial = trial_of(cast(DictConfig, hydra), folder.path) if in_sweep else None
    # As they were typed: by itself OmegaConf would look up what they refer to.
    words = cast(list[str], OmegaConf.to_container(hydra.overrides.task))
    if trial is not None:
        gc.collect()  # trainer and data of the trial before refer to each other, and would stay for some more
    try:
        value = _run(composed, folder, words, in_sweep, trial)
    except Stopped as stopped:
        if trial is None:
            say_interrupted(folder, stopped)
        elif folder.results.exists():  # the search says how to go on
            note_interruption(folder)
        raise SystemExit(stopped.exit_status) from None
    except Exception as failure:
        log.exception("the run failed")
        if composed.get("debug"):
            traceback.print_exc()
        error = explain(failure, folder)
        print(error, file=sys.stderr)
        if not in_sweep:
            raise SystemExit(error.exit_status) from None
        if not folder.results.exists():
            note_failed(folder, error, composed, words)
        jobs.append(Job(folder, error.exit_status, number))
        return None
    jobs.append(Job(folder, 0, number))
    return value


def _run(
    composed: DictConfig, folder: RunFolder, overrides: list[str], in_sweep: bool, trial: TrialAddress | None
) -> float | None:
    asked = composed.get("resume")
    # With auto, whether there is a run to go on with is seen from the folder that was chosen for it.
    resume = asked is not None and (asked != AUTO or folder.results.exists())
    if resume:
        before = folder.read_config()
        composed = before if asked == AUTO else resumed_config(folder, parse(overrides))
        for change in changes(before, composed):
            print(f"goes on with {change}")
        for change in step_changes(before, composed, folder.read_results().get("processes")):
            print(change)
    else:
        _refuse_taken(folder)
    # As an absolute path it means the same from another folder.
    make_absolute(composed)
    if in_sweep and not composed.logger.get("group"):
        OmegaConf.update(composed, "logger.group", escaped(folder.path.absolute().parent.name))
    run = check(Train, composed)
    require_started(run.trainer, here())
    if run.data.fold is not None:
        OmegaConf.update(composed, "data.split_seed", run.data.split_seed)  # it need not be the run's seed
    chosen = [(group, getattr(run, group).name) for group in ("model", "data", "loss")]
    run.plugins = recorded(run.plugins, chosen)
    OmegaConf.update(composed, "plugins", escaped(run.plugins))
    try:
        with folder.hold():
            return _train(run, folder, composed, overrides, in_sweep, resume, trial)
    except HeldError:
        raise UserError(
            f"another process trains in {folder.path} at this moment.", "Wait for its end, or stop it."
        ) from None


def _train(
    run: Train,
    folder: RunFolder,
    composed: DictConfig,
    overrides: list[str],
    in_sweep: bool,
    resume: bool,
    trial: TrialAddress | None,
) -> float | None:
    if resume:
        remove_unfinished(folder.path)
    elif not resume:
        # Ahead of results.json, which says that there is a run: killed from here on, it can go on.
        folder.write_config(composed)
        folder.write_results(**first_record(run, overrides))

    company = company_of(run.trainer, folder)
    with heavy_imports():
        from fashseg.trackers.running import Trackers

    with Trackers(run, folder) as trackers:
        return _train_and_show(run, folder, composed, overrides, in_sweep, resume, trial, trackers, company)


def _train_and_show(
    run: Train,
    folder: RunFolder,
    composed: DictConfig,
    overrides: list[str],
    in_sweep: bool,
    resume: bool,
    trial: TrialAddress | None,
    trackers: "Trackers",
    company: Company,
) -> float | None:
    from fashseg.experiment import run_experiment

    try:
        with company:
            results = run_experiment(
                run,
                folder,
                composed,
                overrides=overrides,
                resume=resume,
                trial=trial,
                trackers=trackers,
                company=company,
            )
    except UserError as error:
        # Nothing was trained: a run to go on with stays as it was, a new one leaves nothing behind.
        if in_sweep:
            note_failure(folder, error)
        elif not resume:
            folder.discard()
        raise
    except Exception as error:
        note_failure(folder, explain(error, folder))
        if run.page:
            page_so_far(folder)
        raise
    with not_now():
        from fashseg.report.making import try_to_make_page
        from fashseg.summary import main_score, print_summary

    if run.page:
        try_to_make_page(folder)
    if trial is None:
        print_summary(folder, results)
    if results["status"] == "pruned":
        return None
    return main_score(results["task"], results["val"])


def main(words: Sequence[str] | None = None) -> int:
    """The command; ``words`` take the place of the command line's."""
    jobs: list[Job] = []
    searches: list[Search] = []

    def noted_job(composed: DictConfig) -> float | None:
        return job(composed, jobs)

    # For launchers whose jobs are other processes; an attribute, as Hydra asks for a function.
    vars(noted_job)["note"] = jobs.append

    def search(asked: Search, overrides: list[Override]) -> list[str]:
        refuse_in_sweep(asked.plans)
        _look_at_data(asked.plans[:1])
        require_trackers(asked.plans)
        searches.append(asked)
        return start(asked, overrides, sys.argv[1:] if words is None else words)

    def finish(multirun: bool) -> int:
        if searches:
            return 0  # its failed trials are part of it
        if multirun:
            from fashseg.summary import print_sweep

            ended = sorted(jobs, key=lambda done: done.number)
            print_sweep([done.folder for done in ended if done.folder.results.exists()])
        return max((done.exit_status for done in jobs), default=0)

    def command() -> int:
        return cli.main(cli.Verb("train", Train, noted_job, prepare, finish, search=search), words)

    return in_place(command)


if __name__ == "__main__":
    sys.exit(main())
