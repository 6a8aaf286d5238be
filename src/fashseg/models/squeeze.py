"""Squeeze and excitation: what a channel says of the whole image decides how much each channel counts."""

from torch import Tensor, nn


class Squeeze(nn.Sequential):
    """Channels times weights of 0 to 1 that two small layers tell from the mean of each.

    Source: Hu et al., "Squeeze-and-Excitation Networks", 2018.

    Args:
        channels: of the image.
        reduction: the layer between has so many times fewer units, at least one.

    Shapes:
        (N, channels, H, W) to the same.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        units = max(1, channels // reduction)
        super().__init__(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, units, kernel_size=1),
            nn.ReLU(),
            nn.Conv2d(units, channels, kernel_size=1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Each channel by its weight."""
        weights: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return x * weights
