"""The floor counts the operations that the networks really take."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from bench import floor
from fashseg.models.cnn import CNN
from fashseg.models.segnet import SegNet


def counted(forward: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> tuple[int, int]:
    """Operations of the forward pass, and of both passes, as torch counts them."""
    images = torch.zeros(1, *shape)
    with FlopCounterMode(display=False) as once:
        out = forward(images)
    with FlopCounterMode(display=False) as back:
        out.sum().backward()
    return once.get_total_flops(), once.get_total_flops() + back.get_total_flops()


CLASSIFIER, SEGMENTER = CNN(1, 28, 28, 10), SegNet(3, 5)
CASES = {
    "cnn": (CLASSIFIER, CLASSIFIER.forward, (1, 28, 28), 0.0),
    # The kernel of the last two layers together is computed once a batch, not once an image.
    "segnet": (SEGMENTER, SEGMENTER.forward, (3, 256, 256), 0.01),
    "segnet as written": (SEGMENTER, SEGMENTER.layer_by_layer, (3, 256, 256), 0.0),
}


@pytest.mark.parametrize("name", floor.NETWORKS)
def test_operations_and_weights_are_those_of_the_network(name: str) -> None:
    model, forward, shape, tolerance = CASES[name]
    network = floor.NETWORKS[name]
    once, both = counted(forward, shape)
    assert network.forward_flops == pytest.approx(once, rel=tolerance)
    assert network.training_flops == pytest.approx(both, rel=tolerance)
    assert network.parameters == sum(p.numel() for p in model.parameters())


def test_a_pass_takes_as_long_as_the_slower_of_arithmetic_and_memory() -> None:
    layer = floor.Layer("layer", inputs=100, outputs=50, multiply_adds=1000, first=True)
    network = floor.Network((layer,), parameters=0, batch_size=1, eval_batch_size=1, scored=0.5)
    copy = [(1, 1e3)]
    slow_memory = floor.floor_of(network, {"bf16": 1e12, "32": 1e12}, copy, "bf16")
    assert slow_memory.steps == pytest.approx(2 * 150 * 2 / 1e3)  # forward, and backward to the weights
    assert slow_memory.epoch == pytest.approx(slow_memory.steps + 0.5 * 150 * 4 / 1e3)
    slow_arithmetic = floor.floor_of(network, {"bf16": 100.0, "32": 50.0}, copy, "bf16")
    assert slow_arithmetic.steps == slow_arithmetic.arithmetic == pytest.approx(2 * 2000 / 100)
    assert slow_arithmetic.epoch == pytest.approx(40 + 0.5 * 2000 / 50)


def test_the_largest_copy_that_is_no_larger_tells_the_rate() -> None:
    network = floor.Network((floor.Layer("layer", 500, 500, first=True),), 0, 1, 1, 0)
    rates = {"bf16": 1.0, "32": 1.0}
    assert floor.floor_of(network, rates, [(10, 4.0), (2000, 2.0), (4000, 1.0)], "bf16").steps == 2000 / 2
    assert floor.floor_of(network, rates, [(3000, 4.0)], "bf16").steps == 2000 / 4
