"""The options of networks of other libraries. Imports neither torch nor Hydra."""

from dataclasses import dataclass
from typing import Any

from fashseg.declaring import option
from fashseg.model_choices import Model


@dataclass
class Library(Model):
    """What networks of other libraries have."""

    weights_file: str | None = option(
        None, "begin with the weights of this file in the safetensors format, by the library's names for them"
    )
    normalisation: str = option(
        "weights",
        "weights: pixel values as the weights that it begins with are used to them; data: by the data set's mean",
        choices=("weights", "data"),
    )
    options: dict[str, Any] = option({}, "further keyword arguments of the library, as it names them")


@dataclass
class Timm(Library):
    """A classifier of timm."""

    architecture: str = option("resnet18", "its name in timm, with or without the tag of its weights")
    pretrained: bool = option(False, "begin with the weights that timm names, downloaded once")
    image_size: int | None = option(
        None, "side that images are scaled to within the network; null: they stay as they are", ge=1, le=1024
    )


@dataclass
class SMP(Library):
    """A segmenter of segmentation_models_pytorch."""

    architecture: str = option("unet", "its name in segmentation_models_pytorch")
    encoder: str = option("resnet18", "the name of its encoder; tu-NAME is one of timm")
    encoder_weights: str | None = option(
        None, "begin with these weights of the encoder, such as imagenet, downloaded once; null: fresh ones"
    )
