"""Which models the page offers: looked for before torch is imported, then loaded."""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from fashseg.checking import did_you_mean
from fashseg.errors import UserError
from fashseg.files import in_full
from fashseg.run import RunFolder
from fashseg.text import printable
from fashseg.verb_options import Demo

if TYPE_CHECKING:
    from fashseg.predicting.predictor import Predictor


def check_models(options: Demo) -> None:
    """Refuse what can be seen to be wrong before torch is imported.

    Raises:
        UserError: there is no model, or one that is named is not there.
    """
    names = _of_the_package()
    if options.run is not None:
        folder = RunFolder(in_full("run", options.run))
        folder.read_results()
        path = folder.checkpoint(options.checkpoint)
        if not path.is_file():
            raise UserError(f"{path} does not exist.", "Name a run that has trained at least one epoch.")
    for word in _named(options):
        _check_name(word, names)
    if options.run is None and not _named(options):
        raise UserError("there is no model to show.", "Name a run of yours, such as run=outputs/latest.")


def load_models(options: Demo) -> "dict[str, Predictor]":
    """The models by the names that the page shows; that of a run first.

    Raises:
        UserError: one is damaged, or takes no pictures.
    """
    from fashseg.engine import accelerator, precision
    from fashseg.predicting.predictor import Predictor
    from fashseg.trained import load_trained

    device = {"gpu": "cuda"}.get(name := accelerator(options.trainer), name)
    # As where models are scored, full precision unless another one is asked for.
    chosen = "32" if options.trainer.precision == "auto" else precision(options.trainer)
    models: dict[str, Predictor] = {}
    for run, model in _sources(options):
        trained = load_trained(run=run, model=model, checkpoint=options.checkpoint)
        name = trained.name if run is None else f"{trained.name} of {run}"
        if name in models:
            name = f"{name} ({trained.origin})"
        models[printable(name)] = Predictor(trained, device, precision=chosen)
    return models


def _sources(options: Demo) -> Iterator[tuple[str | None, str | None]]:
    """Run or model, one of them None."""
    if options.run is not None:
        yield str(in_full("run", options.run)), None
    for word in dict.fromkeys(_named(options)):
        yield None, word if word in _of_the_package() else str(in_full("model", word))


def _of_the_package() -> list[str]:
    """As `fashseg.trained.shipped`, which imports torch."""
    folder = Path(str(resources.files("fashseg"))) / "weights"
    return sorted(path.stem for path in folder.glob("*.safetensors"))


def _named(options: Demo) -> list[str]:
    given = options.weights
    if given is None:
        return _of_the_package()
    words = given if isinstance(given, list) else [given]
    if not words or not all(isinstance(word, (str, int, float)) for word in words):
        raise UserError(f"model={given} is neither a name nor a list of names.", "Write model=NAME or model=[A,B].")
    return [str(word) for word in words]


def _check_name(word: str, names: list[str]) -> None:
    there_are = f"There are {', '.join(names)}; a run of your own is run=FOLDER." if names else "Name a run= or a file."
    if word in names:
        return
    path = in_full("model", word)
    if path.suffix != ".safetensors":
        raise UserError(
            f"model={word} is neither a model of fashseg nor a file of weights (.safetensors).",
            did_you_mean(word, names, there_are),
        )
    if not path.is_file():
        raise UserError(f"model={word}: there is no such file.", there_are)
