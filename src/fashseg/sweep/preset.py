"""The best trial of a search as an experiment preset, which runs by its name. Imports no torch."""

import os
import re
import shlex
import tempfile
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fashseg import __version__
from fashseg.commands import command
from fashseg.errors import UserError
from fashseg.files import write_atomically
from fashseg.run import RunFolder
from fashseg.sweep.kept_study import Study, Trial
from fashseg.sweep.parsing import parse
from fashseg.sweep.preset_options import composed_of, disagreement, preset_of
from fashseg.sweep.ranking import best_of, front, own_words
from fashseg.text import counted, duration, listed, on_one_line
from fashseg.untrusted import RefusedError

FOLDER = Path("conf", "experiment")
BEST = "best"
MOST_ON_FRONT = 10
_WIDTH = 118
_FIRST_LINE = "# @package _global_\n"
_OF_A_SEARCH = "# Out of a search: "


def preset_command(folder: str, words: Sequence[str], name: str = BEST) -> str:
    """The command that trains by a preset in the folder of a search.

    Args:
        folder: of the search.
        words: of the command of the trial: the code of plugins is named by each command.
        name: of the preset.
    """
    given = [f"experiment={name}", *(word for word in words if word.startswith("plugins="))]
    return " ".join([command("train"), "--config-dir", *map(shlex.quote, [f"{folder}/conf", *given])])


def write_preset(folder: Path, study: dict[str, Any]) -> list[str]:
    """Write ``conf/experiment/best.yaml`` in the folder of a search; returns lines to print.

    The best trial is that of the best value on validation images. Of several objectives it is the best in the first
    one, and the other trials of the Pareto front have a file each, ``front_NUMBER.yaml``, at most ten.

    A preset is composed before it is written, and left out where it does not come to the options of its trial. What
    goes wrong is a line, too: the search itself has succeeded.

    Args:
        folder: of the search.
        study: the content of its ``study.json``.
    """
    try:
        record = parse(study)
    except RefusedError as error:
        return [f"no preset was written: study.json can't be read: {error}"]
    best = best_of(record)
    if best is None:
        return ["no preset was written: no trial has finished"]
    chosen = {BEST: best}
    if len(record.objectives) > 1:
        others = [trial for trial in front(record) if trial is not best]
        chosen |= {f"front_{trial.number}": trial for trial in others[:MOST_ON_FRONT]}
    lines = []
    for name, trial in chosen.items():
        try:
            lines += _write(folder, record, name, trial)
        except UserError as error:
            lines.append(f"no preset of trial {trial.number} was written: {error.what}")
        except OSError as error:
            lines.append(f"{error.filename or folder} can't be written: {error.strerror}")
    _remove_others(folder / FOLDER, set(chosen))
    return lines


def _write(folder: Path, study: Study, name: str, trial: Trial) -> list[str]:
    words = own_words(study, trial)
    run = RunFolder(os.path.normpath(folder / trial.folder)) if trial.folder else None
    config = run.read_config() if run is not None and run.config.is_file() else composed_of(words)
    preset = preset_of(config, words)
    text = f"{_FIRST_LINE}{_header(folder, study, name, trial, run)}{preset.text}"
    with tempfile.TemporaryDirectory() as trying:
        path = Path(trying, "experiment", f"{name}.yaml")
        write_atomically(path, text)
        if wrong := disagreement(Path(trying), name, preset):
            raise UserError(f"it would not come to the same options: {wrong}", "Start it by the command of the trial.")
    path = folder / FOLDER / f"{name}.yaml"
    write_atomically(path, text)
    return [_told(study, trial, name), f"  {preset_command(_shown(folder), words, name)}"]


def _told(study: Study, trial: Trial, name: str) -> str:
    values = _values(study, trial)
    if name != BEST:
        return f"on the Pareto front: trial {trial.number}, {values}; as a preset:"
    which = "best trial" if len(study.objectives) == 1 else f"best trial in {study.objectives[0]}"
    return f"{which}: {trial.number}, {values}; as a preset:"


def _values(study: Study, trial: Trial) -> str:
    """The values of the objectives, on validation images."""
    known = [
        f"{name} {value:.4f}" if abs(value) < 1000 else f"{name} {value:,.0f}"
        for name, value in zip(study.objectives, trial.values, strict=True)
        if value is not None
    ]
    return f"{listed(known)} on validation"


def _header(folder: Path, study: Study, name: str, trial: Trial, run: RunFolder | None) -> str:
    """The command, what it reached and on what; in comments."""
    results = _results(run)
    count = len([other for other in study.trials if other.value() is not None])
    place = "the best of" if name == BEST else "on the Pareto front of"
    first = f"{_OF_A_SEARCH}trial {trial.number} of {study.name}, {place} {counted(count, 'finished trial')}"
    first += f" by {study.objectives[0]} on validation images." if name == BEST else "."
    costs = [counted(int(results["epochs_run"]), "epoch")] if _is_number(results.get("epochs_run")) else []
    if _is_number(results.get("train_seconds")):
        costs.append(f"{duration(results['train_seconds'])} of training")
    where = ""
    machine, versions = results.get("machine"), results.get("versions")
    if isinstance(machine, dict) and isinstance(machine.get("processor"), str):
        where = f"on {', '.join(map(str, machine.get('gpus') or [machine['processor']]))}"
    torch = f", PyTorch {versions['torch']}" if isinstance(versions, dict) and "torch" in versions else ""
    flattered = " The best of several scores on the same images is flattered by the choice." if count > 1 else ""
    took = " ".join(filter(None, [", ".join(costs), where]))
    values = _values(study, trial)
    body = (
        f"{values[0].upper()}{values[1:]}{f': {took}' if took else ''}.{flattered} "
        f"Written on {datetime.now(UTC):%Y-%m-%d} by fashseg {__version__}{torch}. "
        f"Found by {study.sampler}, pruner {study.pruner}:"
    )
    lines = [*_wrapped(first), "#", f"#   {preset_command(_shown(folder), own_words(study, trial), name)}", "#"]
    return "\n".join([*map(on_one_line, [*lines, *_wrapped(f"# {body}"), "#", f"#   {study.command}"])]) + "\n"


def _wrapped(line: str) -> list[str]:
    whole = " ".join(on_one_line(line).split())
    return textwrap.wrap(whole, _WIDTH, subsequent_indent="# ", break_long_words=False, break_on_hyphens=False)


def _results(run: RunFolder | None) -> dict[str, Any]:
    try:
        return run.read_results() if run is not None else {}
    except UserError:
        return {}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e12


def _shown(folder: Path) -> str:
    """From the current folder, where it is below it."""
    whole, here = folder.absolute(), Path.cwd()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) and whole != here else str(folder)


def _remove_others(folder: Path, names: set[str]) -> None:
    """Delete presets of trials that were on the front when the search had come less far."""
    for path in folder.glob("front_*.yaml"):
        if path.stem not in names and re.fullmatch(r"front_\d+", path.stem) and _is_ours(path):
            path.unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(len(_FIRST_LINE + _OF_A_SEARCH)) == _FIRST_LINE + _OF_A_SEARCH
    except (OSError, UnicodeDecodeError):
        return False
