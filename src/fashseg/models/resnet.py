"""A residual network for small images: from 20 layers of few channels to a wide one, by its options."""

from collections.abc import Sequence

from torch import Tensor, nn

from fashseg.models.squeeze import Squeeze


class ResNet(nn.Sequential):
    """A 3×3 convolution, stages of residual blocks, the mean over all pixels, and one fully connected layer.

    Blocks normalise and rectify in front of their convolutions (He et al., "Identity Mappings in Deep Residual
    Networks", 2016); more channels in place of more layers make it a wide one (Zagoruyko and Komodakis, "Wide Residual
    Networks", 2016). The second convolution of a block starts at zero, so that each starts as the identity.

    Args:
        channels: channels of an input image.
        classes: number of outputs, one logit a class.
        widths: channels of each stage; all but the first halve the image.
        blocks: residual blocks of each stage.
        dropout: share of values left out between the convolutions of a block, in training.
        squeeze: weigh the channels that a block adds, through a layer of channels / squeeze units; None does not.
        stem: channels of the first convolution; None takes those of the first stage.

    Shapes:
        (N, channels, H, W) to (N, classes).
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        *,
        widths: Sequence[int],
        blocks: Sequence[int],
        dropout: float = 0.0,
        squeeze: int | None = None,
        stem: int | None = None,
    ) -> None:
        inputs = stem or widths[0]
        layers: list[nn.Module] = [_conv(channels, inputs)]
        for stage, (outputs, count) in enumerate(zip(widths, blocks, strict=True)):
            for number in range(count):
                stride = 2 if stage and not number else 1
                layers.append(Block(inputs, outputs, stride=stride, dropout=dropout, squeeze=squeeze))
                inputs = outputs
        layers += [nn.BatchNorm2d(inputs), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes)]
        super().__init__(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch of images."""
        logits: Tensor = super().forward(images)  # type: ignore[no-untyped-call]
        return logits


class Block(nn.Module):
    """Two 3×3 convolutions whose result is added to what came in.

    Shapes:
        (N, inputs, H, W) to (N, outputs, H / stride, W / stride), rounded up.
    """

    def __init__(
        self, inputs: int, outputs: int, *, stride: int = 1, dropout: float = 0.0, squeeze: int | None = None
    ) -> None:
        super().__init__()
        self.before = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU())
        self.convolved = nn.Sequential(
            _conv(inputs, outputs, stride),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            *([nn.Dropout(dropout)] if dropout else []),
            last := _conv(outputs, outputs),
            *([Squeeze(outputs, squeeze)] if squeeze else []),
        )
        nn.init.zeros_(last.weight)
        same = inputs == outputs and stride == 1
        self.shortcut = None if same else nn.Conv2d(inputs, outputs, kernel_size=1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """What came in, and what the convolutions add."""
        ready = self.before(x)
        added: Tensor = self.convolved(ready)
        return added + (x if self.shortcut is None else self.shortcut(ready))


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """Without a bias: normalisation takes any away."""
    conv = nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv
