"""A network as it is used once it is trained. Imports no Lightning, which takes seconds and a quarter of a gigabyte."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from fashseg.data.info import DataInfo


class Described(Protocol):
    """A network with its images and options: a `Network`, or the `Task` that trains one."""

    mean: Tensor
    std: Tensor

    @property
    def model(self) -> nn.Module:
        """The network itself, for normalised images."""

    @property
    def info(self) -> DataInfo:
        """What its images are."""

    @property
    def options(self) -> Mapping[str, Any]:
        """With the options of the network as ``model``, plain values."""


class Network(nn.Module):
    """From pixel values to logits, in evaluation mode.

    Args:
        model: for normalised images.
        options: with those of the network as ``model``, plain values.
        info: what its images are.

    Shapes:
        (N, C, H, W), uint8 or float on the scale of 0 to 255, to float logits (N, classes) or (N, classes, H, W).
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: nn.Module, options: Mapping[str, Any], info: DataInfo) -> None:
        super().__init__()
        self.model = model.to(memory_format=torch.channels_last)
        self.options, self.info = options, info
        self.register_buffer("mean", torch.tensor(info.mean).reshape(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(info.std).reshape(1, -1, 1, 1), persistent=False)
        self.eval()

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.mean.device

    def forward(self, images: Tensor) -> Tensor:
        """Logits of images with pixel values of 0 to 255."""
        images = images.to(self.mean.dtype, memory_format=torch.channels_last)
        logits: Tensor = self.model((images - self.mean) / self.std)
        return logits


def averaged_over_flips(network: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Logits of images averaged with those of their mirror images: of pixels, mirrored back.

    Args:
        network: from (N, C, H, W) to float logits (N, classes) or (N, classes, H, W); is called twice.
        images: (N, C, H, W).
    """
    logits, mirrored = network(images), network(images.flip(-1))
    return (logits + (mirrored.flip(-1) if mirrored.ndim == 4 else mirrored)) / 2
