"""Train a model and test it: ``python -m fashseg.train model=cnn``."""

import gc
import logging
import sys
import traceback
from collections.abc import Sequence
from typing import cast

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from fashseg import cli
from fashseg.before_training import look_at_data, prepare
from fashseg.config import Train
from fashseg.ending import explain, note_interruption, say_interrupted
from fashseg.launch.jobs import Job, note_failed
from fashseg.libraries import require_libraries
from fashseg.ranks.starting import in_place
from fashseg.run import RunFolder
from fashseg.stopping import Stopped
from fashseg.sweep.address import trial_of
from fashseg.sweep.networks import require_networks
from fashseg.sweep.search import Search
from fashseg.sweep.starting import refuse_in_sweep, start
from fashseg.text import counted
from fashseg.trackers.ahead import require_trackers
from fashseg.training import train_in

log = logging.getLogger(__name__)


def job(composed: DictConfig, jobs: list[Job], planned: int = 1) -> float | None:
    """One run in the folder that Hydra has made; returns its validation score.

    A job that fails in a sweep says so in two lines and in its results.json, and the sweep goes on.

    Args:
        composed: the configuration.
        jobs: where the job is noted when it is done.
        planned: jobs of the grid that it is one of.
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
        value = train_in(folder, composed, words, in_sweep, trial)
    except Stopped as stopped:
        if trial is None:
            say_interrupted(folder, stopped)
            if str(hydra.launcher.get("_target_")).endswith(".BasicLauncher") and (left := planned - 1 - number) > 0:
                print(f"The grid has ended with it: its last {counted(left, 'job')} did not begin.", file=sys.stderr)
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


def main(words: Sequence[str] | None = None) -> int:
    """The command; ``words`` take the place of the command line's."""
    jobs: list[Job] = []
    searches: list[Search] = []

    planned = [1]

    def noted_job(composed: DictConfig) -> float | None:
        return job(composed, jobs, planned[-1])

    def counting(plans: Sequence[Train], overrides: list[Override], multirun: bool) -> list[str]:
        planned.append(len(plans))
        return prepare(plans, overrides, multirun)

    # For launchers whose jobs are other processes; an attribute, as Hydra asks for a function.
    vars(noted_job)["note"] = jobs.append

    def search(asked: Search, overrides: list[Override]) -> list[str]:
        refuse_in_sweep(asked.plans)
        look_at_data(asked.plans[:1])
        require_libraries(asked.plans)
        require_networks(asked.plans)
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
        return cli.main(cli.Verb("train", Train, noted_job, counting, finish, search=search), words)

    return in_place(command)


if __name__ == "__main__":
    sys.exit(main())
