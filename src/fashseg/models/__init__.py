"""Networks as plain modules, and the table that builds them from their options."""

from collections.abc import Callable
from typing import Any

from torch import nn

from fashseg import config as cfg
from fashseg.errors import UserError
from fashseg.models.adapters.smp_network import build_smp
from fashseg.models.adapters.timm_network import build_timm
from fashseg.models.cnn import CNN
from fashseg.models.resnet import ResNet
from fashseg.models.segnet import SegNet
from fashseg.models.unet import UNet
from fashseg.models.vgg import VGG
from fashseg.models.wide_resnet import wide_resnet
from fashseg.plugins import calling
from fashseg.register import OWN
from fashseg.sides import sides_in_words

BUILDERS: dict[str, Callable[[Any, tuple[int, int, int], int], nn.Module]] = {
    "cnn": lambda o, shape, classes: CNN(*shape, classes, features=o.features, hidden=o.hidden, dropout=o.dropout),
    "resnet": lambda o, shape, classes: ResNet(
        shape[0], classes, widths=o.widths, blocks=o.blocks, dropout=o.dropout, squeeze=o.squeeze
    ),
    "segnet": lambda o, shape, classes: SegNet(shape[0], classes, features=o.features, shrink=o.shrink),
    "smp": build_smp,
    "timm": build_timm,
    "unet": lambda o, shape, classes: UNet(
        shape[0],
        classes,
        widths=o.widths,
        convs=o.convs,
        decoder_convs=o.decoder_convs,
        dropout=o.dropout,
        norm=o.norm,
        blocks=o.blocks,
        context=o.context,
    ),
    "vgg": lambda o, shape, classes: VGG(*shape, classes, stem=o.stem, widths=o.widths, convs=o.convs, hidden=o.hidden),
    "wide_resnet": lambda o, shape, classes: wide_resnet(
        shape[0], classes, depth=o.depth, width=o.width, dropout=o.dropout, squeeze=o.squeeze
    ),
}


def divisor(model: nn.Module) -> int:
    """What height and width of its images must be multiples of."""
    return int(getattr(model, "divisor", 1))


def build_model(options: cfg.Model, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The network of these options.

    Args:
        options: its dataclass.
        shape: channels, height and width of an image.
        classes: number of outputs, per image or per pixel.

    Raises:
        ValueError: the network does not take images of this shape.
        UserError: the code of a plugin fails, or gives no network.
    """
    own = OWN.get(("model", options.name))
    if own is None:
        network = BUILDERS[options.name](options, shape, classes)
    else:
        with calling("model", options.name):
            network = own.call("builder", options, shape, classes)
    if not isinstance(network, nn.Module):
        raise UserError(
            f"model={options.name}: its builder gave {type(network).__name__}, and not a network.",
            "Return a torch.nn.Module.",
        )
    _, height, width = shape
    if height % (step := divisor(network)) or width % step:
        raise ValueError(sides_in_words(options.name, step, height, width))
    return network
