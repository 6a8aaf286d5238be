"""In which options a run differs from a preset. Imports no torch by itself."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

from omegaconf import OmegaConf

from fashseg.checking import check
from fashseg.commands import quoted
from fashseg.compare.rows import NOT_COMPARED, NOT_COMPARED_GROUPS
from fashseg.composing import compose
from fashseg.config import CHOICES, TASKS, Train
from fashseg.errors import UserError
from fashseg.run import RunFolder, flat_options
from fashseg.text import shown_option
from fashseg.which_model import shipped

# They say where and how fast is trained, and not on what.
OF_SPEED = (
    *("trainer.accelerator", "trainer.compile", "trainer.steps_per_call", "trainer.deterministic"),
    *("data.resident", "data.workers", "checkpoint.every_seconds"),
)
_DRAWN = ("data.fold", "data.folds")
_TEACHER = "loss.teacher"


def changed_options(folder: RunFolder, preset: str) -> dict[str, Any]:
    """Options of a run by their paths, as far as they are other than in ``experiment=PRESET``.

    What a run draws, by seed and fold, where its data is, and how fast it computes, make it no other. Of a group of
    which it has another choice it is what the preset with this choice has otherwise, and None for what has to be taken
    out of the preset, by its path with ``~``. A teacher is the same where its weights are.

    Raises:
        UserError: there is no such preset, or the run has no configuration.
    """
    run = check(Train, folder.read_config())
    own = _flat(run)
    drawn = [f"seed={run.seed}"]
    if run.data.fold is not None:
        drawn += [f"data.fold={run.data.fold}", f"data.folds={run.data.folds}"]
    theirs = _flat(check(Train, compose("train", [f"experiment={preset}", *drawn])))
    groups = tuple(f"{group}." for group in CHOICES if own[f"{group}.name"] != theirs[f"{group}.name"])
    choices = [f"{group[:-1]}={own[f'{group}name']}" for group in groups]
    beside = _unchecked([f"experiment={preset}", *drawn, *choices]) if groups else {}
    beside |= {"data.split_seed": theirs["data.split_seed"]}  # which follows seed or folds
    changes = {
        path: value
        for path, value in own.items()
        if path not in (*NOT_COMPARED, *OF_SPEED, *_DRAWN)
        and not path.startswith(NOT_COMPARED_GROUPS)
        and value != (beside if path.startswith(groups) and not path.endswith(".name") else theirs).get(path)
    }
    if _TEACHER in own:
        changes.pop(_TEACHER, None)
        if (name := _other_teacher(folder, own[_TEACHER], theirs.get(_TEACHER))) is not None:
            changes[_TEACHER] = name
    return changes | {f"~{path}": None for path in beside if path.startswith(groups) and path not in own}


def _other_teacher(folder: RunFolder, own: str, theirs: str | None) -> str | None:
    """Whom a run has learnt from, where that is by its weights not whom the preset learns from.

    The path of a run or a file is nobody's affair, and becomes ``RUN``.
    """
    from fashseg.trained import digest, load_trained  # takes a second

    learnt = folder.read_results().get("teacher")
    if theirs and isinstance(learnt, dict):
        wanted = load_trained(model=theirs).network.model.state_dict()
        if learnt.get("sha256") == digest(wanted):
            return None
    return own if own in shipped() and own != theirs else "RUN"


@cache
def options_of_preset(preset: str) -> Mapping[str, Any]:
    """All options of ``experiment=PRESET`` by their paths.

    Raises:
        UserError: there is no such preset.
    """
    return _flat(check(Train, compose("train", [f"experiment={preset}"])))


@cache
def task_of_preset(preset: str) -> str:
    """``classification`` or ``segmentation``.

    Raises:
        UserError: there is no such preset.
    """
    return TASKS["model"][options_of_preset(preset)["model.name"]]


def shared_changes(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Options that several runs of a preset have in common beside it, by what their files say."""
    first, *others = (run.get("changes", {}) for run in runs)
    return {
        path: value for path, value in first.items() if all(path in other and other[path] == value for other in others)
    }


def unlike(own: Mapping[str, Any], theirs: Mapping[str, Any]) -> tuple[str, str] | None:
    """Two sets of changes as far as they differ, in words; None where they do not."""
    ours = {path: value for path, value in own.items() if path not in theirs or theirs[path] != value}
    others = {path: value for path, value in theirs.items() if path not in own or own[path] != value}
    if not ours and not others:
        return None
    one, other = (" ".join(as_words(changed)) or "what the preset has" for changed in (ours, others))
    return one, other


def _flat(run: Train) -> dict[str, Any]:
    return flat_options(asdict(run))


def _unchecked(words: Sequence[str]) -> dict[str, Any]:
    """Options as they are composed, with those that a preset has set for another choice than the one that is made."""
    try:
        plain = OmegaConf.to_container(compose("train", list(words)), resolve=True)
    except UserError:  # choices of a plugin
        return {}
    assert isinstance(plain, dict)
    return flat_options(plain)


def as_words(options: Mapping[str, Any]) -> list[str]:
    """Options as one would give them on a command line."""
    words = []
    for path, value in options.items():
        if path.startswith("~"):
            words.append(path)
            continue
        group, _, leaf = path.rpartition(".")
        name = group if leaf == "name" and group in CHOICES else path
        text = quoted(value) if isinstance(value, str) else shown_option(value).replace(" ", "")
        if isinstance(value, float) and float(text) != value:
            text = repr(value)  # as of a search: with all its digits
        words.append(f"{name}={text}")
    return words


def command_of(preset: str, options: Mapping[str, Any], seeds: Sequence[int]) -> str:
    """What one types for these runs."""
    several = ["-m"] if len(seeds) > 1 else []
    words = [*several, f"experiment={preset}", *as_words(options), f"seed={','.join(map(str, seeds))}"]
    return " ".join(["python -m fashseg.train", *map(shlex.quote, words)])
