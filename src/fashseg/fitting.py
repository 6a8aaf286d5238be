"""Whether weights are those of a network, seen before the network takes any memory.

What a file says of a network may ask for any size: weights that fit are as large as it is, and are there already.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode

from fashseg import config as cfg
from fashseg.data.info import DataInfo
from fashseg.models import build_model


def require_fitting(model: cfg.Model, info: DataInfo, weights: Mapping[str, Tensor]) -> dict[str, torch.dtype]:
    """Hold weights against the network that they are to be put in.

    Args:
        model: options of the network, checked.
        info: of its images.
        weights: by the names that the network has for them.

    Returns:
        The types that the network has them in.

    Raises:
        ValueError: one is missing, has another shape, or is of another network; or there can't be such a network.
    """
    try:
        with torch.device("meta"), _Unfilled(), _at_most(4 * len(weights) + 1000):  # takes no memory, whatever its size
            wanted = build_model(model, info.shape, len(info.class_names)).state_dict()
    except (RuntimeError, TypeError, ArithmeticError) as error:  # more values than can be counted
        reason = str(error).partition("\n")[0]
        raise ValueError(f"no such network can be built ({reason})") from error
    left = dict(weights)
    for name, value in wanted.items():
        found = left.pop(name, None)
        if not isinstance(found, Tensor):
            raise ValueError(f"it has no {name}, which the network needs")
        if found.shape != value.shape:
            shapes = [" × ".join(map(str, tensor.shape)) or "one value" for tensor in (found, value)]
            raise ValueError(f"its {name} is {shapes[0]}, and the network needs {shapes[1]}")
        if found.is_floating_point() != value.is_floating_point():
            raise ValueError(f"its {name} is of {found.dtype}, and the network needs {value.dtype}")
    if left:
        raise ValueError(f"it has {next(iter(left))!s:.60}, which the network does not know")
    return {name: value.dtype for name, value in wanted.items()}


@contextlib.contextmanager
def _at_most(most: int) -> Iterator[None]:
    """Stop a network that gets layers without end: some are made to be replaced, but not many times as many."""
    count = 0

    def note(_module: nn.Module, _name: str, _value: Any) -> None:
        nonlocal count
        count += 1
        if count > most:
            raise ValueError("the network that it names has far more layers than it has weights for")

    handle = register_module_parameter_registration_hook(note)
    try:
        yield
    finally:
        handle.remove()


class _Unfilled(TorchFunctionMode):
    """Values that have no memory are not drawn either: to do so PyTorch imports its compiler, 165 MB and 2 seconds."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        if func in (Tensor.normal_, Tensor.uniform_):
            return args[0]
        return func(*args, **(kwargs or {}))


def of_network(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the network, by its own names, out of the state of a task."""
    return {
        name.removeprefix("model."): value
        for name, value in state.items()
        if isinstance(name, str) and name.startswith("model.") and isinstance(value, Tensor)
    }
