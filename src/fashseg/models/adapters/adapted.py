"""A network of another library behind what it expects of its images."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Adapted(nn.Module):
    """A network whose images come normalised by their own data set.

    Weights that were trained on other images expect these normalised in their own way. ``scale`` and ``shift`` lead
    from one to the other; they are kept with the weights, so that a trained network needs nothing else. Fresh weights
    have 1 and 0, which change nothing.

    Args:
        network: of the library.
        channels: of an image.
        divisor: height and width must be multiples of it.
        side: images are scaled to this height and width in front of the network; None leaves them as they are.

    Attributes:
        initial_weights: name and SHA-256 of those that it has begun with; None where they were fresh.

    Shapes:
        (N, channels, H, W) to what the network gives.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, network: nn.Module, channels: int, *, divisor: int = 1, side: int | None = None) -> None:
        super().__init__()
        self.network = network
        self.divisor, self.side = divisor, side
        # One dimension: packed in 8 bits, tensors of several would share a single step.
        self.register_buffer("scale", torch.ones(channels))
        self.register_buffer("shift", torch.zeros(channels))
        self.initial_weights: dict[str, str] | None = None

    def expect(self, mean: Sequence[float], std: Sequence[float], of: tuple[Sequence[float], Sequence[float]]) -> None:
        """Have images brought to the network as (p / 255 - mean) / std, p being their pixel values of 0 to 255.

        Args:
            mean: of red, green and blue, on the scale of 0 to 1. Grey images take the mean of the three; those of any
                other number of channels stay as they are.
            std: likewise.
            of: mean and standard deviation of the data set, on the scale of 0 to 255, for each channel.
        """
        channels = len(self.scale)
        if channels not in (1, 3):
            return
        wanted_mean, wanted_std, data_mean, data_std = (
            torch.tensor(values, dtype=torch.float64) for values in (mean, std, *of)
        )
        if channels == 1:
            wanted_mean, wanted_std = wanted_mean.mean(0, keepdim=True), wanted_std.mean(0, keepdim=True)
        self.scale.copy_(data_std / (255 * wanted_std))
        self.shift.copy_((data_mean - 255 * wanted_mean) / (255 * wanted_std))

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch of images."""
        x = images * self.scale.reshape(1, -1, 1, 1) + self.shift.reshape(1, -1, 1, 1)
        if self.side is not None:
            x = F.interpolate(x, size=(self.side, self.side), mode="bilinear", align_corners=False)
        logits: Tensor = self.network(x)
        return logits
