"""Whether a file computes what the original does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from fashseg.errors import RunError
from fashseg.export.writing import Function

TOLERANCE = 1e-4
"""Largest difference of a logit, in float32."""
ROUNDED = {"float16": (0.01, 0.99), "int8": (0.1, 0.97)}
"""The same where weights are rounded, as a share of the largest logit; and the share of labels that must be equal."""

_PIXELS_AT_ONCE = 1 << 20
_MOST_AT_ONCE = 16
_OF_ANOTHER_SIZE = 4


@dataclass
class Agreement:
    """How far a file agrees with the original.

    Attributes:
        difference: largest absolute difference of a logit; nan where one of both is not finite.
        largest: largest absolute logit of the original.
        equal: labels that are equal.
        labels: labels that were compared.
    """

    difference: float = 0.0
    largest: float = 0.0
    equal: int = 0
    labels: int = 0

    def add(self, original: Tensor, other: Tensor) -> None:
        """Count a batch of logits, classes along axis 1."""
        if original.shape != other.shape:
            raise RunError(
                f"the file gives {tuple(other.shape)} numbers where the original gives {tuple(original.shape)}.",
                "Nothing is written; the network is not one that can be exported.",
            )
        found = (original - other).abs().max()
        self.difference = float(torch.maximum(found, torch.tensor(self.difference)))  # nan stays
        self.largest = max(self.largest, float(original.abs().max()))
        same = original.argmax(1) == other.argmax(1)
        self.equal += int(same.sum())
        self.labels += same.numel()

    def wrong(self, numbers: str) -> str:
        """What is wrong with it, with the rule; empty where nothing is.

        Args:
            numbers: in which the file keeps weights, see `fashseg.packing`.
        """
        share, labels = ROUNDED.get(numbers, (0.0, 0.0))
        bound = share * self.largest if share else TOLERANCE
        if not self.difference <= bound:  # nan is not
            return f"its logits differ by up to {self.difference:.2g} from those of the original, at most {bound:.2g}"
        if self.equal < labels * self.labels:
            return f"{self.equal:,} of {self.labels:,} labels are those of the original, at least {labels:.0%}"
        return ""


def compare(
    original: Function, files: Mapping[str, Function], images: Tensor, divisor: int | None
) -> dict[str, Agreement]:
    """Compute the same images with the original and with each file.

    Args:
        original: from float32 images to logits.
        files: the same functions by format, as they were read again.
        images: (N, C, H, W), uint8.
        divisor: of sides, where images may have any size; None where they can't.
    """
    found = {kind: Agreement() for kind in files}
    with torch.inference_mode():
        for batch in _batches(images, divisor):
            wanted = original(batch)
            for kind, function in files.items():
                found[kind].add(wanted, _computed(kind, function, batch))
    return found


def _computed(kind: str, function: Function, batch: Tensor) -> Tensor:
    try:
        return function(batch)
    except Exception as error:  # whatever a runtime comes upon
        reason = (str(error).strip() or type(error).__name__).partition("\n")[0]
        raise RunError(
            f"format={kind} fails on {batch.shape[0]} images of {batch.shape[2]}×{batch.shape[3]} pixels: {reason}",
            "Nothing is written. Choose another format.",
        ) from error


def _batches(images: Tensor, divisor: int | None) -> Iterator[Tensor]:
    """One image alone, the others several at once, and some of them cut to another size."""
    height, width = images.shape[-2:]
    several = min(_MOST_AT_ONCE, max(2, _PIXELS_AT_ONCE // (height * width)))
    for batch in (images[:1], *torch.split(images[1:], several)):
        if len(batch):
            yield batch.float()
    if divisor is not None:
        sides = [max(divisor, int(share * side) // divisor * divisor) for share, side in ((0.6, height), (0.85, width))]
        yield images[-_OF_ANOTHER_SIZE:, :, : sides[0], : sides[1]].float()
