"""The report's segmenter: seven layers, one logit a class and pixel."""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SegNet(nn.Sequential):
    """A small encoder-decoder without a ReLU at its end; 38,501 parameters for RGB and five classes.

    PyTorch's default initial weights. Source: *Classification and Segmentation*, part 2, layers 1 to 7.

    Args:
        channels: channels of an input image.
        classes: number of outputs a pixel.
        features: channels of the first convolution and of the transposed one; the middle has twice as many.
        shrink: the layers look at the image shrunk by this factor, and their logits are enlarged to its size. A pixel's
            logits depend on some 10×10 pixels of what the layers look at, so on more of the image; no layer and no
            weight is added.

    Shapes:
        (N, channels, H, W) to (N, classes, H, W), H and W multiples of ``divisor``, which is 2 ``shrink``.
    """

    def __init__(self, channels: int, classes: int, *, features: int = 32, shrink: int = 1) -> None:
        super().__init__(
            nn.Conv2d(channels, features, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=2),
            nn.Conv2d(features, 2 * features, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * features, features, kernel_size=3, stride=2, padding=0),
            nn.Conv2d(features, classes, kernel_size=2, padding=0),
        )
        self.shrink, self.divisor = shrink, 2 * shrink

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch of images.

        The same function as `layer_by_layer` in 0.6 times its operations: the pool comes before the ReLU, and the last
        two layers, which have nothing between them, are applied as one (see `_upsample`). Differs by rounding alone.
        """
        conv1, relu1, pool, conv2, relu2, up, last = self
        x = relu2(conv2(relu1(pool(conv1(self._shrunk(images))))))
        return self._enlarged(_upsample(x, *_as_one(cast(nn.ConvTranspose2d, up), cast(nn.Conv2d, last))))

    def layer_by_layer(self, images: Tensor) -> Tensor:
        """The same function in the order of the report, every layer called once."""
        logits: Tensor = super().forward(self._shrunk(images))  # type: ignore[no-untyped-call]
        return self._enlarged(logits)

    def _shrunk(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        if height % self.divisor or width % self.divisor:
            needs = "even height and width" if self.shrink == 1 else f"sides that are multiples of {self.divisor}"
            raise ValueError(
                f"segnet needs images of {needs}, got {height}×{width}; "
                f"pad them to {height + -height % self.divisor}×{width + -width % self.divisor}"
            )
        return images if self.shrink == 1 else F.avg_pool2d(images, self.shrink)

    def _enlarged(self, logits: Tensor) -> Tensor:
        if self.shrink == 1:
            return logits
        return F.interpolate(logits, scale_factor=float(self.shrink), mode="bilinear", align_corners=False)


def _as_one(up: nn.ConvTranspose2d, last: nn.Conv2d) -> tuple[Tensor, Tensor]:
    """A transposed 3×3 convolution of stride 2 and a 2×2 convolution behind it, as one convolution.

    Together they are a transposed 4×4 convolution of stride 2, whose kernel is the product of theirs. An output pixel
    sees 2×2 inputs of it, other taps for each of the four places in a 2×2 square: so it is a 2×2 convolution with four
    times the outputs. Gradients reach both layers through the kernel.

    Returns:
        Kernel (4 C, I, 2, 2) and bias (4 C,), C outputs for each place, row by row.
    """
    with torch.autocast(last.weight.device.type, enabled=False):  # a few thousand numbers: no need to round them
        assert up.bias is not None
        assert last.bias is not None
        product = F.conv2d(up.weight, last.weight, padding=1)  # (I, C, 4, 4)
        bias = last.bias + torch.einsum("oiyx,i->o", last.weight, up.bias)
    inputs, outputs = product.shape[:2]
    # Tap t of 4 belongs to place r and input u (both 0 or 1) where t = 3 - r - 2 u.
    taps = product.flip(2, 3).reshape(inputs, outputs, 2, 2, 2, 2)  # (I, C, u, r, v, s)
    kernel = taps.permute(3, 5, 1, 0, 2, 4).reshape(4 * outputs, inputs, 2, 2)
    return kernel, bias.repeat(4)


def _upsample(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """(N, I, H, W) to (N, C, 2 H, 2 W)."""
    height, width = x.shape[-2:]
    places = F.conv2d(x, kernel, bias, padding=1)
    # Not len(x), which is one number where the network is traced for batches of any size.
    places = places.reshape(x.shape[0], 2, 2, -1, height + 1, width + 1)
    rows = [torch.stack([places[:, r, s, :, r : r + height, s : s + width] for s in (0, 1)], dim=-1) for r in (0, 1)]
    return torch.stack(rows, dim=-3).flatten(-4, -3).flatten(-2)
