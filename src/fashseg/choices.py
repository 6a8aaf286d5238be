"""The options of each choice of a group (model, data, optimizer, ...). Imports neither torch nor Hydra."""

from dataclasses import dataclass
from typing import Any

from fashseg.data_choices import CMPFacade, Facade, FashionMNIST, ImageFolder, MaskFolder, Streaming, Synthetic
from fashseg.declaring import option as option
from fashseg.library_choices import SMP, Timm
from fashseg.loss_choices import Binary, ClassBalanced, CrossEntropy, Dice, Distill, Focal, Lovasz
from fashseg.loss_choices import Loss as Loss
from fashseg.model_choices import CNN, VGG, ResNet, SegNet, UNet, WideResNet


@dataclass
class Optimizer:
    """What every optimizer has."""

    name: str = option("", "registered name of the optimizer")
    lr: float = option(1e-3, "learning rate", gt=0)
    weight_decay: float = option(
        0.0,
        "L2 penalty added to the gradient; decoupled from it in adamw; of biases and of normalisation, too",
        ge=0,
    )


@dataclass
class Adam(Optimizer):
    """Adam and AdamW."""

    beta1: float = option(0.9, "decay of the mean of gradients", ge=0, lt=1)
    beta2: float = option(0.999, "decay of the mean of squared gradients", ge=0, lt=1)


@dataclass
class SGD(Optimizer):
    """Stochastic gradient descent with momentum."""

    lr: float = option(1e-2, "learning rate", gt=0)
    momentum: float = option(0.9, "share of the last step that is kept", ge=0, lt=1)
    nesterov: bool = option(False, "look ahead along the momentum; needs momentum above 0")


@dataclass
class Scheduler:
    """What every schedule of the learning rate has."""

    name: str = option("", "registered name of the schedule")


@dataclass
class Cosine(Scheduler):
    """Half a cosine from ``optimizer.lr`` down, step by step."""

    final_share: float = option(0.0, "learning rate at the end, as a share of optimizer.lr", ge=0, le=1)


@dataclass
class OneCycle(Scheduler):
    """Up to ``optimizer.lr`` and down to nearly zero, step by step (Smith & Topin, 2018)."""

    rise_share: float = option(0.3, "share of all steps in which the rate rises", gt=0, lt=1)
    cycle_momentum: bool = option(
        False, "momentum, or beta1 of adam, goes down from 0.95 to 0.85 and up again, in place of the optimizer's own"
    )


@dataclass
class Augment:
    """What every augmentation of training images has."""

    name: str = option("", "registered name of the augmentation")


@dataclass
class Flip(Augment):
    """Mirror images left to right, with their masks."""

    probability: float = option(0.5, "share of the images that is mirrored", ge=0, le=1)
    mixup: float = option(
        0.0, "each image mixed with another, and their classes; how evenly: alpha of a Beta distribution", ge=0, le=100
    )
    cutmix: float = option(
        0.0, "a part of each image put over by that of another; its size: alpha of a Beta distribution", ge=0, le=100
    )
    mix_probability: float = option(1.0, "share of the batches that is mixed, where one of the two is on", ge=0, le=1)

    @property
    def mixes(self) -> bool:
        """Whether images are mixed, so that targets are shares of classes; for classification alone."""
        return max(self.mixup, self.cutmix) > 0 and self.mix_probability > 0


@dataclass
class FlipShift(Flip):
    """Mirror, and move by some pixels; what comes in from outside is black, and in masks ignored, or class 0."""

    shift: int = option(1, "pixels at most, in each direction; 0: none", ge=0, le=16)


@dataclass
class Garment(FlipShift):
    """Mirror, move, and paint a square over a part."""

    erase: int = option(
        8, "side in pixels of the square that is set to black, wherever its middle falls; 0: none", ge=0
    )


@dataclass
class Photo(Flip):
    """Mirror, scale, turn and move, with the masks; change light and colour."""

    scale: float = option(
        1.4, "size changes by at most this factor, up or down; what lies outside is mirrored", ge=1, le=4
    )
    stretch: float = option(1.15, "width against height changes by at most this factor, up or down", ge=1, le=2)
    angle: float = option(5.0, "degrees turned at most, to either side", ge=0, le=180)
    shift: float = option(0.1, "moves by at most this share of the side, in each direction", ge=0, le=0.5)
    warp_probability: float = option(
        1.0, "share of the images that are scaled and turned; the others move by whole pixels", ge=0, le=1
    )
    light: float = option(0.3, "brightness and contrast change by at most this share", ge=0, lt=1)
    colour: float = option(0.3, "saturation and the balance of the channels change by at most this share", ge=0, lt=1)


# For each group the dataclass of each choice. `fashseg.register` adds choices from outside the package.
CHOICES: dict[str, dict[str, type]] = {
    "model": {
        "cnn": CNN,
        "resnet": ResNet,
        "segnet": SegNet,
        "smp": SMP,
        "timm": Timm,
        "unet": UNet,
        "vgg": VGG,
        "wide_resnet": WideResNet,
    },
    "data": {
        "fashion_mnist": FashionMNIST,
        "facade": Facade,
        "cmp_facade": CMPFacade,
        "synthetic_fashion": Synthetic,
        "synthetic_facade": Synthetic,
        "image_folder": ImageFolder,
        "mask_folder": MaskFolder,
        "streaming": Streaming,
    },
    "optimizer": {"adam": Adam, "adamw": Adam, "sgd": SGD},
    "scheduler": {"none": Scheduler, "cosine": Cosine, "one_cycle": OneCycle},
    "augment": {"none": Augment, "flip": Flip, "flip_shift": FlipShift, "garment": Garment, "photo": Photo},
    "loss": {
        "cross_entropy": CrossEntropy,
        "binary": Binary,
        "class_balanced": ClassBalanced,
        "dice": Dice,
        "distill": Distill,
        "focal": Focal,
        "lovasz": Lovasz,
    },
}

# The task of each model and of each data set: a run needs the two to agree. Empty where the data says it itself.
TASKS: dict[str, dict[str, str]] = {
    "model": {
        "cnn": "classification",
        "resnet": "classification",
        "segnet": "segmentation",
        "smp": "segmentation",
        "timm": "classification",
        "unet": "segmentation",
        "vgg": "classification",
        "wide_resnet": "classification",
    },
    "data": {
        "fashion_mnist": "classification",
        "facade": "segmentation",
        "cmp_facade": "segmentation",
        "synthetic_fashion": "classification",
        "synthetic_facade": "segmentation",
        "image_folder": "classification",
        "mask_folder": "segmentation",
        "streaming": "",
    },
}

# Losses that are of one task alone.
LOSS_TASKS = {"dice": "segmentation", "distill": "classification", "lovasz": "segmentation"}

# Losses that take shares of classes in place of labels, as mixed images have them.
SHARING_LOSSES = ("cross_entropy", "binary", "class_balanced", "distill")

# What runs did that were made before the group was there.
BEFORE: dict[str, dict[str, Any]] = {"loss": {"name": "cross_entropy", "label_smoothing": 0.0}}
