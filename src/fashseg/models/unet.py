"""A U-Net: what is seen at several scales, brought back to full size step by step."""

from collections.abc import Sequence
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from fashseg.models.context import CONTEXTS
from fashseg.models.unet_level import Level


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
        norm: ``batch``, ``group`` or ``none``, of every convolution of 3×3.
        blocks: ``residual``, ``plain`` or ``separable``: what the convolutions of a level are, see `Level`.
        context: ``none``, ``pyramid`` or ``dilated``: what the deepest level sees besides, see
            `fashseg.models.context`. With one, and with ``norm="group"``, a pixel's logits depend on the whole image.

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
        norm: str = "batch",
        blocks: str = "residual",
        context: str = "none",
    ) -> None:
        super().__init__()
        self.divisor = 2 ** (len(widths) - 1)
        inputs = [channels, *widths[:-1]]
        level = partial(Level, norm=norm, blocks=blocks)
        self.encoder = nn.ModuleList(level(i, o, convs) for i, o in zip(inputs, widths, strict=True))
        self.context = CONTEXTS[context](widths[-1], norm) if context in CONTEXTS else None
        ups = list(zip(widths[1:], widths[:-1], strict=True))[::-1]
        self.reduce = nn.ModuleList(nn.Conv2d(deep, shallow, kernel_size=1) for deep, shallow in ups)
        self.decoder = nn.ModuleList(level(shallow, shallow, decoder_convs) for _, shallow in ups)
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
        x = levels.pop()
        x = self.dropout(x if self.context is None else self.context(x))
        for reduce, level in zip(self.reduce, self.decoder, strict=True):
            up = F.interpolate(reduce(x), scale_factor=2, mode="bilinear", align_corners=False)
            x = level(up + levels.pop())
        logits: Tensor = self.head(x)
        return logits
