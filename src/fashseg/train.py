"""Train a model and test it: ``python -m fashseg.train model=cnn``."""

import logging
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from fashseg import cli
from fashseg.checking import check
from fashseg.commands import command, quoted
from fashseg.composing import parse
from fashseg.config import Train
from fashseg.errors import FashsegError, RunError, UserError
from fashseg.files import OUTPUTS, claim_folder
from fashseg.importing import heavy_imports
from fashseg.resuming import resumed_config
from fashseg.run import RunFolder, first_record, is_first_process
from fashseg.stopping import Stopped, not_now

log = logging.getLogger(__name__)


@dataclass
class Job:
    """A job of this process, done.

    Attributes:
        folder: its run folder.
        exit_status: 0 where it went well.
    """

    folder: RunFolder
    exit_status: int


def prepare(plans: Sequence[Train], overrides: list[Override], multirun: bool) -> list[str]:
    """Choose the folder: a new one, or that of the run to go on with."""
    given = {override.key_or_group: override.value() for override in overrides}
    resume = plans[0].resume
    if multirun:
        if resume is not None:
            raise UserError("resume= goes on with one run, -m starts several.", "Leave out one of the two.")
        devices = max(plan.trainer.devices for plan in plans)
        if devices > 1:
            raise UserError(
                f"trainer.devices={devices} with -m: each device would start a sweep of its own.",
                "Run the jobs one by one, or the sweep with trainer.devices=1.",
            )
        folder = given.get("hydra.sweep.dir")
        if folder and Path(str(folder)).is_dir() and any(Path(str(folder)).iterdir()):
            raise UserError(f"{folder} holds a sweep already.", "Choose another hydra.sweep.dir.")
        return [] if folder else [_claim("sweep", "hydra.sweep.dir")]
    if resume is not None:
        resumed_config(RunFolder(resume), overrides)
        return [f"hydra.run.dir={quoted(Path(resume))}"]
    folder = given.get("hydra.run.dir")
    if folder and is_first_process():
        _refuse_taken(RunFolder(str(folder)))
    return [] if folder else [_claim(plans[0].model.name, "hydra.run.dir")]


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
    try:
        value = _run(composed, folder, list(hydra.overrides.task), in_sweep)
    except Stopped as stopped:
        _say_how_to_go_on(folder, stopped)
        raise SystemExit(stopped.exit_status) from None
    except Exception as failure:
        log.exception("the run failed")
        if composed.get("debug"):
            traceback.print_exc()
        error = failure if isinstance(failure, FashsegError) else _unforeseen(failure, folder)
        print(error, file=sys.stderr)
        if not in_sweep:
            raise SystemExit(error.exit_status) from None
        jobs.append(Job(folder, error.exit_status))
        return None
    jobs.append(Job(folder, 0))
    return value


def _say_how_to_go_on(folder: RunFolder, stopped: Stopped) -> None:
    status = folder.read_results()["status"] if folder.results.exists() else None
    if status == "running":
        folder.update_results(status="interrupted")
    if status == "finished":
        what, way_out = f"the run in {folder.path} is finished", f"its page: {command('report', run=folder.path)}"
    elif folder.checkpoint("last").exists():
        print("stopping: making the page of what there is; the same signal again goes without it", flush=True)
        _page_so_far(folder, bool(folder.read_config().get("page", True)))
        what, way_out = (
            f"what was trained is in {folder.path}",
            f"go on with: {command('train', resume=folder.path)}",
        )
    else:
        what, way_out = "before the first epoch was through", "nothing is lost but the time: start again"
    print(f"interrupted by {stopped}: {what}\n       {way_out}", file=sys.stderr)


def _page_so_far(folder: RunFolder, wanted: bool) -> None:
    """The page of a run that did not come to its end; a second signal goes without it."""
    if not (wanted and is_first_process()):
        return
    try:
        with not_now():
            from fashseg.report.collecting import collect_again
            from fashseg.report.making import try_to_make_page
        try:
            if folder.checkpoint("best").is_file():
                collect_again(folder)
        except Exception:
            log.exception("the images of the page could not be collected")
        try_to_make_page(folder)
    except Stopped:
        print(f"without its page, which comes of: {command('report', run=folder.path)}", file=sys.stderr)


def _run(composed: DictConfig, folder: RunFolder, overrides: list[str], in_sweep: bool) -> float:
    resume = composed.get("resume") is not None
    if resume:
        composed = resumed_config(folder, parse(overrides))
    elif is_first_process():
        _refuse_taken(folder)
    # As an absolute path it means the same from another folder.
    OmegaConf.update(composed, "data.root", str(Path(composed.data.root).expanduser().absolute()))
    run = check(Train, composed)
    if not resume:
        folder.write_results(**first_record(run, overrides))

    with heavy_imports():
        from fashseg.experiment import run_experiment  # brings torch, so not before all this

    try:
        results = run_experiment(run, folder, composed, overrides=overrides, resume=resume)
    except UserError as error:
        # Nothing was trained: a run to go on with stays as it was, a new one leaves nothing behind.
        if in_sweep:
            folder.update_results(status="failed", error=str(error), exit_status=error.exit_status)
        elif not resume:
            folder.discard()
        raise
    except Exception as error:
        folder.update_results(status="failed", error=_unforeseen(error, folder).what, exit_status=1)
        _page_so_far(folder, run.page)
        raise
    with not_now():
        from fashseg.report.making import try_to_make_page
        from fashseg.summary import main_score, print_summary

    if is_first_process():
        if run.page:
            try_to_make_page(folder)
        print_summary(folder, results)
    return main_score(results["task"], results["val"])


def _unforeseen(error: Exception, folder: RunFolder) -> FashsegError:
    if isinstance(error, FashsegError):
        return error
    reason = str(error).strip().partition("\n")[0]
    return RunError(f"the run failed: {type(error).__name__}: {reason}", f"More in {folder.log}, or with debug=true.")


def main(words: Sequence[str] | None = None) -> int:
    """The command; ``words`` take the place of the command line's."""
    jobs: list[Job] = []

    def noted_job(composed: DictConfig) -> float | None:
        return job(composed, jobs)

    def finish(multirun: bool) -> int:
        if multirun:
            from fashseg.summary import print_sweep

            print_sweep([done.folder for done in jobs])
        return max((done.exit_status for done in jobs), default=0)

    return cli.main(cli.Verb("train", Train, noted_job, prepare, finish), words)


if __name__ == "__main__":
    sys.exit(main())
