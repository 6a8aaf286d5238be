"""What a U-Net does at one size of the image: convolutions, plain, residual or separable, and their normalisation."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 8
"""Groups of channels that are normalised together, at most."""


class Level(nn.Module):
    """3×3 convolutions at one size; all but the first add to what came in, unless they are plain.

    Args:
        inputs: channels of what comes in.
        outputs: channels of what goes out.
        convs: number of convolutions.
        norm: ``batch``, ``group`` or ``none``, see `normalised`.
        blocks: ``residual``, ``plain`` or ``separable``: residual, each convolution but that of an image of fewer than
            8 channels first by channel (3×3), then by pixel (1×1). Source: Chollet, "Xception: Deep Learning with
            Depthwise Separable Convolutions", 2017.

    Shapes:
        (N, inputs, H, W) to (N, outputs, H, W).
    """

    def __init__(self, inputs: int, outputs: int, convs: int, *, norm: str = "batch", blocks: str = "residual") -> None:
        super().__init__()
        separable = blocks == "separable"
        self.adds = blocks != "plain"
        self.first = _conv_norm(inputs, outputs, norm, separable and inputs >= 8)
        self.others = nn.ModuleList(_conv_norm(outputs, outputs, norm, separable) for _ in range(convs - 1))
        if self.adds and norm == "none":
            # Nothing else keeps a sum of many terms small: each convolution starts with nothing to add.
            for conv in self.others.modules():
                if isinstance(conv, nn.Conv2d) and conv.bias is not None:
                    nn.init.zeros_(conv.weight)

    def forward(self, x: Tensor) -> Tensor:
        """The first convolution, and what the others add to it."""
        x = F.relu(self.first(x))
        for other in self.others:
            x = F.relu(x + other(x) if self.adds else other(x))
        return x


def normalised(conv: nn.Conv2d, norm: str) -> list[nn.Module]:
    """A convolution and its normalisation; one that has none has a bias, which normalisation would take away.

    Args:
        conv: the convolution, made with a bias where ``norm`` is ``none``.
        norm: ``batch``, over the images of a step; ``group``, over groups of channels of each image by itself (Wu and
            He, "Group Normalization", 2018): 8, or as many as divide the channels; ``none``.
    """
    channels = conv.out_channels
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    if norm == "batch":
        return [conv, nn.BatchNorm2d(channels)]
    return [conv, GroupNorm(math.gcd(channels, GROUPS), channels)] if norm == "group" else [conv]


class GroupNorm(nn.GroupNorm):
    """PyTorch's own, on images that lie in memory channel by channel.

    Where they lie pixel by pixel, its kernel for the CPU takes the variance for a difference of two large sums: with
    means of 30 deviations it was wrong by 0.04, here by 2e-6 (PyTorch 2.15, 256×256 pixels), and took longer.

    Shapes:
        (N, C, H, W) to the same.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalised, then scaled and moved channel by channel."""
        return super().forward(x.contiguous())


def _conv_norm(inputs: int, outputs: int, norm: str, separable: bool) -> nn.Sequential:
    bias = norm == "none"
    if not separable:
        return nn.Sequential(*normalised(nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=bias), norm))
    by_channel = nn.Conv2d(inputs, inputs, kernel_size=3, padding=1, groups=inputs, bias=False)
    nn.init.kaiming_normal_(by_channel.weight, nonlinearity="linear")
    return nn.Sequential(by_channel, *normalised(nn.Conv2d(inputs, outputs, kernel_size=1, bias=bias), norm))
