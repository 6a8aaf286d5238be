"""Train a model and test it: ``python -m fashseg.train model=cnn``."""

import logging
import sys
import traceback
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig

from fashseg import cli
from fashseg.checking import check
from fashseg.config import Train
from fashseg.errors import FashsegError, RunError, UserError
from fashseg.resuming import resumed_config
from fashseg.run import OUTPUTS, RunFolder, claim_folder, is_first_process

log = logging.getLogger(__name__)


def prepare(run: Train, overrides: list[Override], multirun: bool) -> list[str]:
    """Choose the folder: a new one, or that of the run to go on with."""
    given = {override.key_or_group for override in overrides}
    if multirun:
        if run.resume:
            raise UserError("resume= goes on with one run, -m starts several.", "Leave out one of the two.")
        if run.trainer.devices > 1:
            raise UserError(
                f"trainer.devices={run.trainer.devices} with -m: each device would start a sweep of its own.",
                "Run the jobs one by one, or the sweep with trainer.devices=1.",
            )
        return [] if "hydra.sweep.dir" in given else [_claim("sweep", "hydra.sweep.dir")]
    if run.resume:
        resumed_config(RunFolder(run.resume), overrides)
        return [f"hydra.run.dir={_quoted(Path(run.resume))}"]
    if "hydra.run.dir" in given:
        return []
    return [_claim(run.model.name, "hydra.run.dir")]


def _claim(kind: str, option: str) -> str:
    folder = claim_folder(OUTPUTS / kind / datetime.now().strftime("%Y-%m-%d_%H-%M-%S"))
    return f"{option}={_quoted(folder)}"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("\\", "\\\\").replace("'", "\\'") + "'"


def job(composed: DictConfig) -> float | None:
    """One run in the folder that Hydra has made; returns its validation score.

    A job that fails in a sweep says so in two lines and in its results.json, and the sweep goes on.
    """
    from fashseg.stopping import Stopped, stoppable

    hydra = HydraConfig.get()
    folder = RunFolder(hydra.runtime.output_dir)
    in_sweep = hydra.mode is RunMode.MULTIRUN
    try:
        with stoppable():
            return _run(composed, folder, list(hydra.overrides.task), in_sweep)
    except Stopped as stopped:
        folder.update_results(status="interrupted")
        print(
            f"interrupted by {stopped}; what was trained is in {folder.path}\n"
            f"       go on with: python -m fashseg.train resume={folder.path}",
            file=sys.stderr,
        )
        raise SystemExit(stopped.exit_status) from None
    except Exception as failure:
        log.exception("the run failed")
        if composed.get("debug"):
            traceback.print_exc()
        error = failure if isinstance(failure, FashsegError) else _unforeseen(failure, folder)
        print(error, file=sys.stderr)
        if not in_sweep:
            raise SystemExit(error.exit_status) from None
        return None


def _run(composed: DictConfig, folder: RunFolder, overrides: list[str], in_sweep: bool) -> float:
    resume = composed.get("resume") is not None
    if resume:
        composed = resumed_config(folder, cli.parse(overrides))
    elif folder.results.exists() and is_first_process():
        raise UserError(f"{folder.path} holds a run already.", "Choose another hydra.run.dir, or go on with resume=.")
    run = check(Train, composed)

    from fashseg.experiment import first_record, run_experiment  # brings torch, so not before the check
    from fashseg.summary import main_score, print_summary

    folder.write_config(composed)
    if not resume:
        folder.write_results(**first_record(run, overrides))
    try:
        results = run_experiment(run, folder, overrides=overrides, resume=resume)
    except UserError as error:
        if in_sweep or resume or folder.checkpoints.exists():
            folder.update_results(status="failed", error=str(error), exit_status=error.exit_status)
        else:
            folder.discard()
        raise
    except Exception as error:
        folder.update_results(status="failed", error=str(_unforeseen(error, folder)), exit_status=1)
        raise
    if is_first_process():
        print_summary(folder, results)
    return main_score(results["task"], results["val"])


def _unforeseen(error: Exception, folder: RunFolder) -> RunError:
    reason = str(error).strip().partition("\n")[0]
    return RunError(f"the run failed: {type(error).__name__}: {reason}", f"More in {folder.log}, or with debug=true.")


def finish(overrides: list[str], multirun: bool) -> int:
    """After the last job of a sweep: its table, and the worst exit status."""
    if not multirun:
        return 0
    from fashseg.summary import print_sweep

    words = [word for word in overrides if word.startswith("hydra.sweep.dir=")]
    sweep = Path(words[-1].partition("=")[2].strip("'"))
    if not sweep.is_dir():  # a folder with a resolver in its name
        return 0
    paths = sorted(sweep.iterdir(), key=_number)
    folders = [RunFolder(path) for path in paths if (path / "results.json").exists()]
    print_sweep(folders)
    return max((int(folder.read_results().get("exit_status", 0)) for folder in folders), default=0)


def _number(path: Path) -> tuple[int, str]:
    return (int(path.name) if path.name.isdigit() else sys.maxsize, path.name)


def main(words: Sequence[str] | None = None) -> int:
    """The command; ``words`` take the place of the command line's."""
    return cli.main(cli.Verb("train", Train, job, prepare, finish), words)


if __name__ == "__main__":
    sys.exit(main())
