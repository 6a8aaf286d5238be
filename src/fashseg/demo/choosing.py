"""Which models the page offers: looked for before torch is imported, then loaded."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fashseg.errors import UserError
from fashseg.text import printable
from fashseg.verb_options import Demo
from fashseg.which_model import require_model, shipped

if TYPE_CHECKING:
    from fashseg.predicting.predictor import Predictor


def check_models(options: Demo) -> None:
    """Refuse what can be seen to be wrong before torch is imported.

    Raises:
        UserError: there is no model, or one that is named is not there.
    """
    sources = list(_sources(options))
    if not sources:
        raise UserError("there is no model to show.", "Name a run of yours, such as run=outputs/latest.")
    for run, model in sources:
        require_model(run=run, model=model, checkpoint=options.checkpoint)


def load_models(options: Demo) -> "dict[str, Predictor]":
    """The models by the names that the page shows; that of a run first.

    Raises:
        UserError: one is damaged, or takes no pictures.
    """
    from fashseg.devices import predicting_precision, torch_device
    from fashseg.predicting.predictor import Predictor
    from fashseg.trained import load_trained

    device, precision = torch_device(options.trainer), predicting_precision(options.trainer)
    models: dict[str, Predictor] = {}
    for run, model in _sources(options):
        trained = load_trained(run=run, model=model, checkpoint=options.checkpoint)
        name = trained.name if run is None else f"{trained.name} of {trained.origin}"
        if name in models:
            name = f"{name} ({trained.origin})"
        models[printable(name)] = Predictor(trained, device, precision=precision)
    return models


def _sources(options: Demo) -> Iterator[tuple[str | None, str | None]]:
    """Run or model, one of them None."""
    if options.run is not None:
        yield options.run, None
    for word in dict.fromkeys(_named(options)):
        yield None, word


def _named(options: Demo) -> list[str]:
    given = options.weights
    if given is None:
        return list(shipped())
    words = given if isinstance(given, list) else [given]
    if not words or not all(isinstance(word, (str, int, float)) for word in words):
        raise UserError(f"model={given} is neither a name nor a list of names.", "Write model=NAME or model=[A,B].")
    return [str(word) for word in words]
