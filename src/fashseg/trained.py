"""Trained models as they are used: of a run folder, of the package, or out of a file of weights.

A file of weights is in the safetensors format: tensors, and text that says what network they are of and what its images
are. Nothing in it can run.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from fashseg.checking import check_choice
from fashseg.checkpoints import read_checkpoint
from fashseg.data.info import DataInfo
from fashseg.data.plausible import checked_info
from fashseg.errors import UserError
from fashseg.files import write_atomically
from fashseg.fitting import of_network, require_fitting
from fashseg.models import build_model
from fashseg.network import Described, Network
from fashseg.packing import Numbers, packed, unpacked
from fashseg.run import RunFolder
from fashseg.which_model import require_model

FORMAT = "1"
_TEXTS = ("options", "info", "about")
_MOST_BYTES = 2**20  # of each text


@dataclass(frozen=True)
class Trained:
    """A network with its weights.

    Attributes:
        network: on the CPU, in evaluation mode.
        name: what it is called: of a shipped model its name, else that of the network.
        origin: where it was found, for a reader.
        about: what is known of it beside: for a shipped model scores, recipe and licence.
    """

    network: Network
    name: str
    origin: str
    about: Mapping[str, Any]

    @property
    def info(self) -> DataInfo:
        """The data set that it was trained on."""
        return self.network.info


def load_trained(*, run: str | None = None, model: str | None = None, checkpoint: str = "best") -> Trained:
    """The model of a run folder, or one by its name or file.

    Args:
        run: path of a run folder.
        model: name of a shipped model, or path of a file of weights.
        checkpoint: of the run, ``best`` or ``last``.

    Raises:
        UserError: neither or both are given, or there is no such model, or it is damaged.
    """
    found = require_model(run=run, model=model, checkpoint=checkpoint)
    return _of_run(found, checkpoint) if isinstance(found, RunFolder) else read_weights(found)


def _of_run(folder: RunFolder, checkpoint: str) -> Trained:
    results = folder.read_results()
    path = folder.checkpoint(checkpoint)
    content = read_checkpoint(path)
    described = content.get("hyper_parameters")
    if not isinstance(described, dict):
        raise UserError(f"{path} does not say what network it is of.", "Name another run.")
    weights = of_network(content["state_dict"])
    network = _build(path, described, weights, results.get("plugins"))
    return Trained(network, str(network.options["model"]["name"]), str(folder.path), results)


def save_weights(path: Path, network: Described, about: Mapping[str, Any], *, numbers: Numbers = "float32") -> None:
    """Write a file of weights.

    Args:
        path: of the file, which is complete or absent.
        network: that is written, or the task that has trained it.
        about: more to say of it, plain values.
        numbers: how they are kept, see `fashseg.packing`: ``float16`` halves the file, ``int8`` quarters it.

    Raises:
        OSError: the file can't be written.
    """
    weights = packed(network.model.state_dict(), numbers)
    said = {"options": {"model": network.options["model"]}, "info": network.info.to_dict(), "about": dict(about)}
    texts = {name: json.dumps(value) for name, value in said.items()}
    metadata = {"format": "pt", "fashseg": FORMAT, **texts, "sha256": digest(weights, texts)}
    write_atomically(path, save(weights, metadata))


def digest(weights: Mapping[str, Tensor], texts: Mapping[str, str] = MappingProxyType({})) -> str:
    """SHA-256 of weights, and of all that matters of a file of them, which has no checksums by itself.

    Args:
        weights: on the CPU.
        texts: of the file.
    """
    found = sha256()
    for name in _TEXTS:
        found.update(f"{name} {texts.get(name)}\n".encode())
    for name, value in sorted(weights.items()):
        found.update(f"{name} {value.dtype} {list(value.shape)}\n".encode())
        found.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def read_weights(path: Path) -> Trained:
    """A model out of a file that `save_weights` wrote.

    Raises:
        UserError: the file is missing, damaged, or of another program.
    """
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no regular file")  # a pipe would be waited for
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            _require_format(path, metadata)
            kept = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 it is no dictionary
        if metadata["sha256"] != digest(kept, metadata):
            raise ValueError("its checksum is wrong, so it is damaged")
        weights = unpacked(kept)
        options, info, about = (_parsed(metadata[name]) for name in _TEXTS)
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error).partition("\n")[0]
        if isinstance(error, FileNotFoundError):
            reason = "it does not exist"
        raise UserError(f"{path} can't be read as weights: {reason}.", "Name another file, or a run.") from error
    described = {"options": options, "info": info}
    network = _build(path, described, weights)
    return Trained(network, path.stem, str(path), about if isinstance(about, dict) else {})


def _require_format(path: Path, metadata: Mapping[str, str]) -> None:
    if metadata.get("fashseg") != FORMAT:
        raise UserError(
            f"{path} is no file of weights of fashseg in format {FORMAT}: it does not say what network it is of.",
            "Write one by python -m fashseg.export run=RUN format=safetensors.",
        )
    for name in _TEXTS:
        if len(metadata.get(name, "")) > _MOST_BYTES:
            raise ValueError(f"its {name} take more than {_MOST_BYTES:,} letters")


def _parsed(text: str) -> Any:
    """JSON; what is no finite number is refused."""

    def refuse(word: str) -> Any:
        raise ValueError(f"it holds the number {word}")

    return json.loads(text, parse_constant=refuse)


def _build(path: Path, described: Mapping[str, Any], weights: Mapping[str, Tensor], plugins: Any = None) -> Network:
    """The network of a description that nobody vouches for: built only where it fits the weights that are there.

    ``plugins`` are named to the user where they are missing, and not read.
    """
    way_out = "It is damaged, or of another version of fashseg; name another run or model."
    try:
        info = checked_info(described["info"])
        options = check_choice("model", described["options"]["model"], plugins)
        types = require_fitting(options, info, weights)
    except UserError as error:
        raise UserError(f"{path}: {error.what}", error.way_out) from error
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error).partition("\n")[0]
        raise UserError(f"{path} can't be used: {reason}.", way_out) from error
    model = build_model(options, info.shape, len(info.class_names))
    model.load_state_dict({name: value.to(types[name]) for name, value in weights.items()})
    return Network(model, {"model": asdict(options)}, info)
