"""A plain convolutional network for small images, made for speed."""

from collections.abc import Sequence

from torch import Tensor, nn


class VGG(nn.Sequential):
    """Stages of 3×3 convolutions with batch normalisation, each of which halves the image.

    The pool of a stage stands behind its first convolution, in front of normalisation and ReLU, which then have a
    quarter of the work (an order that the CIFAR-10 speed runs use: Jordan, "94% on CIFAR-10 in 3.29 seconds on a single
    GPU", 2024). Named for the style of Simonyan and Zisserman, "Very Deep Convolutional Networks", 2015.

    Args:
        channels: channels of an input image.
        height: its height in pixels, as the width at least 2 to the power of the number of halvings.
        width: its width.
        classes: number of outputs, one logit a class.
        widths: channels of each stage.
        convs: convolutions of each stage, as many numbers as there are widths.
        stem: channels of a convolution of stride 2 in front of the stages, whose work it quarters; None has none.
        hidden: units of a fully connected layer behind the stages; None takes the maximum over all pixels instead.

    Shapes:
        (N, channels, height, width) to (N, classes).
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        classes: int,
        *,
        widths: Sequence[int],
        convs: Sequence[int],
        stem: int | None = None,
        hidden: int | None = None,
    ) -> None:
        layers: list[nn.Module] = []
        inputs = channels
        if stem:
            layers += [_conv(inputs, stem, stride=2), nn.BatchNorm2d(stem), nn.ReLU()]
            inputs, height, width = stem, -(-height // 2), -(-width // 2)
        for outputs, count in zip(widths, convs, strict=True):
            for number in range(count):
                layers.append(_conv(inputs, outputs))
                layers += [nn.MaxPool2d(2)] if number == 0 else []
                layers += [nn.BatchNorm2d(outputs), nn.ReLU()]
                inputs = outputs
            height, width = height // 2, width // 2
        if min(height, width) < 1:
            raise ValueError(f"vgg with {len(widths)} stages halves the image until nothing is left")
        if hidden:
            layers += [nn.Flatten(), nn.Linear(inputs * height * width, hidden, bias=False)]
            layers += [nn.BatchNorm1d(hidden), nn.ReLU()]
            inputs = hidden
        else:
            layers += [nn.AdaptiveMaxPool2d(1), nn.Flatten()]
        super().__init__(*layers, nn.Linear(inputs, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch of images."""
        logits: Tensor = super().forward(images)  # type: ignore[no-untyped-call]
        return logits


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """Without a bias: normalisation takes any away."""
    return nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)
