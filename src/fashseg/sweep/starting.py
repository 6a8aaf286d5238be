"""What is seen to before a search starts: its name, its folder, its storage, packages, the command to go on with."""

import importlib.metadata
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.types import Override

from fashseg.commands import quoted
from fashseg.config import Train
from fashseg.errors import UserError
from fashseg.extras import require
from fashseg.files import require_writable
from fashseg.sweep.search import Search
from fashseg.sweep.storage import in_full_url, without_password
from fashseg.untrusted import RefusedError, read_json

_OLDEST = (4, 9)


def refuse_in_sweep(plans: Sequence[Train]) -> None:
    """Refuse what no sweep can do, a search or a plain one.

    Args:
        plans: options of its jobs.
    """
    if plans[0].resume is not None:
        raise UserError("resume= goes on with one run, -m starts several.", "Leave out one of the two.")
    for plan in plans:
        for option, value in (
            ("loss.teacher", getattr(plan.loss, "teacher", None)),
            ("model.weights_file", getattr(plan.model, "weights_file", None)),
        ):
            if value and "latest" in Path(value).parts and (run := Path(value).resolve()) != Path(value).absolute():
                raise UserError(
                    f"{option}={value} is another run for each job: the newest one.", f"Write {option}={run}."
                )


def start(search: Search, overrides: Sequence[Override], words: Sequence[str]) -> list[str]:
    """Complete a checked search, see that its study can be worked on, and keep it for the sweeper.

    Args:
        search: gets its name, folder, storage and command.
        overrides: of the command line.
        words: of the command line, as they were typed.

    Returns:
        Overrides that tell each job where its study and its folder are, and how it is judged.

    Raises:
        UserError: a package is missing, a folder or the storage can't be used, or has another study of this name.
    """
    _require_packages(search)
    given = {override.key_or_group: override.value() for override in overrides}
    search.study_name = search.options.study_name or search.default_name()
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,99}", search.study_name, re.ASCII):
        raise UserError(
            f"hydra.sweeper.study_name={search.study_name} is no name of a folder.", "Use letters, digits, _, . and -."
        )
    folder = given.get("hydra.sweep.dir")
    search.folder = Path(str(folder)) if folder else search.default_folder()
    search.storage = in_full_url(search.options.storage, search.folder)
    shown = [without_password(word) for word in words]
    search.command = " ".join(["python -m fashseg.train", *map(shlex.quote, shown)])
    _refuse_taken(search)
    require_writable(search.folder, "hydra.sweep.dir")
    from fashseg.sweep.loop import hand_over  # brings Optuna
    from fashseg.sweep.study import Study

    Study(search, search.folder).close()
    hand_over(search)
    options = search.options
    return [
        # A file of conf/sweep has chosen it for this process; its jobs are composed without that file.
        *([] if "hydra/sweeper" in given else ["hydra/sweeper=optuna"]),
        f"hydra.sweep.dir={quoted(search.folder)}",
        f"hydra.sweeper.study_name={quoted(search.study_name)}",
        f"hydra.sweeper.storage={quoted(search.storage)}",
        f"hydra.sweeper.objectives=[{','.join(map(quoted, options.objectives))}]",
        f"hydra.sweeper.direction=[{','.join(options.directions)}]",
        f"hydra.sweeper.pruner={options.pruner}",
        f"hydra.sweeper.warmup_epochs={options.warmup_epochs}",
    ]


def _refuse_taken(search: Search) -> None:
    """Refuse a folder of a plain sweep, or of another search: its runs have the same numbers."""
    names = {path.name for path in search.folder.iterdir()} if search.folder.is_dir() else set()
    if names and not names & {"study.json", "study.journal"}:
        raise UserError(f"{search.folder} holds something else than a search.", "Choose another hydra.sweep.dir.")
    try:
        record = read_json(search.folder / "study.json")
    except (OSError, RefusedError):
        return
    before = record.get("study_name") if isinstance(record, dict) else None
    if before != search.study_name:
        raise UserError(
            f"{search.folder} holds the search {before}, and this one is {search.study_name}.",
            "Choose another hydra.sweep.dir, or the same search again.",
        )


def _require_packages(search: Search) -> None:
    require("hydra/sweeper=optuna", ["optuna"], "sweep")
    if search.options.sampler == "cmaes":
        require("hydra.sweeper.sampler=cmaes", ["cmaes"], "sweep")
    version = importlib.metadata.version("optuna")
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < _OLDEST:
        raise UserError(f"hydra/sweeper=optuna needs optuna 4.9 or newer; there is {version}.", "pip install -U optuna")
