"""The report's segmenter: seven layers, one logit a class and pixel."""

from torch import Tensor, nn


class SegNet(nn.Sequential):
    """A small encoder-decoder without a ReLU at its end; 38,501 parameters for RGB and five classes.

    PyTorch's default initial weights. Source: *Classification and Segmentation*, part 2, layers 1 to 7.

    Args:
        channels: channels of an input image.
        classes: number of outputs a pixel.
        features: channels of the first convolution and of the transposed one; the middle has twice as many.

    Shapes:
        (N, channels, H, W) to (N, classes, H, W), H and W even.
    """

    def __init__(self, channels: int, classes: int, *, features: int = 32) -> None:
        super().__init__(
            nn.Conv2d(channels, features, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=2),
            nn.Conv2d(features, 2 * features, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * features, features, kernel_size=3, stride=2, padding=0),
            nn.Conv2d(features, classes, kernel_size=2, padding=0),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch of images."""
        height, width = images.shape[-2:]
        if height % 2 or width % 2:
            raise ValueError(
                f"segnet needs images of even height and width, got {height}×{width}; "
                f"pad them to {height + height % 2}×{width + width % 2}"
            )
        logits: Tensor = super().forward(images)  # type: ignore[no-untyped-call]
        return logits
