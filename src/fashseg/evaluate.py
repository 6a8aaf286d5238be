"""Score a trained model again: ``python -m fashseg.evaluate run=RUN``."""

import json
import sys
from collections.abc import Sequence

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from fashseg import cli
from fashseg.checking import check
from fashseg.config import Train
from fashseg.data_place import set_place
from fashseg.errors import RunError, UserError
from fashseg.files import write_atomically
from fashseg.importing import heavy_imports
from fashseg.ranks.options import several
from fashseg.run import RunFolder, is_first_process
from fashseg.two_lines import failing_in_two_lines
from fashseg.verb_options import Evaluate
from fashseg.which_model import require_run


def prepare(plans: Sequence[Evaluate], overrides: list[Override], multirun: bool) -> list[str]:
    """Look at the run before torch is imported."""
    del overrides
    if multirun:
        raise UserError("evaluate scores one run; -m is for train.", "Leave out -m.")
    if several(plans[0].trainer):
        raise UserError("evaluate computes on one device.", "Leave out trainer.devices, .nodes and .strategy.")
    _load(plans[0])
    return []


def _load(options: Evaluate) -> tuple[RunFolder, Train]:
    folder = require_run(options.run, options.checkpoint)
    composed = folder.read_config()
    if options.root is not None:
        set_place(composed, options.root)
    return folder, check(Train, composed)


def job(composed: DictConfig) -> None:
    """Score, print, and keep the scores in the run folder."""
    with failing_in_two_lines(composed.debug):
        _score(check(Evaluate, composed))


def _score(options: Evaluate) -> None:
    with heavy_imports():
        from fashseg.engine import set_up_process
        from fashseg.record import without_nan
        from fashseg.scoring import build_data, build_trained, go_by_run, score
        from fashseg.summary import console, flips_in_words, score_table

    folder, run = _load(options)
    set_up_process(run.seed)
    data = build_data(run)
    go_by_run(data, folder.checkpoint(options.checkpoint))
    task = build_trained(run, data.info, folder.checkpoint(options.checkpoint))
    scores = score(task, data, options.split, options.trainer)
    said = folder.read_results()
    known = said.get("fingerprints")
    own = not isinstance(known, dict) or not data.changed(
        {name: known[name] for name in known if name == options.split}
    )
    results = {
        "task": data.info.task,
        "data": data.info.name,
        "synthetic": data.info.synthetic,
        "limited": bool(said.get("limited") or options.trainer.limit_batches),
        "partial": data.partial,
        "images_of_the_run": own,
        "checkpoint": options.checkpoint,
        options.split: scores,
    }
    if options.flips:
        results["flips"] = {options.split: score(task, data, options.split, options.trainer, flips=True)}
    if not is_first_process():
        return
    screen = console()
    if not own:
        screen.print(
            f"These are not the {options.split} images of the run: its data has changed. Images it was trained on may "
            "be among them."
        )
    if options.split == "test" and said["status"] != "finished":
        screen.print("This run is not finished: choose nothing by its test score, or test images decide.")
    screen.print(score_table(results))
    if options.flips:
        screen.print(flips_in_words(results))
    path = folder.path / f"evaluate_{options.split}_{options.checkpoint}.json"
    try:
        write_atomically(path, json.dumps(without_nan(results), indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise RunError(f"{path} can't be written: {error.strerror}.", "The scores above are not kept.") from error
    screen.print(f"scores {path}")


def main(words: Sequence[str] | None = None) -> int:
    """The command; ``words`` take the place of the command line's."""
    return cli.main(cli.Verb("evaluate", Evaluate, job, prepare), words)


if __name__ == "__main__":
    sys.exit(main())
