"""The options of each network. Imports neither torch nor Hydra."""

from dataclasses import dataclass

from fashseg.declaring import option

SQUEEZE = (
    "a block weighs its channels by their means over the image, through channels / squeeze units; null: it doesn't"
)


@dataclass
class Model:
    """What every network has."""

    name: str = option("", "registered name of the network")


@dataclass
class CNN(Model):
    """The report's classifier."""

    features: int = option(32, "channels of both convolutions", ge=1)
    hidden: int = option(128, "units of the first fully connected layer", ge=1)
    dropout: float = option(
        0.0, "share of values left out in front of both fully connected layers, in training", ge=0, lt=1
    )


@dataclass
class VGG(Model):
    """Stages of 3×3 convolutions with batch normalisation, made for speed."""

    stem: int | None = option(None, "channels of a convolution of stride 2 in front of the stages; null has none", ge=1)
    widths: list[int] = option([32, 64, 128], "channels of each stage; a stage halves the image")
    convs: list[int] = option([1, 2, 2], "convolutions of each stage")
    hidden: int | None = option(
        None, "units of a fully connected layer behind the stages; null: a global maximum instead", ge=1
    )


@dataclass
class SegNet(Model):
    """The report's segmenter."""

    features: int = option(32, "channels of the first convolution; the middle has twice as many", ge=1)
    shrink: int = option(1, "the layers look at images shrunk by this factor; logits are enlarged again", ge=1, le=64)


@dataclass
class ResNet(Model):
    """Residual blocks: few channels and 20 layers, or a wide one."""

    widths: list[int] = option([16, 32, 64], "channels of each stage; all but the first halve the image")
    blocks: list[int] = option([3, 3, 3], "residual blocks of each stage, of two convolutions each")
    dropout: float = option(0.0, "share of values left out within a block, in training", ge=0, lt=1)
    squeeze: int | None = option(None, SQUEEZE, ge=1)


@dataclass
class WideResNet(Model):
    """A wide residual network by its depth and its width."""

    depth: int = option(16, "layers: 4, and 6 for each residual block of a stage", ge=10, le=604)
    width: int = option(8, "times 16, 32 and 64 channels of the three stages", ge=1)
    dropout: float = option(0.0, "share of values left out within a block, in training", ge=0, lt=1)
    squeeze: int | None = option(None, SQUEEZE, ge=1)


@dataclass
class UNet(Model):
    """An encoder-decoder over several scales."""

    widths: list[int] = option(
        [16, 32, 64, 128, 128], "channels of each level; all but the first work on half the size of the one before"
    )
    convs: int = option(2, "convolutions of each level of the encoder", ge=1, le=100)
    decoder_convs: int = option(1, "convolutions of each level of the decoder", ge=1, le=100)
    dropout: float = option(0.0, "share of the channels of the deepest level left out, in training", ge=0, lt=1)
    norm: str = option(
        "batch",
        "batch: over the images of a step; group: of each image by itself; none: a bias in its place",
        choices=("batch", "group", "none"),
    )
    blocks: str = option(
        "residual",
        "residual: all but the first convolution of a level add to what came in; plain: none does; separable: as "
        "residual, each convolution first by channel, then by pixel",
        choices=("residual", "plain", "separable"),
    )
    context: str = option(
        "none",
        "what the deepest level sees besides: pyramid: means over parts of the image; dilated: pixels further away",
        choices=("none", "pyramid", "dilated"),
    )
