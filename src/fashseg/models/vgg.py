"""A plain convolutional network for small images, made for speed."""

from collections.abc import Sequence

from torch import Tensor, nn


class VGG(nn.Sequential):
    """Stages of 3×3 convolutions with batch normalisation, each of which halves the image, and a global max pool.

    The pool of a stage stands behind its first convolution, in front of normalisation and ReLU, which then have a
    quarter of the work (an order that the CIFAR-10 speed runs use: Jordan, "94% on CIFAR-10 in 3.29 seconds on a single
    GPU", 2024). Named for the style of Simonyan and Zisserman, "Very Deep Convolutional Networks", 2015.

    Args:
        channels: channels of an input image.
        classes: number of outputs, one logit a class.
        widths: channels of each stage.
        convs: convolutions of each stage, as many numbers as there are widths.

    Shapes:
        (N, channels, H, W) to (N, classes), H and W at least 2 to the power of the number of stages.
    """

    def __init__(self, channels: int, classes: int, *, widths: Sequence[int], convs: Sequence[int]) -> None:
        layers: list[nn.Module] = []
        inputs = channels
        for outputs, count in zip(widths, convs, strict=True):
            for number in range(count):
                layers.append(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))
                layers += [nn.MaxPool2d(2)] if number == 0 else []
                layers += [nn.BatchNorm2d(outputs), nn.ReLU()]
                inputs = outputs
        super().__init__(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch of images."""
        logits: Tensor = super().forward(images)  # type: ignore[no-untyped-call]
        return logits
