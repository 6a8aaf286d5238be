"""What the first layer of a network looks for."""

import numpy as np
import numpy.typing as npt
from torch import nn


def first_filters(model: nn.Module) -> npt.NDArray[np.float32] | None:
    """Weights (F, C, h, w) of the first convolution; None where there is none."""
    first = next((module for module in model.modules() if isinstance(module, nn.Conv2d)), None)
    if first is None:
        return None
    weights: npt.NDArray[np.float32] = first.weight.detach().float().cpu().numpy()
    return weights
