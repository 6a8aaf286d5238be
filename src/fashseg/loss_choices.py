"""The options of each loss. Imports neither torch nor Hydra."""

from dataclasses import dataclass

from fashseg.declaring import option


@dataclass
class Loss:
    """What every loss has."""

    name: str = option("", "registered name of the loss")


@dataclass
class CrossEntropy(Loss):
    """The mean cross-entropy of images or pixels."""

    label_smoothing: float = option(0.0, "share of each target that is spread evenly over all classes", ge=0, lt=1)


@dataclass
class ClassBalanced(CrossEntropy):
    """Cross-entropy in which rare classes count for more."""

    beta: float = option(
        0.999, "how much more: 0 not at all, close to 1 as the inverse of their number in training", ge=0, lt=1
    )


@dataclass
class Focal(Loss):
    """Cross-entropy in which what is recognised already counts for less."""

    gamma: float = option(2.0, "how much less; 0 is cross-entropy", ge=0, le=20)


@dataclass
class Distill(Loss):
    """The answers of a teacher, a trained network, to each image as it is trained on."""

    teacher: str = option("", "whose answers are learnt: a model of fashseg, a run folder, or a file of weights")
    temperature: float = option(
        1.0, "logits of both are divided by it: above 1 classes that are not the answer count for more", ge=0.1, le=100
    )
    label_share: float = option(0.0, "share of the labels in what is learnt; 0 is the teacher alone", ge=0, lt=1)
    ways: int | None = option(None, "epochs after which all images come again as they came then", ge=1)


@dataclass
class Binary(Loss):
    """Each class against all others by itself, as logits are ranked."""


@dataclass
class Dice(Loss):
    """Overlap of prediction and truth, class by class, mixed with cross-entropy."""

    entropy_share: float = option(0.5, "share of cross-entropy in the loss; 0 is the overlap alone", ge=0, le=1)


@dataclass
class Lovasz(Loss):
    """Intersection over union, class by class, mixed with cross-entropy."""

    entropy_share: float = option(
        0.5, "share of cross-entropy in the loss; 0 is the intersection over union alone", ge=0, le=1
    )
