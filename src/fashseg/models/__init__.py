"""Networks as plain modules, and the table that builds them from their options."""

from collections.abc import Callable
from typing import Any

from torch import nn

from fashseg import config as cfg
from fashseg.models.cnn import CNN
from fashseg.models.segnet import SegNet
from fashseg.models.vgg import VGG

BUILDERS: dict[str, Callable[[Any, tuple[int, int, int], int], nn.Module]] = {
    "cnn": lambda o, shape, classes: CNN(*shape, classes, features=o.features, hidden=o.hidden),
    "segnet": lambda o, shape, classes: SegNet(shape[0], classes, features=o.features),
    "vgg": lambda o, shape, classes: VGG(*shape, classes, stem=o.stem, widths=o.widths, convs=o.convs, hidden=o.hidden),
}


def build_model(options: cfg.Model, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The network of these options.

    Args:
        options: its dataclass.
        shape: channels, height and width of an image.
        classes: number of outputs, per image or per pixel.
    """
    return BUILDERS[options.name](options, shape, classes)
