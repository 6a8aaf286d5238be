"""Weights in fewer bytes: as float16, or as whole numbers of 8 bits with a scale for each output of a layer."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

Numbers = Literal["float32", "float16", "int8"]

_SCALE = "|scale"  # no name of a weight has this sign
_MOST = 127


def packed(weights: Mapping[str, Tensor], numbers: Numbers) -> dict[str, Tensor]:
    """Weights as they are kept.

    With ``int8`` a weight of several dimensions is w ≈ q s, q a whole number from -127 to 127 and s a number for each
    output, the largest |w| of it over 127; the others, which are few, become float16. No rounding is above s / 2.

    Args:
        weights: by name, on any device.
        numbers: how they are kept; whole numbers stay as they are.
    """
    kept: dict[str, Tensor] = {}
    for name, value in weights.items():
        value = value.detach().cpu().contiguous()
        if not value.is_floating_point() or numbers == "float32":
            kept[name] = value
        elif numbers == "float16" or value.ndim < 2:
            kept[name] = value.half()
        else:
            # Rounded up to float16, so that the largest weight fits.
            scale = (value.flatten(1).abs().amax(1).clamp_min(1e-4) / _MOST * (1 + 2**-10)).half()
            kept[name] = (value / _along_outputs(scale, value)).round().clamp(-_MOST, _MOST).to(torch.int8)
            kept[name + _SCALE] = scale
    return kept


def unpacked(kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights as they are used: the inverse of `packed`, but for what it rounded.

    Raises:
        ValueError: a scale is missing, or is not one number for each output.
    """
    weights: dict[str, Tensor] = {}
    for name, value in kept.items():
        if name.endswith(_SCALE):
            continue
        if value.dtype == torch.int8:
            scale = kept.get(name + _SCALE)
            if scale is None or value.ndim < 1 or scale.shape != value.shape[:1]:
                raise ValueError(f"the scale of {name} is not one number for each output")
            value = value.float() * _along_outputs(scale, value)
        weights[name] = value
    return weights


def _along_outputs(scale: Tensor, value: Tensor) -> Tensor:
    return scale.float().reshape(-1, *[1] * (value.ndim - 1))
