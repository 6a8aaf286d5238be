"""Going on with a run: its own configuration, and what may be changed about it."""

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from fashseg.checking import check
from fashseg.config import Train
from fashseg.errors import UserError
from fashseg.run import RunFolder

# What does not change what the run computes, or only for how long it does.
CHANGEABLE = ("epochs", "trainer.", "callbacks.", "logger.", "data.root", "eval_batch_size", "notes", "page", "debug")


def resumed_config(folder: RunFolder, overrides: list[Override]) -> DictConfig:
    """The configuration of the run, with the changes that are allowed.

    Raises:
        UserError: the folder holds no run, its run is finished, or a change is not allowed.
    """
    composed = folder.read_config()
    results = folder.read_results()
    before = check(Train, composed)
    for override in overrides:
        key = override.key_or_group
        if key == "resume" or key.startswith("hydra"):
            continue
        old, new = OmegaConf.select(composed, key), override.value()
        if isinstance(old, DictConfig) or (old != new and not _changeable(key)):
            was = old.get("name") if isinstance(old, DictConfig) else old
            raise UserError(
                f"{override.input_line}: the run in {folder.path} was started with {key}={was}, and resume keeps it.",
                "Leave it out, or start a new run. May change: " + ", ".join(CHANGEABLE).replace(".,", ".*,") + ".",
            )
        OmegaConf.update(composed, key, new)
    run = check(Train, composed)
    if run.epochs != before.epochs and run.scheduler.name != "none":
        raise UserError(
            f"epochs={run.epochs}: scheduler={run.scheduler.name} has planned the learning rate for another number.",
            "Leave epochs as it is, or start a new run.",
        )
    rule = before.callbacks.convergence
    early = rule.threshold is not None and results.get("epochs_run", 0) < before.epochs
    converged = early and run.callbacks.convergence == rule
    if results["status"] == "finished" and (converged or run.epochs <= results.get("epochs_run", 0)):
        way_out = "Set callbacks.convergence.threshold=null" if converged else "Ask for more epochs="
        raise UserError(f"the run in {folder.path} is finished.", f"{way_out}, or start a new run.")
    if not folder.checkpoint("last").is_file():
        raise UserError(
            f"{folder.checkpoint('last')} does not exist: the run ended before its first epoch did.",
            "Start a new run instead.",
        )
    return composed


def _changeable(key: str) -> bool:
    return any(key == name or (name.endswith(".") and key.startswith(name)) for name in CHANGEABLE)
