"""A U-Net: what is seen at several scales, brought back to full size step by step."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn


class UNet(nn.Module):
    """An encoder that halves the image level by level, and a decoder that adds each level on the way back.

    After Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015, with these
    changes: padded convolutions, batch normalisation, bilinear steps up, and levels that are added, not stacked, which
    needs a third of the weights on the way back.

    Args:
        channels: channels of an input image.
        classes: number of outputs, one logit a class and pixel.
        widths: channels of each level; all but the first work on half the size of the one before.
        convs: 3×3 convolutions of each level of the encoder.
        decoder_convs: of each level of the decoder.
        dropout: share of the channels of the deepest level that are left out, in training.

    Attributes:
        divisor: height and width must be multiples of it.

    Shapes:
        (N, channels, H, W) to (N, classes, H, W).
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        *,
        widths: Sequence[int],
        convs: int = 2,
        decoder_convs: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.divisor = 2 ** (len(widths) - 1)
        inputs = [channels, *widths[:-1]]
        self.encoder = nn.ModuleList(Level(i, o, convs) for i, o in zip(inputs, widths, strict=True))
        ups = list(zip(widths[1:], widths[:-1], strict=True))[::-1]
        self.reduce = nn.ModuleList(nn.Conv2d(deep, shallow, kernel_size=1) for deep, shallow in ups)
        self.decoder = nn.ModuleList(Level(shallow, shallow, decoder_convs) for _, shallow in ups)
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(widths[0], classes, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch of images."""
        height, width = images.shape[-2:]
        if height % self.divisor or width % self.divisor:
            raise ValueError(
                f"this unet needs images whose sides are multiples of {self.divisor}, got {height}×{width}; pad them "
                f"to {height + -height % self.divisor}×{width + -width % self.divisor}"
            )
        levels: list[Tensor] = []
        x = images
        for number, level in enumerate(self.encoder):
            x = level(F.max_pool2d(x, 2) if number else x)
            levels.append(x)
        x = self.dropout(levels.pop())
        for reduce, level in zip(self.reduce, self.decoder, strict=True):
            up = F.interpolate(reduce(x), scale_factor=2, mode="bilinear", align_corners=False)
            x = level(up + levels.pop())
        logits: Tensor = self.head(x)
        return logits


class Level(nn.Module):
    """Convolutions at one size; all but the first add to what came in.

    Shapes:
        (N, inputs, H, W) to (N, outputs, H, W).
    """

    def __init__(self, inputs: int, outputs: int, convs: int) -> None:
        super().__init__()
        self.first = _conv_norm(inputs, outputs)
        self.others = nn.ModuleList(_conv_norm(outputs, outputs) for _ in range(convs - 1))

    def forward(self, x: Tensor) -> Tensor:
        """The first convolution, and what the others add to it."""
        x = F.relu(self.first(x))
        for other in self.others:
            x = F.relu(x + other(x))
        return x


def _conv_norm(inputs: int, outputs: int) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))
