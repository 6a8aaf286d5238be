"""The whole function from pixel values to logits, and the same as a program that torch.export has traced."""

import copy
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import Dim, ExportedProgram

from fashseg.errors import RunError
from fashseg.export.quiet import quiet
from fashseg.models import divisor
from fashseg.network import Described

INPUT, OUTPUT = "images", "logits"
_SMALLEST_SIDE = 64
"""A traced network sees sides of at least this; those of a program may be smaller."""


class FromPixels(nn.Module):
    """A network behind the normalisation of its images, so that who uses it needs no mean and standard deviation.

    Args:
        network: of which a copy is made, to float32 on the CPU.

    Shapes:
        (N, C, H, W), float32, values of 0 to 255, to logits (N, classes) or (N, classes, H, W).
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: Described) -> None:
        super().__init__()
        copied = copy.deepcopy(network.model).to("cpu", torch.float32)
        self.network = copied.to(memory_format=torch.contiguous_format).requires_grad_(False)
        self.register_buffer("mean", network.mean.detach().cpu().float())
        self.register_buffer("std", network.std.detach().cpu().float())
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.network((images - self.mean) / self.std)
        return logits


def trace(network: Described) -> ExportedProgram:
    """The function of a network for batches of any size and, for segmentation, images of any size that fits.

    Raises:
        RunError: the network can't be traced that way.
    """
    function = FromPixels(network)
    example = torch.zeros(2, *_example_shape(network))
    failures = []
    for shapes in _dynamic_shapes(network):
        try:
            with quiet(), torch.no_grad():
                program = torch.export.export(function, (example,), dynamic_shapes=(shapes,))
        except Exception as error:  # whatever torch and the network come upon
            failures.append(error)
        else:
            return _without_paths(program)
    reason = next((line for line in str(failures[0]).splitlines() if line.strip()), type(failures[0]).__name__)
    raise RunError(
        f"the network can't be traced for batches{' and sizes' * (network.info.task == 'segmentation')} of any size: "
        f"{reason}",
        "Choose format=safetensors. Of your own network: write images.shape[0] for len(images), and set its attribute "
        "divisor where the sides of its images have to be multiples of one.",
    )


def _example_shape(network: Described) -> tuple[int, int, int]:
    channels, height, width = network.info.shape
    if network.info.task == "classification":
        return channels, height, width
    step = divisor(network.model)
    count = max(2, -(-_SMALLEST_SIDE // step))
    return channels, count * step, (count + 1) * step  # two that differ, or they would be taken for one


def _dynamic_shapes(network: Described) -> list[dict[int, Any]]:
    """What may vary, as torch.export wants it: multiples of a number, or else as the network itself asks for."""
    if network.info.task == "classification":
        return [{0: Dim("batch")}, {0: Dim.DYNAMIC}]
    step = divisor(network.model)
    sides = [Dim(name) if step == 1 else step * Dim(name) for name in ("height", "width")]
    return [{0: Dim("batch"), 2: sides[0], 3: sides[1]}, {0: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: Dim.DYNAMIC}]


def _without_paths(program: ExportedProgram) -> ExportedProgram:
    """Without the lines of source that each step comes from: they name folders of this machine."""
    for module in program.graph_module.modules():
        if isinstance(module, fx.GraphModule):
            for node in module.graph.nodes:
                node.meta.pop("stack_trace", None)
    return program
