"""A wide residual network, by its depth and its width."""

from fashseg.models.resnet import ResNet

BESIDES, PER_BLOCK = 4, 6
"""Layers besides those of the blocks, and those that one block more in each of the three stages makes."""


def wide_resnet(
    channels: int, classes: int, *, depth: int = 16, width: int = 8, dropout: float = 0.0, squeeze: int | None = None
) -> ResNet:
    """A residual network of three stages in which more channels stand in the place of more layers.

    WRN-16-8 and WRN-28-10 are ``depth=16, width=8`` and ``depth=28, width=10``, with 11.0 and 36.5 million parameters.
    The first stage works on the whole image, the others on a half and a quarter of its side. Source: Zagoruyko and
    Komodakis, "Wide Residual Networks", 2016; that each block starts as the identity is ours.

    Args:
        channels: channels of an input image.
        classes: number of outputs, one logit a class.
        depth: number of layers as the paper counts them, a multiple of 6 and 4 more: two 3x3 convolutions a block.
        width: times 16, 32 and 64 channels of the stages.
        dropout: share of values left out between the convolutions of a block, in training.
        squeeze: as in `ResNet`.

    Raises:
        ValueError: there is no such depth.
    """
    blocks, rest = divmod(depth - BESIDES, PER_BLOCK)
    if blocks < 1 or rest:
        raise ValueError(f"a wide_resnet of {depth} layers can't be built: 10, 16, 22, 28, ... can")
    widths = [16 * width, 32 * width, 64 * width]
    return ResNet(channels, classes, widths=widths, blocks=[blocks] * 3, dropout=dropout, squeeze=squeeze, stem=16)
