"""One run from its composed configuration to its page: the folder is made and held, the run is trained and shown."""

from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf

from fashseg.attempt import Attempt
from fashseg.before_training import refuse_taken
from fashseg.checking import check
from fashseg.composing import parse
from fashseg.config import Train
from fashseg.data_place import make_absolute
from fashseg.ending import explain, note_failure, page_so_far
from fashseg.errors import UserError
from fashseg.files import HeldError, remove_unfinished
from fashseg.first_record import first_record
from fashseg.importing import heavy_imports
from fashseg.plugins import recorded
from fashseg.ranks.company import Company
from fashseg.ranks.options import require_started
from fashseg.ranks.places import here
from fashseg.ranks.starting import company_of
from fashseg.references import escaped
from fashseg.resuming import AUTO, changes, resumed_config, step_changes
from fashseg.run import RunFolder
from fashseg.stopping import not_now
from fashseg.sweep.address import TrialAddress

if TYPE_CHECKING:
    from fashseg.trackers.running import Trackers


def train_in(
    folder: RunFolder, composed: DictConfig, overrides: list[str], in_sweep: bool, trial: TrialAddress | None
) -> float | None:
    """Train in a folder that Hydra has made; returns the validation score, None of a run that was pruned.

    Args:
        folder: empty, or that of the run to go on with.
        composed: the configuration.
        overrides: what was changed on the command line.
        in_sweep: whether it is one of several jobs.
        trial: of a search.

    Raises:
        UserError: something is not as the options say; a new run leaves nothing behind then.
    """
    asked = composed.get("resume")
    # With auto, whether there is a run to go on with is seen from the folder that was chosen for it.
    resume = asked is not None and (asked != AUTO or folder.results.exists())
    if resume:
        composed = _config_to_go_on_with(folder, asked, overrides)
    else:
        refuse_taken(folder)
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
            return _train(Attempt(run, folder, composed, overrides, resume, in_sweep, trial))
    except HeldError:
        raise UserError(
            f"another process trains in {folder.path} at this moment.", "Wait for its end, or stop it."
        ) from None


def _config_to_go_on_with(folder: RunFolder, asked: str, overrides: list[str]) -> DictConfig:
    before = folder.read_config()
    composed = before if asked == AUTO else resumed_config(folder, parse(overrides))
    for change in changes(before, composed):
        print(f"goes on with {change}")
    for change in step_changes(before, composed, folder.read_results().get("processes")):
        print(change)
    return composed


def _train(attempt: Attempt) -> float | None:
    folder = attempt.folder
    remove_unfinished(folder.path)  # by a process that was killed in the middle of a file, the first one perhaps
    if not attempt.resume:
        # Ahead of results.json, which says that there is a run: killed from here on, it can go on.
        folder.write_config(attempt.composed)
        folder.write_results(**first_record(attempt.run, attempt.overrides))
    company = company_of(attempt.run.trainer, folder)
    with heavy_imports():
        from fashseg.trackers.running import Trackers

    with Trackers(attempt.run, folder) as trackers:
        return _train_and_show(attempt, trackers, company)


def _train_and_show(attempt: Attempt, trackers: "Trackers", company: Company) -> float | None:
    from fashseg.experiment import run_experiment

    run, folder = attempt.run, attempt.folder
    try:
        with company:
            results = run_experiment(attempt, trackers, company)
    except UserError as error:
        # Nothing was trained: a run to go on with stays as it was, a new one leaves nothing behind.
        if attempt.in_sweep:
            note_failure(folder, error)
        elif not attempt.resume:
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
    if attempt.trial is None:
        print_summary(folder, results)
    if results["status"] == "pruned":
        return None
    return main_score(results["task"], results["val"])
