"""The weights that a training begins with, where others have trained them."""

from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path

from torch import nn

from fashseg import config as cfg
from fashseg.errors import UserError
from fashseg.files import in_full
from fashseg.libraries import OF_TIMM
from fashseg.models.adapters.adapted import Adapted
from fashseg.models.adapters.fetching import fetched
from fashseg.models.adapters.smp_network import load_smp, published
from fashseg.models.adapters.timm_network import load_timm

_HALF = ((0.5,) * 3, (0.5,) * 3)
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_DPN = ((124 / 255, 117 / 255, 104 / 255), (1 / (0.0167 * 255),) * 3)


def begin(
    network: nn.Module,
    options: cfg.Model,
    shape: tuple[int, int, int],
    classes: int,
    normalised: tuple[Sequence[float], Sequence[float]],
) -> None:
    """Put the weights into a fresh network that its options name; does nothing where they name none.

    Args:
        network: of these options.
        options: of a network of a library, or any other.
        shape: channels, height and width of an image.
        classes: number of outputs, per image or per pixel.
        normalised: mean and standard deviation, on the scale of 0 to 255, by which its images are normalised.

    Raises:
        UserError: the weights can't be found, read or used.
    """
    if not isinstance(options, cfg.Library) or not isinstance(network, Adapted):
        return
    found = _found(options)
    if found is None:
        return
    path, name = found
    if isinstance(options, cfg.SMP):
        load_smp(network.network, options, shape, classes, str(path))
    elif isinstance(options, cfg.Timm):
        load_timm(network.network, options, shape, str(path))
    if options.normalisation == "weights":
        network.expect(*normalisation(options), of=normalised)
    with path.open("rb") as file:
        network.initial_weights = {"name": name, "sha256": file_digest(file, "sha256").hexdigest()}


def _found(options: cfg.Library) -> tuple[Path, str] | None:
    """The file of the weights, and what they are called."""
    if options.weights_file is not None:
        path = in_full("model.weights_file", options.weights_file)
        return path, path.name
    if isinstance(options, cfg.Timm) and options.pretrained:
        asked_by = f"model.architecture={options.architecture} model.pretrained=true"
        return _of_timm(options.architecture, asked_by)
    if isinstance(options, cfg.SMP) and options.encoder_weights is not None:
        asked_by = f"model.encoder={options.encoder} model.encoder_weights={options.encoder_weights}"
        if options.encoder.startswith(OF_TIMM):
            return _of_timm(options.encoder.removeprefix(OF_TIMM), asked_by)
        settings = published(options)
        return fetched(settings["repo_id"], settings.get("revision"), asked_by), settings["repo_id"]
    return None


def _of_timm(architecture: str, asked_by: str) -> tuple[Path, str]:
    from timm.models import get_pretrained_cfg

    settings = get_pretrained_cfg(architecture)
    if settings is None or not settings.has_weights:
        raise UserError(f"{asked_by}: timm has no weights of {architecture}.", "Leave that out, or choose another.")
    if not settings.hf_hub_id:
        raise UserError(
            f"{asked_by}: timm has these weights only in a format that may hold code that runs when it is read.",
            "Choose another architecture or tag, or bring them into a file: model.weights_file=model.safetensors.",
        )
    repository, _, revision = settings.hf_hub_id.partition("@")
    return fetched(repository, revision or None, asked_by), repository


def normalisation(options: cfg.Library) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and standard deviation, on the scale of 0 to 1, that published weights of a network were trained with."""
    assert isinstance(options, cfg.Timm | cfg.SMP)
    name = options.architecture if isinstance(options, cfg.Timm) else options.encoder
    if isinstance(options, cfg.Timm) or name.startswith(OF_TIMM):
        from timm.models import get_pretrained_cfg

        settings = get_pretrained_cfg(name.removeprefix(OF_TIMM))
        return (settings.mean, settings.std) if settings else _IMAGENET
    # The library has these of its own encoders where it has the weights.
    if name.startswith(("xception", "inception", "timm-tf_efficientnet_lite")) or options.encoder_weights == "advprop":
        return _HALF
    return _DPN if name.startswith("dpn") else _IMAGENET
