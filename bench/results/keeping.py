"""Copies what results.json says of a run into docs/results: what it takes to believe it and to run it again.

Left out is what is of one machine or one person: folders, notes, names of trackers and of runs. Of ablations, which
choose, test scores are left out, too: nothing is chosen by them.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.results.changes import as_words, changed_options, task_of_preset, unlike
from bench.results.kept import ABLATIONS, FOLDER, ITSELF, NAMES, Kept, file_name, read_variant
from fashseg.checking import check
from fashseg.composing import conf_dir
from fashseg.config import Train
from fashseg.data.sources import SOURCES
from fashseg.errors import UserError
from fashseg.files import write_atomically
from fashseg.report.network import multiply_adds
from fashseg.run import RunFolder
from fashseg.tasks import build_task
from fashseg.untrusted import RefusedError, read_json

KEPT = (
    *("task", "model", "data", "loss", "seed", "fold", "folds", "split", "images", "val_images_of_trained_buildings"),
    *(
        "initial_weights",
        "teacher",
        "ema_decay",
        "parameters",
        "multiply_adds",
        "precision",
        "processes",
        "threads",
        "machine",
        "started",
        "resumed",
        "versions",
    ),
    *("git", "epochs_run", "train_seconds", "train_cpu_seconds", "images_per_second", "images_per_cpu_second"),
    *("peak_memory_bytes", "skipped_steps", "fingerprints"),
)
_NEEDED = ("task", "seed", "parameters", "epochs_run", "train_seconds", "val", "test")
PARTS = ("val", "test")
# What no two runs have alike, nor a run before and after it was gone on with.
_OF_ONE_RUN = ("started", "train_seconds", "epochs_run", "val")
# Of the same weights on the same images, on another processor perhaps.
_SAME = 0.002
_ABSOLUTE = re.compile(r"(?:^|[\s=:'\"\[,(])(?:~|/|[A-Za-z]:\\)[\w.~-]+[/\\]")


@dataclass(frozen=True)
class Wish:
    """As what runs are kept.

    Attributes:
        preset: of ``conf/experiment``.
        variant: of its recipe, for an ablation; ``preset`` for the recipe itself; None for the tables of the preset.
        commit: of the code, where the run was started from a copy that does not know its commit.
        anyway: keep it although something speaks against it, which is noted in the file.
        replace: take the place of the file of another run.
    """

    preset: str
    variant: str | None = None
    commit: str | None = None
    anyway: bool = False
    replace: bool = False


def keep(run: Path, wish: Wish, folder: Path = FOLDER) -> Path:
    """Write the file of a run; that of the same run is replaced.

    Raises:
        UserError: it is no finished run, or of another task than the preset, or something speaks against it: code that
            was not committed, options that are not those of the preset or of the other runs of its variant, a part
            of the data alone; or the file of its name is of another run.
    """
    check_wish(wish)
    source = RunFolder(run)
    results = source.read_results()
    require_finished(source, results, _NEEDED)
    if results["task"] != (task := task_of_preset(wish.preset)):
        raise UserError(f"{run} is of {results['task']}, and {wish.preset} of {task}.", "Name a preset of its task.")
    changes = changed_options(source, wish.preset)
    content: dict[str, Any] = {"preset": wish.preset, **({"variant": wish.variant} if wish.variant else {})}
    content |= {name: results[name] for name in KEPT if name in results}
    if content.get("multiply_adds") is None:  # of a run that is older than this entry
        content["multiply_adds"] = _multiply_adds(source)
    if wish.commit:
        content["git"] = {"commit": _commit(wish.commit), "dirty": False, "stated": True}
    place = folder / ABLATIONS / wish.preset if wish.variant else folder
    path = place / file_name(wish.variant or wish.preset, results.get("fold"), results["seed"])
    against = list(reasons_against(results, content.get("git"), {} if wish.variant else changes))
    if wish.variant:
        against += _unlike_its_variant(changes, read_variant(wish.preset, wish.variant, folder, path))
    if against and not wish.anyway:
        raise UserError(f"{run} is not kept: {'; '.join(against)}.", "With --anyway it is kept, and this is noted.")
    content |= {"changes": changes, "against": against, **_scores(source, results, ablation=bool(wish.variant))}
    _refuse_personal(run, content)
    if not wish.replace:
        _refuse_another(path, run, content)
    place.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return path


def _unlike_its_variant(changes: dict[str, Any], others: Sequence[Kept]) -> Iterator[str]:
    """That it is no run of its variant, whose first other run it is held against."""
    own = json.loads(json.dumps(changes))  # as a file has them
    for other in others[:1]:
        if apart := unlike(own, other.results.get("changes", {})):
            yield f"it is run with {apart[0]}, and {other.draw_in_words} of its variant with {apart[1]}"


def _refuse_another(path: Path, run: Path, content: dict[str, Any]) -> None:
    """Raises UserError where a file is there that is not of the same run, as far as one can tell."""
    try:
        before = read_json(path)
    except FileNotFoundError:
        return
    except (OSError, RefusedError):
        before = None
    if not isinstance(before, dict) or any(before.get(name) != content.get(name) for name in _OF_ONE_RUN):
        raise UserError(
            f"{path} is of another run than {run}, which would replace it.", "With --replace it does: see git diff."
        )


def _multiply_adds(source: RunFolder) -> int | None:
    run = check(Train, source.read_config())
    return multiply_adds(build_task(run, SOURCES[run.data.name].info))


def check_wish(wish: Wish) -> None:
    """Raises UserError where there is no such preset, or a name is none for a file."""
    presets = sorted(path.stem for path in (conf_dir() / "experiment").glob("*.yaml"))
    if wish.preset not in presets:
        raise UserError(f"--as {wish.preset} is no preset of conf/experiment.", f"There are {', '.join(presets)}.")
    if wish.variant is not None and not NAMES.fullmatch(wish.variant):
        raise UserError(
            f"--variant {wish.variant} is no name for a file.",
            f"Take small letters, digits and _; {ITSELF} is the recipe itself.",
        )


def require_finished(source: RunFolder, results: dict[str, Any], entries: Sequence[str]) -> None:
    """Raises UserError where a run is not finished, or its results lack one of the entries that are needed."""
    if results["status"] != "finished":
        raise UserError(
            f"{source.path} is not finished: its status is {results['status']}.", "Go on with it, by resume=."
        )
    if missing := [name for name in entries if results.get(name) is None]:
        raise UserError(f"{source.results} does not say {', '.join(missing)}.", "Name a run that train has finished.")


def reasons_against(results: dict[str, Any], git: Any, changes: dict[str, Any]) -> Iterator[str]:
    """What speaks against a run, each in a few words.

    Args:
        results: what results.json says of it.
        git: the state of its code, as there.
        changes: options that are not those of the preset.
    """
    if not git:
        yield "it does not know of which commit its code was"
    elif git["dirty"]:
        yield "its code had changes that were not committed"
    if changes:
        yield f"it is no run of the preset, but with {' '.join(as_words(changes))}"
    for name, words in (
        ("synthetic", "its images were drawn by code"),
        ("partial", "it had a part of the data set"),
        ("limited", "it used few batches"),
    ):
        if results.get(name):
            yield words


def _commit(named: str) -> str:
    """The whole name of a commit of this repository."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--verify", "--quiet", f"{named}^{{commit}}"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise UserError(
            f"--commit {named} is no commit of this repository.",
            "Give the hash that git log shows for the code of the run, or its first letters.",
        ) from error


