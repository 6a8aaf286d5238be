"""Classifiers of timm, by name."""

from typing import Any

from torch import Tensor, nn

from fashseg import config as cfg
from fashseg.errors import UserError
from fashseg.libraries import require_library
from fashseg.models.adapters.adapted import Adapted
from fashseg.models.adapters.calling import told
from fashseg.nearest import did_you_mean


def build_timm(options: cfg.Timm, shape: tuple[int, int, int], classes: int) -> Adapted:
    """A network with fresh weights.

    Raises:
        UserError: timm is not installed, has no such network, or can't build it with these options.
        ValueError: the network would leave out a part of the images.
    """
    require_library(options)
    require_name(options.architecture, f"model.architecture={options.architecture}")
    with told(f"model=timm: {options.architecture} can't be built as model.options say", "Change or leave them out."):
        network = _created(options.architecture, _arguments(options, shape), classes)
    _require_whole_patches(network, (options.image_size,) * 2 if options.image_size else shape[1:])
    return Adapted(network, shape[0], side=options.image_size)


def _require_whole_patches(network: nn.Module, sides: tuple[int, ...]) -> None:
    """Refuse images that are no multiple of a patch: the network would see what lies within whole ones alone."""
    embed = getattr(network, "patch_embed", None)
    patch = getattr(embed, "patch_size", None)
    if not isinstance(patch, tuple) or getattr(embed, "dynamic_img_pad", False):
        return
    height, width = sides
    if height % patch[0] or width % patch[1]:
        raise ValueError(
            f"it looks at patches of {patch[1]}×{patch[0]} pixels, and {width}×{height} is no multiple of them; "
            "model.options.patch_size= may set another size"
        )


def require_name(architecture: str, given: str, prefix: str = "") -> None:
    """Refuse what is no network of timm's, or has weights by this tag no more.

    Args:
        architecture: ``NAME`` or ``NAME.TAG``.
        given: the option that names it, as it is typed.
        prefix: that names have in this option.

    Raises:
        UserError: with the nearest name.
    """
    import timm

    name, _, tag = architecture.partition(".")
    known = timm.list_models()
    if name not in known:
        raise UserError(
            f"{given} is no network of timm {timm.__version__}.",
            did_you_mean(
                f"{prefix}{name}",
                [f"{prefix}{one}" for one in known],
                "All of them: python -c 'import timm; print(*timm.list_models())'.",
            ),
        )
    tags = [full.partition(".")[2] for full in timm.list_pretrained(name)]
    if tag and tag not in tags:
        there_are = f"There are {', '.join(tags)}." if tags else "There are none of this network."
        raise UserError(f"{given}: {name} has no weights by the tag {tag}.", there_are)


def load_timm(network: nn.Module, options: cfg.Timm, shape: tuple[int, int, int], path: str) -> None:
    """Put weights of a file into a network; its classifier stays fresh where the file has one for other classes.

    Args:
        network: of timm, of these options.
        options: its options.
        shape: channels, height and width of an image.
        path: of a file in the safetensors format, with the names and shapes that timm publishes.

    Raises:
        UserError: the file can't be read, or is of another network.
    """
    given = donated(options.architecture, _arguments(options, shape), path)
    wanted = network.state_dict()
    heads = tuple(f"{head}." for head in _heads(options.architecture))
    for name, value in wanted.items():
        if (name not in given or given[name].shape != value.shape) and not name.startswith(heads):
            raise UserError(f"{path} has no {name} as {options.architecture} needs it.", _OTHER_FILE)
    fitting = {
        name: given[name] for name, value in wanted.items() if name in given and given[name].shape == value.shape
    }
    network.load_state_dict(fitting, strict=False)


def donated(architecture: str, arguments: dict[str, Any], path: str) -> dict[str, Tensor]:
    """The weights of a file as a network of timm has them that is made for the file's own classes.

    timm brings them into the form of its present version, and the first layer to the number of channels; every weight
    of such a network has to be there.
    """
    from timm.models import get_pretrained_cfg

    published = get_pretrained_cfg(architecture)
    classes = _classes_of(path, _heads(architecture), (published and published.label_offset) or 0)
    if classes is None:
        classes = published.num_classes if published else 1000
    overlay = {"file": path, "custom_load": False, "num_classes": classes}
    arguments = arguments | {"pretrained_cfg_overlay": overlay}
    channels = published.input_size[0] if published else 3
    with told(f"{path} can't be used as weights of {architecture}", _OTHER_FILE):
        if arguments["in_chans"] != channels:
            # timm is content with a part of the weights where it can't bring the first layer to other channels.
            _created(architecture, arguments | {"in_chans": channels}, classes, pretrained=True)
        return _created(architecture, arguments, classes, pretrained=True).state_dict()


_OTHER_FILE = "Name the file of weights that belongs to it, model.safetensors as it is published."


def _heads(architecture: str) -> tuple[str, ...]:
    """Names of the fully connected layers that give the logits."""
    from timm.models import get_pretrained_cfg

    published = get_pretrained_cfg(architecture)
    heads = published.classifier if published else None
    return (heads,) if isinstance(heads, str) else tuple(heads or ())


def _classes_of(path: str, heads: tuple[str, ...], offset: int) -> int | None:
    """How many classes the weights of a file tell apart; None where it does not say by the names of today."""
    from safetensors import safe_open

    with told(f"{path} can't be read as weights", _OTHER_FILE), safe_open(path, "pt") as file:
        names = set(file.keys())
        for head in heads:
            if f"{head}.weight" in names:
                return int(file.get_slice(f"{head}.weight").get_shape()[0]) - offset
    return None


def _arguments(options: cfg.Timm, shape: tuple[int, int, int]) -> dict[str, Any]:
    """Keyword arguments for a network of these options."""
    from timm.models import get_pretrained_cfg

    arguments: dict[str, Any] = {"in_chans": shape[0], **options.options}
    published = get_pretrained_cfg(options.architecture)
    if published is not None and published.fixed_input_size:
        size = (options.image_size, options.image_size) if options.image_size else tuple(shape[1:])
        arguments.setdefault("img_size", size)
    return arguments


def _created(architecture: str, arguments: dict[str, Any], classes: int, *, pretrained: bool = False) -> nn.Module:
    import timm

    network: nn.Module = timm.create_model(architecture, pretrained=pretrained, num_classes=classes, **arguments)
    return network
