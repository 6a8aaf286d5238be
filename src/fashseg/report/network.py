"""The network as a table of its layers."""

import logging
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from fashseg.tasks import Task

log = logging.getLogger(__name__)


def layers(task: Task) -> list[dict[str, Any]]:
    """Layers in the order in which one image passes them.

    Returns:
        For each: ``name``, ``kind`` as PyTorch prints it, ``output``, the shape for one image, ``parameters`` and
        ``multiply_adds`` of convolutions and products for one image. A layer that is passed twice is there twice, its
        parameters counted once. What does nothing, `torch.nn.Identity`, is left out; weights and work that belong to no
        layer, or to one that no image passes, are the last row.
    """
    model = task.model
    # A network that computes faster in another order of its layers tells the order that it is drawn in. Through its
    # method, a compiled one is not compiled again for a single image.
    forward = getattr(model, "layer_by_layer", model.forward if list(model.children()) else model)
    rows: list[dict[str, Any]] = []
    names = {module: name for name, module in model.named_modules()}
    counter = FlopCounterMode(display=False)
    seen: set[nn.Module] = set()
    before = 0

    def note(module: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal before
        passed = counter.get_total_flops() - before
        before += passed
        own = 0 if module in seen else sum(p.numel() for p in module.parameters())
        seen.add(module)
        shape = list(output.shape[1:]) if isinstance(output, Tensor) else []
        rows.append(
            {
                "name": names[module],
                "kind": str(module),
                "output": shape,
                "parameters": own,
                "multiply_adds": passed // 2,  # the counter counts both
            }
        )

    leaves = [m for m in model.modules() if not list(m.children()) and not isinstance(m, nn.Identity)]
    handles = [module.register_forward_hook(note) for module in leaves]
    try:
        with counter, torch.no_grad():
            forward(torch.zeros(1, *task.info.shape, device=task.device, dtype=task.mean.dtype))
    finally:
        for handle in handles:
            handle.remove()
    left = sum(p.numel() for p in model.parameters()) - sum(row["parameters"] for row in rows)
    if left or counter.get_total_flops() > before:
        work = (counter.get_total_flops() - before) // 2
        rows.append(
            {"name": "", "kind": "elsewhere in the network", "output": [], "parameters": left, "multiply_adds": work}
        )
    return rows


def multiply_adds(task: Task) -> int | None:
    """Those of all convolutions and products for one image; None where they can't be counted."""
    trains = task.training
    try:
        count: int = sum(layer["multiply_adds"] for layer in layers(task.eval()))
        return count
    except Exception:  # a network of the user's own may do what the counter does not know; the run stands
        log.exception("the multiply-adds could not be counted")
        return None
    finally:
        task.train(trains)
