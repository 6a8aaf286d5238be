"""What the deepest level of a segmenter sees besides: means over parts of the image, or pixels further away."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fashseg.models.unet_level import normalised

BINS = (1, 2, 3, 6)
RATES = (2, 4, 8)


class Pyramid(nn.Module):
    """Adds what the means over the whole image, and over its 2×2, 3×3 and 6×6 parts, tell of each place.

    Source: Zhao et al., "Pyramid Scene Parsing Network", 2017. There they are stacked with what came in; here they are
    projected and added to it. The layers behind the means neither normalise nor rectify: that of the whole image has
    one value a channel, of which a step of one image has no deviation, and of means, which differ little from image to
    image, half of the units would be off for good.

    Args:
        channels: of what comes in and goes out.
        norm: of the projection, as in `fashseg.models.unet_level.normalised`.

    Shapes:
        (N, channels, H, W) to the same.
    """

    def __init__(self, channels: int, norm: str = "batch") -> None:
        super().__init__()
        part = max(1, channels // len(BINS))
        self.parts = nn.ModuleList(_of_means(channels, part) for _ in BINS)
        self.project = _project(len(BINS) * part, channels, norm)

    def forward(self, x: Tensor) -> Tensor:
        """What came in, and what the parts add."""
        height, width = x.shape[-2:]
        seen = []
        for bins, layer in zip(BINS, self.parts, strict=True):
            means = layer(part_means(x, bins))
            seen.append(F.interpolate(means, size=(height, width), mode="bilinear", align_corners=False))
        return F.relu(x + self.project(torch.cat(seen, dim=1)))


class Dilated(nn.Module):
    """Adds what convolutions with taps up to 8 pixels apart, and the mean over the whole image, tell of each place.

    Source: Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017 (ASPP), with rates that
    suit the 16×16 pixels which the deepest of five levels has of an image of 256×256. What comes of it is added to what
    came in, which the paper does not do.

    Args:
        channels: of what comes in and goes out.
        norm: as in `fashseg.models.unet_level.normalised`; the mean has none, as above.

    Shapes:
        (N, channels, H, W) to the same.
    """

    def __init__(self, channels: int, norm: str = "batch") -> None:
        super().__init__()
        part = max(1, channels // 4)
        bias = norm == "none"
        near = nn.Conv2d(channels, part, kernel_size=1, bias=bias)
        far = [nn.Conv2d(channels, part, kernel_size=3, padding=r, dilation=r, bias=bias) for r in RATES]
        self.branches = nn.ModuleList(nn.Sequential(*normalised(conv, norm), nn.ReLU()) for conv in (near, *far))
        self.whole = _of_means(channels, part)
        self.project = _project((len(RATES) + 2) * part, channels, norm)

    def forward(self, x: Tensor) -> Tensor:
        """What came in, and what the branches add."""
        height, width = x.shape[-2:]
        whole = self.whole(x.mean((2, 3), keepdim=True)).expand(-1, -1, height, width)
        return F.relu(x + self.project(torch.cat([*(branch(x) for branch in self.branches), whole], dim=1)))


def part_means(x: Tensor, bins: int) -> Tensor:
    """Means over ``bins`` × ``bins`` parts, as `torch.nn.functional.adaptive_avg_pool2d` has them.

    As two products of matrices, for pools whose size follows from that of the image have no counterpart in ONNX.

    Shapes:
        (N, C, H, W) to (N, C, bins, bins).
    """
    down, across = (_shares(size, bins, x) for size in x.shape[-2:])
    return down @ x @ across.T


def _shares(size: int, bins: int, like: Tensor) -> Tensor:
    """The weight of each pixel of a side in each of its parts, (bins, size): parts overlap where they are not equal."""
    pixels = torch.arange(size, device=like.device)
    number = torch.arange(bins, device=like.device)[:, None]
    inside = (pixels >= number * size // bins) & (pixels < ((number + 1) * size + bins - 1) // bins)
    shares = inside.to(like.dtype)
    return (shares / shares.sum(dim=1, keepdim=True)).to(like.dtype)  # in autocast, the sum has another type


def _of_means(channels: int, part: int) -> nn.Conv2d:
    conv = nn.Conv2d(channels, part, kernel_size=1)
    normalised(conv, "none")
    return conv


def _project(inputs: int, outputs: int, norm: str) -> nn.Sequential:
    return nn.Sequential(*normalised(nn.Conv2d(inputs, outputs, kernel_size=1, bias=norm == "none"), norm))


CONTEXTS = {"pyramid": Pyramid, "dilated": Dilated}
