"""Segmenters of segmentation_models_pytorch, by name."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from fashseg import config as cfg
from fashseg.errors import UserError
from fashseg.libraries import OF_TIMM, is_free, require_library
from fashseg.models.adapters.adapted import Adapted
from fashseg.models.adapters.calling import told
from fashseg.models.adapters.timm_network import donated, require_name
from fashseg.nearest import did_you_mean


def build_smp(options: cfg.SMP, shape: tuple[int, int, int], classes: int) -> Adapted:
    """A network with fresh weights.

    Raises:
        UserError: the library is not installed, has no such network, or can't build it with these options.
    """
    require_library(options)
    require_known(options)
    network = _created(options, shape[0], classes)
    return Adapted(network, shape[0], divisor=int(network.encoder.output_stride))


def published(options: cfg.SMP) -> Mapping[str, str]:
    """Repository and revision of the encoder's weights.

    Raises:
        UserError: it has none by this name.
    """
    from segmentation_models_pytorch.encoders import encoders

    settings = encoders[options.encoder]["pretrained_settings"]
    if options.encoder_weights not in settings:
        raise UserError(
            f"model.encoder_weights={options.encoder_weights}: the encoder {options.encoder} has no such weights.",
            f"There are {', '.join(settings)}." if settings else "It has none.",
        )
    found: Mapping[str, str] = settings[options.encoder_weights]
    return found


def load_smp(network: Any, options: cfg.SMP, shape: tuple[int, int, int], classes: int, path: str) -> None:
    """Put weights of a file into the encoder of a network; the decoder stays fresh.

    Args:
        network: of the library, of these options.
        options: its options.
        shape: channels, height and width of an image.
        classes: number of outputs.
        path: of a file in the safetensors format, with the names and shapes that the library, or timm, publishes.

    Raises:
        UserError: the file can't be read, or is of another encoder.
    """
    from safetensors.torch import load_file

    what, way_out = f"{path} can't be used as weights of the encoder {options.encoder}", "Name the file that is of it."
    if options.encoder.startswith(OF_TIMM):
        size = {"img_size": options.options["img_size"]} if "img_size" in options.options else {}
        given = donated(options.encoder.removeprefix(OF_TIMM), {"in_chans": shape[0], **size}, path)
        with told(what, way_out):
            network.encoder.model.load_state_dict(_by_names_of(network.encoder.model, given))
        return
    donor: Any = _created(options, 3, classes)  # of colour images, as published weights are
    with told(what, way_out):
        donor.encoder.load_state_dict(load_file(path))
        donor.encoder.set_in_channels(shape[0], pretrained=True)
        network.encoder.load_state_dict(donor.encoder.state_dict())


def _by_names_of(features: nn.Module, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a whole network by the names that they have where timm gives its features: stages.0 is stages_0."""
    found: dict[str, Tensor] = {}
    for name in features.state_dict():
        for old in (name, re.sub(r"_(\d+)\.", r".\1.", name, count=1)):
            if old in given:
                found[name] = given[old]
    return found


def require_known(options: cfg.SMP) -> None:
    """Refuse names that the library does not know, and arguments that it would not use.

    Raises:
        UserError: with the nearest name.
    """
    _require_names(options)
    _require_arguments(options)


def _require_names(options: cfg.SMP) -> None:
    import segmentation_models_pytorch as smp

    known = list(smp.MODEL_ARCHITECTURES_MAPPING)
    if options.architecture not in known:
        raise UserError(
            f"model.architecture={options.architecture} is no network of segmentation_models_pytorch "
            f"{smp.__version__}.",
            did_you_mean(options.architecture, known, f"There are {', '.join(known)}."),
        )
    if options.encoder.startswith(OF_TIMM):
        require_name(options.encoder.removeprefix(OF_TIMM), f"model.encoder={options.encoder}", OF_TIMM)
        return
    encoders = list(smp.encoders.encoders)
    if options.encoder not in encoders:
        raise UserError(
            f"model.encoder={options.encoder} is no encoder of segmentation_models_pytorch {smp.__version__}.",
            did_you_mean(options.encoder, encoders, f"There are {', '.join(encoders)}; and {OF_TIMM}NAME of timm."),
        )


def _require_arguments(options: cfg.SMP) -> None:
    """Refuse arguments that the library would take without using them: all but those of timm's encoders."""
    import segmentation_models_pytorch as smp

    kind = smp.MODEL_ARCHITECTURES_MAPPING[options.architecture]
    known = [
        name
        for name, item in inspect.signature(kind).parameters.items()
        if item.kind is not item.VAR_KEYWORD and is_free(options.name, name)
    ]
    for name in options.options:
        if name not in known and not options.encoder.startswith(OF_TIMM):
            raise UserError(
                f"model.options.{name} is no argument of {options.architecture} in segmentation_models_pytorch.",
                did_you_mean(name, known, f"There are {', '.join(known)}."),
            )


def _created(options: cfg.SMP, channels: int, classes: int) -> Any:
    import segmentation_models_pytorch as smp

    with told(
        f"model=smp: {options.architecture} with {options.encoder} can't be built as model.options say",
        "Change model.options, model.encoder or model.architecture.",
    ):
        return smp.create_model(
            options.architecture,
            encoder_name=options.encoder,
            encoder_weights=None,
            in_channels=channels,
            classes=classes,
            **options.options,
        )