def _scores(source: RunFolder, results: dict[str, Any], *, ablation: bool) -> dict[str, Any]:
    parts = ("val",) if ablation else PARTS
    scores: dict[str, Any] = {part: results[part] for part in parts}
    flips = {part: found for part in parts if (found := _flips(source, results, part))}
    return {**scores, **({"flips": flips} if flips else {})}


def _flips(source: RunFolder, results: dict[str, Any], part: str) -> dict[str, Any] | None:
    """Scores with mirror images, of the run or of ``evaluate flips=true``; without their confusion matrix.

    Raises:
        UserError: evaluate has scored other weights or images.
    """
    found = results.get("flips", {}).get(part)
    path = source.path / f"evaluate_{part}_best.json"
    if found is None and path.is_file():
        try:
            told = read_json(path)
            found = told.get("flips", {}).get(part)
            apart = found is not None and abs(told[part]["loss"] - results[part]["loss"])
        except (OSError, RefusedError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path} can't be used: {error}.", "Score the run again, or remove it.") from error
        if apart > _SAME * max(1, results[part]["loss"]):
            raise UserError(
                f"{path} is of other weights than the scores of the run: their losses differ by {apart:.4f}.",
                "Score the run again by fashseg.evaluate, with flips=true.",
            )
    return found and {name: value for name, value in found.items() if name != "confusion_matrix"}


def _refuse_personal(run: Path, content: dict[str, Any]) -> None:
    """Raises UserError where a folder of the machine would be kept, of whoever has run it."""
    for path, text in _texts(content):
        if _ABSOLUTE.search(text):
            raise UserError(
                f"{run}: its {path} names a folder of the machine: {text!r:.80}.",
                "Name files from the repository on, and what is of the machine by a variable such as $FASHSEG_DATA.",
            )


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inside in value.items():
            yield from _texts(inside, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inside in value:
            yield from _texts(inside, path)
