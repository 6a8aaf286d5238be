"""Networks of other libraries, ``model=timm`` and ``model=smp``: what is seen before one is built. Imports no torch."""

import math
import re
from collections.abc import Iterable
from typing import Any

from fashseg import config as cfg
from fashseg.errors import UserError
from fashseg.extras import require
from fashseg.files import in_full
from fashseg.option_rules import shown

# By model: the packages that it needs, and the extra of fashseg that brings them has its name.
PACKAGES = {"timm": ("timm",), "smp": ("segmentation_models_pytorch",)}

OF_TIMM = "tu-"
"""In front of the names of encoders of segmentation_models_pytorch that are networks of timm."""

# Arguments of the libraries that follow from other options, or would read a file or an address that nobody named.
_OF_TIMM = (
    *("model_name", "num_classes", "in_chans", "features_only", "out_indices", "feature_cfg", "kwargs_filter"),
    *("checkpoint_path", "cache_dir", "weights", "scriptable", "exportable", "no_jit", "device", "dtype"),
)
_TAKEN = {
    "timm": _OF_TIMM,
    "smp": (
        *("arch", "encoder_name", "encoder_weights", "in_channels", "classes", "activation", "aux_params"),
        *_OF_TIMM,  # an encoder may be one of its networks
    ),
}
_MOST = 65_536  # of a number: a network is not to get layers without end


def require_library(model: cfg.Model) -> None:
    """Refuse a network of a library that is not installed.

    Raises:
        UserError: it is missing.
    """
    if model.name in PACKAGES and isinstance(model, cfg.Library):
        require(f"model={model.name}", PACKAGES[model.name], model.name)


def require_libraries(plans: Iterable[cfg.Train]) -> None:
    """See that the libraries and the files of weights are there that runs are about to begin with.

    Raises:
        UserError: one is not.
    """
    seen: list[cfg.Model] = []
    for plan in plans:
        if plan.model in seen or not isinstance(plan.model, cfg.Library):
            continue
        seen.append(plan.model)
        require_library(plan.model)
        if plan.model.weights_file is not None:
            _require_file(plan.model.weights_file)


def _require_file(name: str) -> None:
    path = in_full("model.weights_file", name)
    if path.suffix != ".safetensors":
        raise UserError(
            f"model.weights_file={name} is no file in the safetensors format, whose names end in .safetensors.",
            "Other formats may hold code that runs when they are read: bring the weights into this one.",
        )
    try:
        is_file = path.is_file()
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        raise UserError(
            f"model.weights_file={name} is no file.", "Name the file of weights, such as model.safetensors."
        )


def check_library(model: cfg.Library) -> None:
    """Refuse options that do not go together, and keyword arguments that a library must not be given.

    Raises:
        UserError: for the first of them.
    """
    downloaded = (
        model.pretrained if isinstance(model, cfg.Timm) else getattr(model, "encoder_weights", None) is not None
    )
    if downloaded and model.weights_file is not None:
        word = "model.pretrained=true" if isinstance(model, cfg.Timm) else "model.encoder_weights"
        raise UserError(
            f"{word} and model.weights_file={model.weights_file} name two beginnings.", "Leave one of them out."
        )
    for key, value in model.options.items():
        path = f"model.options.{key}"
        if not re.fullmatch(r"[A-Za-z_]\w{0,99}", str(key)):
            raise UserError(f"{path} is no name of an argument.", "It is made of letters, digits and underscores.")
        if not is_free(model.name, str(key)):
            raise UserError(
                f"{path} is not free: it follows from the data and from the other options of model={model.name}.",
                "Leave it out.",
            )
        _check_plain(path, value)


def fresh_despite_tag(model: cfg.Model) -> str | None:
    """What to say of a network that begins with fresh weights though its name has the tag of some; None of others."""
    if not isinstance(model, cfg.Library) or model.weights_file is not None:
        return None
    if isinstance(model, cfg.Timm) and not model.pretrained:
        option, name, wanted = "model.architecture", model.architecture, "model.pretrained=true"
    elif isinstance(model, cfg.SMP) and model.encoder_weights is None and model.encoder.startswith(OF_TIMM):
        option, name, wanted = "model.encoder", model.encoder, "model.encoder_weights=imagenet"
    else:
        return None
    _, dot, tag = name.partition(".")
    if not dot:
        return None
    return (
        f"{option}={name} begins with fresh weights: those of {tag} come with {wanted}, or by model.weights_file=FILE"
    )


def is_free(model: str, argument: str) -> bool:
    """Whether an argument of a library's network is one that ``model.options`` may hold."""
    return argument not in _TAKEN[model] and not argument.startswith("pretrained")


def _check_plain(path: str, value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_plain(f"{path}.{key}", inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_plain(path, inner)
    elif isinstance(value, int | float):
        if not (math.isfinite(value) and abs(value) <= _MOST):
            raise UserError(f"{path}={shown(value)} is out of range.", f"It must be at most {_MOST:,}, and finite.")
    elif isinstance(value, str):
        if re.search("[\0\ud800-\udfff]", value):
            raise UserError(f"{path} is no text in UTF-8.", "Leave out what is none.")
    elif value is not None:
        raise UserError(f"{path} is of a kind that no option has.", "Give a number, text, true, false, null or a list.")
