"""Going on with a run: its own configuration, and what may be changed about it."""

import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf

from fashseg.checking import check
from fashseg.config import Train
from fashseg.data_place import PLACES, absolute_places
from fashseg.errors import UserError
from fashseg.files import OUTPUTS
from fashseg.option_rules import shown
from fashseg.plugins import recorded
from fashseg.references import escaped
from fashseg.run import RunFolder, flat_options, is_first_process

# What does not change what the run computes, or only for how long it does.
CHANGEABLE = (
    *(
        "epochs",
        "trainer.",
        "callbacks.convergence.",
        "callbacks.progress",
        "logger.",
        "checkpoint.",
        *PLACES,
        "data.resident",
        "data.workers",
        "data.cache_gb",
    ),
    *("eval_batch_size", "score_flips", "on_nan", "plugins", "notes", "page", "debug"),
)
# Schedules count their steps by the one; by the other a run validates on what it trains on.
KEPT = ("trainer.limit_batches", "trainer.overfit_batches")

AUTO = "auto"
PRESET = "experiment"


def find_unfinished(run: Train, folder: str | None = None) -> RunFolder | None:
    """The newest run of the same options that is neither finished nor pruned, and that no process trains now.

    Args:
        run: the options.
        folder: the only place to look at; None looks at all runs of this model in ``outputs``.
    """
    places = [Path(folder)] if folder else (OUTPUTS / run.model.name).glob("*")
    found = []
    for place in map(RunFolder, places):
        if place.results.exists() and not place.is_live:
            with contextlib.suppress(UserError):  # damaged, or of another version
                results = place.read_results()
                if results["status"] not in ("finished", "pruned") and _same(check(Train, place.read_config()), run):
                    found.append((str(results.get("started", "")), place.path.name, place))
    return max(found)[2] if found else None


def _same(one: Train, other: Train) -> bool:
    """Whether two runs compute the same."""
    return _plain(one) == _plain(other)


def _plain(run: Train) -> dict[str, Any]:
    values = asdict(run)
    del values["resume"], values["debug"], values["plugins"]
    values["data"] |= absolute_places(run.data)
    return values


def resumed_config(folder: RunFolder, overrides: list[Override]) -> DictConfig:
    """The configuration of the run, with the changes that are allowed.

    Raises:
        UserError: the folder holds no run, its run is finished, or a change is not allowed.
    """
    composed = folder.read_config()
    results = folder.read_results()
    if folder.is_live and is_first_process():
        raise UserError(f"another process trains in {folder.path} at this moment.", "Wait for its end, or stop it.")
    before = check(Train, composed)
    for override in overrides:
        key = override.key_or_group
        if key == "resume" or key.startswith("hydra"):
            continue
        if key == PRESET or override.type is OverrideType.DEL:
            said = results.get("overrides")
            if not isinstance(said, list) or override.input_line not in said:
                raise UserError(
                    f"{override.input_line}: the run in {folder.path} goes on with its own options, and no preset "
                    "changes them.",
                    "Leave it out, or start a new run.",
                )
            continue  # said again: config.yaml has what it came to
        old, new = OmegaConf.select(composed, key), override.value()
        if isinstance(old, DictConfig) and old.get("name") == new:
            continue  # said again, so that an option of this choice alone can be given
        if isinstance(old, DictConfig) and "name" not in old and (names := _changeable_within(key, old)):
            raise UserError(
                f"{override.input_line}: the run in {folder.path} goes on with its own {key}, of which single options "
                "may change.",
                f"Write {key}.NAME=VALUE, NAME being one of {', '.join(names)}.",
            )
        if key == "plugins":
            new = escaped(recorded(cast(list[str], new), []))
        if isinstance(old, DictConfig) or (old != new and not _changeable(key) and key != "batch_size"):
            was = old.get("name") if isinstance(old, DictConfig) else old
            raise UserError(
                f"{override.input_line}: the run in {folder.path} was started with {key}={shown(was)}, and resume "
                "keeps it.",
                f"Leave it out, or start a new run. May change: {', '.join(CHANGEABLE).replace('.,', '.*,')}, but no "
                f"{' or '.join(KEPT)}.",
            )
        OmegaConf.update(composed, key, new)
    run = check(Train, composed)
    _require_same_steps(before, run, results)
    if run.epochs != before.epochs and run.scheduler.name != "none":
        raise UserError(
            f"epochs={run.epochs}: scheduler={run.scheduler.name} has planned the learning rate for "
            f"epochs={before.epochs}.",
            "Leave epochs as it is, or start a new run.",
        )
    rule = before.callbacks.convergence
    early = rule.threshold is not None and results.get("epochs_run", 0) < before.epochs
    converged = early and run.callbacks.convergence == rule
    trained = converged or run.epochs <= results.get("epochs_run", 0)
    finished = results["status"] == "finished"
    if finished and trained and (folder.page.exists() or not run.page):
        if converged:
            way_out = "Set callbacks.convergence.threshold=null, or start a new run."
        elif run.scheduler.name == "none":
            way_out = "Ask for more epochs=, or start a new run."
        else:  # which no other number of epochs goes with
            way_out = f"Start a new run: scheduler={run.scheduler.name} has brought the learning rate to its end."
        raise UserError(f"the run in {folder.path} is finished.", way_out)
    if finished and not folder.checkpoint("last").is_file():
        raise UserError(f"{folder.checkpoint('last')} does not exist.", "Start a new run instead.")
    return composed


