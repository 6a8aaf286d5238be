"""Trained models as they are used: of a run folder, of the package, or out of a file of weights.

A file of weights is in the safetensors format: tensors, and text that says what network they are of and what its images
are. Nothing in it can run.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from fashseg.checking import check_choice, did_you_mean
from fashseg.checkpoints import read_checkpoint
from fashseg.data.info import DataInfo
from fashseg.errors import UserError
from fashseg.files import write_atomically
from fashseg.models import build_model
from fashseg.run import RunFolder
from fashseg.tasks import Task, task_class

FORMAT = "1"
_MOST_CLASSES = 255
_MOST_CHANNELS = 4096
_MOST_SIDE = 65_536


@dataclass(frozen=True)
class Trained:
    """A network with its weights.

    Attributes:
        task: on the CPU, in evaluation mode.
        name: what it is called: of a shipped model its name, else that of the network.
        origin: where it was found, for a reader.
        about: what is known of it beside: for a shipped model scores, recipe and licence.
    """

    task: Task
    name: str
    origin: str
    about: Mapping[str, Any]

    @property
    def info(self) -> DataInfo:
        """The data set that it was trained on."""
        return self.task.info


def shipped() -> dict[str, Path]:
    """The models that come with the package, by name."""
    folder = Path(str(resources.files("fashseg"))) / "weights"
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def load_trained(*, run: str | None = None, model: str | None = None, checkpoint: str = "best") -> Trained:
    """The model of a run folder, or one by its name or file.

    Args:
        run: path of a run folder.
        model: name of a shipped model, or path of a file of weights.
        checkpoint: of the run, ``best`` or ``last``.

    Raises:
        UserError: neither or both are given, or there is no such model, or it is damaged.
    """
    if (run is None) == (model is None):
        raise UserError(
            "One of run= and model= is needed, and not both." if run else "run= and model= are missing.",
            f"Name a run folder, such as run=outputs/latest, or a model: {', '.join(shipped())}.",
        )
    if run is not None:
        return _of_run(RunFolder(run), checkpoint)
    assert model is not None
    if model in shipped():
        return read_weights(shipped()[model], name=model)
    if Path(model).suffix != ".safetensors":
        raise UserError(
            f"model={model} is neither a model of fashseg nor a file of weights (.safetensors).",
            did_you_mean(model, shipped(), f"There are {', '.join(shipped())}; a run of your own is run=FOLDER."),
        )
    return read_weights(Path(model))


def _of_run(folder: RunFolder, checkpoint: str) -> Trained:
    results = folder.read_results()
    path = folder.checkpoint(checkpoint)
    content = read_checkpoint(path)
    described = content.get("hyper_parameters")
    if not isinstance(described, dict):
        raise UserError(f"{path} does not say what network it is of.", "Name another run.")
    weights = {
        name.removeprefix("model."): value
        for name, value in content["state_dict"].items()
        if name.startswith("model.") and isinstance(value, Tensor)
    }
    task = _build(path, described, weights)
    return Trained(task, str(task.options["model"]["name"]), str(folder.path), results)


def save_weights(path: Path, task: Task, about: Mapping[str, Any], *, half: bool = False) -> None:
    """Write a file of weights.

    Args:
        path: of the file, which is complete or absent.
        task: whose network is written.
        about: more to say of it, plain values.
        half: as float16, which halves the file.

    Raises:
        OSError: the file can't be written.
    """
    weights = {
        name: (value.half() if half and value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in task.model.state_dict().items()
    }
    text = {
        "options": {"model": task.options["model"]},
        "info": task.info.to_dict(),
        "about": dict(about),
    }
    metadata = {"format": "pt", "fashseg": FORMAT, **{key: json.dumps(value) for key, value in text.items()}}
    write_atomically(path, save(weights, metadata))


def read_weights(path: Path, *, name: str | None = None) -> Trained:
    """A model out of a file that `save_weights` wrote.

    Raises:
        UserError: the file is missing, damaged, or of another program.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 it is no dictionary
        if metadata.get("fashseg") != FORMAT:
            raise UserError(
                f"{path} is no file of weights of fashseg in format {FORMAT}: it does not say what network it is of.",
                "Write one by python -m fashseg.export run=RUN format=safetensors.",
            )
        described = {key: json.loads(metadata[key]) for key in ("options", "info")}
        about = json.loads(metadata.get("about", "{}"))
    except (OSError, SafetensorError, KeyError, ValueError, RecursionError) as error:
        reason = "it does not exist" if isinstance(error, FileNotFoundError) else str(error).partition("\n")[0]
        raise UserError(f"{path} can't be read as weights: {reason}.", "Name another file, or a run.") from error
    task = _build(path, described, weights)
    return Trained(task, name or path.stem, str(path), about if isinstance(about, dict) else {})


def _build(path: Path, described: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Task:
    """The task of a description that nobody vouches for: built only where it fits the weights that are there."""
    way_out = "It is damaged, or of another version of fashseg; name another run or model."
    try:
        info = _checked_info(described["info"])
        options = {
            "optimizer": {"name": "adam"},
            "scheduler": {"name": "none"},
            "augment": {"name": "none"},
            "seed": 0,
            "model": check_choice("model", described["options"]["model"]),
        }
        with torch.device("meta"):  # takes no memory, whatever its size
            wanted = build_model(options["model"], info.shape, len(info.class_names)).state_dict()
        found = {name: tuple(value.shape) for name, value in weights.items()}
        for name, value in wanted.items():
            if found.pop(name, None) != tuple(value.shape):
                raise ValueError(f"{name} is not as the network needs it")
        if found:
            raise ValueError(f"it holds {next(iter(found))}, which the network does not have")
    except UserError as error:
        raise UserError(f"{path}: {error.what}", error.way_out) from error
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error).partition("\n")[0]
        raise UserError(f"{path} can't be used: {reason}.", way_out) from error
    task = task_class(info.task)(_plain(options), info.to_dict())
    task.model.load_state_dict({name: value.to(wanted[name].dtype) for name, value in weights.items()})
    return task.eval()


def _plain(options: dict[str, Any]) -> Any:
    return {**options, "model": asdict(options["model"])}


def _checked_info(values: Any) -> DataInfo:
    """Raises ValueError or TypeError where it is no description of a data set."""
    info = DataInfo.from_dict(dict(values))
    channels, *sides = info.shape
    names = info.class_names
    if info.task not in ("classification", "segmentation"):
        raise ValueError(f"its task is {info.task}")
    if not 1 <= len(names) <= _MOST_CLASSES or not all(isinstance(name, str) for name in names):
        raise ValueError("it has no names of classes")
    if len(sides) != 2 or not all(isinstance(side, int) and 1 <= side <= _MOST_SIDE for side in sides):
        raise ValueError("it does not say how large its images are")
    if not isinstance(channels, int) or not 1 <= channels <= _MOST_CHANNELS:
        raise ValueError("it does not say how many channels its images have")
    for numbers in (info.mean, info.std):
        if len(numbers) != channels or not all(isinstance(number, (int, float)) for number in numbers):
            raise ValueError("its mean and standard deviation are not one number for each channel")
    if not all(number > 0 for number in info.std):
        raise ValueError("its standard deviation is not above 0")
    return info
