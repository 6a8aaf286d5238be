"""Where the data of a run is: the option that says it, which differs from machine to machine. Imports no torch."""

from typing import Any

from omegaconf import DictConfig, OmegaConf

from fashseg import config as cfg
from fashseg.errors import UserError
from fashseg.files import in_full
from fashseg.references import escaped
from fashseg.which_model import shipped

OWN = ("image_folder", "mask_folder")
"""Data sets of one's own pictures, whose groups may be anything."""
PLACES = ("data.root", "data.url", "data.endpoint")
"""Options that say where data is, and not what is computed."""


def place_in_words(data: cfg.Data) -> str:
    """As it is given on the command line."""
    return f"data.url={data.url}" if isinstance(data, cfg.Streaming) else f"data.root={data.root}"


def set_place(composed: DictConfig, place: str) -> None:
    """Have a configuration read its data elsewhere."""
    OmegaConf.update(composed, "data.url" if _streams(composed) else "data.root", escaped(place))


def make_absolute(composed: DictConfig) -> None:
    """Have a configuration mean the same from another folder, and when outputs/latest is another run."""
    OmegaConf.update(composed, "data.root", escaped(str(in_full("data.root", composed.data.root).absolute())))
    if isinstance(file := composed.model.get("weights_file"), str):
        OmegaConf.update(composed, "model.weights_file", escaped(str(in_full("model.weights_file", file).resolve())))
    if (teacher := composed.loss.get("teacher")) and teacher not in shipped():
        OmegaConf.update(composed, "loss.teacher", escaped(str(in_full("loss.teacher", teacher).resolve())))
    if _streams(composed):
        from fashseg.data.streaming.places import address

        OmegaConf.update(composed, "data.url", escaped(address(composed.data.url)))


def absolute_places(data: cfg.Data) -> dict[str, Any]:
    """Values of these options by their names, as they mean the same from another folder."""
    places: dict[str, Any] = {"root": str(in_full("data.root", data.root).absolute())}
    if isinstance(data, cfg.Streaming):
        from fashseg.data.streaming.places import address

        places["url"] = address(data.url)
    return places


def require_task(run: cfg.Train, task: str) -> None:
    """Refuse data that turns out to be for another task than the model.

    Raises:
        UserError: it is.
    """
    wanted = cfg.TASKS["model"][run.model.name]
    if task != wanted:
        models = [name for name, known in cfg.TASKS["model"].items() if known == task]
        raise UserError(
            f"model={run.model.name} does {wanted}, {place_in_words(run.data)} is for {task}.",
            f"Choose model={' or model='.join(models)}, or other data.",
        )


def _streams(composed: DictConfig) -> bool:
    return bool(composed.data.get("name") == "streaming" and "url" in composed.data)