def _require_same_steps(before: Train, run: Train, results: dict[str, Any]) -> None:
    """Refuse to change the images of a step, which batch_size and the number of devices make together.

    With another number of devices alone they do change, unless a schedule has counted the steps: who goes on with fewer
    devices than before may have no others.
    """
    devices = run.trainer.devices
    was = results.get("processes", before.trainer.devices)
    now = devices * run.trainer.nodes if isinstance(devices, int) else was
    if not isinstance(was, int) or not isinstance(now, int):
        return
    step = before.batch_size * was
    if run.batch_size * now == step:
        return
    fitting = f"Set batch_size={step // now}" if step % now == 0 else "Leave both as they were"
    if run.batch_size != before.batch_size:
        raise UserError(
            f"batch_size={run.batch_size} on {now} devices makes steps of {run.batch_size * now} images; the run was "
            f"started with steps of {step}, and resume keeps them.",
            f"{fitting}, or start a new run.",
        )
    if run.scheduler.name != "none":
        raise UserError(
            f"trainer.devices={devices} makes steps of {run.batch_size * now} images, not of {step}, and so another "
            f"number of them; scheduler={run.scheduler.name} has planned the learning rate for what there was.",
            f"{fitting}, or start a new run.",
        )


def step_changes(before: DictConfig, now: DictConfig, processes: Any) -> list[str]:
    """What a changed number of devices means for a step, in words."""
    devices, nodes = now.trainer.devices, now.trainer.get("nodes", 1)
    if not isinstance(processes, int) or not isinstance(devices, int):
        return []
    was, will = before.batch_size * processes, now.batch_size * devices * nodes
    way_out = f"; batch_size={was // (devices * nodes)} would keep it" if was % (devices * nodes) == 0 else ""
    return [f"a step is of {will} images from here on, not of {was}{way_out}"] if was != will else []


def changes(before: DictConfig, now: DictConfig) -> list[str]:
    """What is not as it was, as ``key=new (was old)``."""
    old, new = (flat_options(OmegaConf.to_container(options)) for options in (before, now))
    return [f"{key}={value} (was {old.get(key)})" for key, value in new.items() if old.get(key) != value]


def _changeable(key: str) -> bool:
    return key not in KEPT and any(key == name or (name.endswith(".") and key.startswith(name)) for name in CHANGEABLE)


def _changeable_within(key: str, group: DictConfig) -> list[str]:
    """Of the options and groups in a group those of which something may change."""
    paths = {name: f"{key}.{name}" for name in map(str, group)}
    return [
        name
        for name, path in paths.items()
        if _changeable(path) or any(other.startswith(f"{path}.") for other in CHANGEABLE)
    ]
