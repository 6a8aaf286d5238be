"""The report's classifier: two convolutions and two fully connected layers."""

import torch.nn.functional as F
from torch import Tensor, nn


class CNN(nn.Sequential):
    """Conv 3×3, ReLU, max pool 2, twice, then two fully connected layers; 113,386 parameters on Fashion-MNIST.

    No padding, PyTorch's default initial weights. Source: *Classification and Segmentation*, part 1; that nothing is
    padded and that the hidden layer has 128 units are our reading of it.

    Args:
        channels: channels of an input image.
        height: its height in pixels, at least 10, as for the width.
        width: its width.
        classes: number of outputs, one logit a class.
        features: channels of both convolutions.
        hidden: units of the first fully connected layer.
        dropout: share of the values left out in front of both fully connected layers, in training; no layer, no weight.

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
        features: int = 32,
        hidden: int = 128,
        dropout: float = 0.0,
    ) -> None:
        flat = features * _after_stages(height) * _after_stages(width)
        super().__init__(
            *_stage(channels, features),
            *_stage(features, features),
            nn.Flatten(),
            nn.Linear(flat, hidden),
            nn.ReLU(),
            nn.Linear(hidden, classes),
        )
        self.dropout = dropout

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch of images.

        Each pool comes before its ReLU, which then has a quarter of the work: the ReLU keeps the order of numbers, so
        outputs and gradients are those of `layer_by_layer`, bit for bit.
        """
        conv1, relu1, pool1, conv2, relu2, pool2, flatten, hidden, relu3, last = self
        x = relu1(pool1(conv1(images)))
        x = flatten(relu2(pool2(conv2(x))))
        x = relu3(hidden(self._thinned(x)))
        logits: Tensor = last(self._thinned(x))
        return logits

    def _thinned(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout) if self.dropout and self.training else x

    def layer_by_layer(self, images: Tensor) -> Tensor:
        """The same function in the order of the report, every layer called once."""
        logits: Tensor = super().forward(images)  # type: ignore[no-untyped-call]
        return logits


def _stage(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3), nn.ReLU(), nn.MaxPool2d(2)]


def _after_stages(size: int) -> int:
    """Pixels that are left of ``size`` behind two unpadded 3×3 convolutions, each with a pool of 2."""
    if size < 10:
        raise ValueError(f"cnn needs images of at least 10×10 pixels, got a side of {size}")
    return ((size - 2) // 2 - 2) // 2
