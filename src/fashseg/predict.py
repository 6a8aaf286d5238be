"""Label pictures of any size: ``python -m fashseg.predict run=RUN input=PATH``."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from fashseg import cli
from fashseg.checking import check
from fashseg.commands import quoted
from fashseg.errors import RunError, UserError
from fashseg.importing import heavy_imports
from fashseg.predicting.inputs import check_words, find_pictures
from fashseg.predicting.output import Output
from fashseg.ranks.options import several
from fashseg.run import RunFolder
from fashseg.seen_ahead import task_of_weights
from fashseg.text import counted, on_one_line
from fashseg.two_lines import failing_in_two_lines
from fashseg.verb_options import Predict
from fashseg.which_model import require_model

_LISTED = 20  # unreadable pictures that are shown; the JSON file has all


def prepare(plans: Sequence[Predict], overrides: list[Override], multirun: bool) -> list[str]:
    """Look at options, model and pictures before torch is imported."""
    del overrides
    if multirun:
        raise UserError("predict labels pictures by one model; -m is for train.", "Leave out -m.")
    options = plans[0]
    _check_values(options)
    found = require_model(run=options.run, model=options.weights, checkpoint=options.checkpoint)
    task = found.read_results().get("task") if isinstance(found, RunFolder) else task_of_weights(found)
    _check_for_task(options, str(task))
    if options.overlap >= options.tile:
        raise UserError(
            f"overlap={options.overlap} is not less than tile={options.tile}.", f"Set overlap={options.tile // 4}."
        )
    check_words(_words(options))
    Output(options.output)
    return []


def _check_values(options: Predict) -> None:
    if options.short_side not in ("auto", "native") and not (
        isinstance(options.short_side, int) and 1 <= options.short_side <= 65_536
    ):
        raise UserError(
            f"short_side={options.short_side} is neither auto nor native nor a number of pixels.",
            "Choose one of them, or a number from 1 to 65,536.",
        )
    if several(options.trainer):
        raise UserError("predict computes on one device.", "Leave out trainer.devices and trainer.strategy.")


def _check_for_task(options: Predict, task: str) -> None:
    """Refuse options that mean nothing to this kind of model."""
    of_other = {"segmentation": ("top", "invert", "trim"), "classification": ("short_side", "tile", "overlap")}
    for name in of_other.get(task, ()):
        if (value := getattr(options, name)) != getattr(Predict(), name):
            other = "classification" if task == "segmentation" else "segmentation"
            raise UserError(
                f"{name}={str(value).lower()} is not for {task}.", f"Leave out {name}=, or name a model for {other}."
            )


def _words(options: Predict) -> list[str]:
    given = options.input
    words = [given] if isinstance(given, (str, int, float)) else given
    if words is None:
        return []
    if not isinstance(words, list) or not all(isinstance(word, (str, int, float)) for word in words):
        raise UserError(f"input={given} is neither a path nor a list of paths.", "Write input=PATH or input=[A,B].")
    return [str(word) for word in words]


def job(composed: DictConfig) -> None:
    """Label, print, and keep the results in the output folder."""
    with failing_in_two_lines(composed.debug):
        _predict(check(Predict, composed))


def _predict(options: Predict) -> None:
    output = Output(options.output)
    inputs = find_pictures(_words(options), leave_out=output.path)
    with heavy_imports():
        from fashseg.devices import predicting_precision, torch_device
        from fashseg.predicting.predictor import Predictor
        from fashseg.predicting.work import Work, set_up_process
        from fashseg.summary import console
        from fashseg.trained import load_trained

    trained = load_trained(run=options.run, model=options.weights, checkpoint=options.checkpoint)
    _check_for_task(options, trained.info.task)
    set_up_process(trained.info.task)
    device, precision = torch_device(options.trainer), predicting_precision(options.trainer)
    predictor = Predictor(trained, device, precision=precision, batch_size=options.batch_size)
    screen = console()
    work = Work(predictor, inputs, output, options, screen)
    if trained.info.task == "classification":
        from fashseg.predicting.classifying import classify_files as label
    else:
        from fashseg.predicting.segmenting import segment_files as label
    start = time.perf_counter()
    written = label(work)
    seconds = time.perf_counter() - start
    if not written:
        path, reason = work.unreadable[0]
        others = f", and so with {counted(len(inputs.paths) - 1, 'other')}" if len(inputs.paths) > 1 else ""
        raise UserError(f"{path} {reason}{others}.", "Name pictures that can be read.")
    done = len(inputs.paths) - len(work.unreadable)
    screen.print(
        f"{counted(done, 'picture')} in {seconds:.1f} s, {done / seconds:,.{0 if done > 10 * seconds else 1}f} a second"
    )
    if trained.info.synthetic:
        screen.print("This model was trained on drawn pictures alone: expect little of it on photographs.")
    if inputs.ignored:
        screen.print(f"{counted(inputs.ignored, 'file')} left alone: no pictures by their suffix")
    for path in written:
        screen.print(f"{'folder' if path.is_dir() else 'file'} {path}")
    _tell_unreadable(work.unreadable, screen.print)


def _tell_unreadable(unreadable: list[tuple[Path, str]], tell: object) -> None:
    assert callable(tell)
    if not unreadable:
        return
    for path, reason in unreadable[:_LISTED]:
        tell(f"unreadable: {on_one_line(str(path))} {reason}")
    if len(unreadable) > _LISTED:
        tell(f"and {len(unreadable) - _LISTED:,} more")
    raise RunError(
        f"{counted(len(unreadable), 'picture')} could not be read; all others are done.",
        "predictions.json lists them with the reasons.",
    )


def main(words: Sequence[str] | None = None) -> int:
    """The command; ``words`` take the place of the command line's."""
    given = list(sys.argv[1:] if words is None else words)
    verb = cli.Verb("predict", Predict, job, prepare, paths="input", renamed={"model": "weights"})
    return cli.main(verb, [_with_quotes(word) for word in given])


def _with_quotes(word: str) -> str:
    """Paths as a shell gives them, whatever characters they have: only lists and what is quoted are left to Hydra."""
    key, equals, value = word.partition("=")
    plain = key in ("input", "output") and value and value[0] not in "[\"'"
    return f"{key}{equals}{quoted(value)}" if plain and value != "null" else word


if __name__ == "__main__":
    sys.exit(main())
