"""The floor: how fast both networks could be trained if every layer ran at the peak rate of this machine.

    python -m bench.floor

A pass over a layer takes at least as long as its multiply-adds at the rate of a large product of matrices, and at least
as long as its arrays, each read or written once, at the rate of a copy of that size; both may overlap, passes may not.
Rates are measured in the same run, on one thread. Imports no torch: see children.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.children import run_module
from bench.tables import count, table

FLOAT = 4  # bytes of a float32
SCALING = ("uint8 to numbers", 0)  # bytes read are left out: they are few beside the numbers written


@dataclass(frozen=True)
class Layer:
    """One layer, by image.

    Attributes:
        name: in words.
        inputs: numbers that it reads.
        outputs: numbers that it writes.
        multiply_adds: 0 where nothing is multiplied.
        notes: bytes that the forward pass leaves for the backward pass beside the outputs.
        first: needs no gradient of its inputs.
    """

    name: str
    inputs: int
    outputs: int
    multiply_adds: int = 0
    notes: int = 0
    first: bool = False

    def forward(self, size: int) -> tuple[int, int]:
        """Multiply-adds and bytes, of numbers of ``size`` bytes."""
        return self.multiply_adds, (self.inputs + self.outputs) * size + self.notes

    def backward(self, size: int) -> Iterator[tuple[int, int]]:
        """The same of each pass backward: to the weights, and to the inputs."""
        if self.multiply_adds:
            yield self.multiply_adds, (self.inputs + self.outputs) * size
        if not self.first:
            yield self.multiply_adds, (self.inputs + self.outputs) * size + self.notes


@dataclass(frozen=True)
class Network:
    """Layers in their order.

    Attributes:
        layers: of the network.
        parameters: number of its weights.
        batch_size: images a step.
        eval_batch_size: images at once in validation.
        scored: images that are scored after an epoch, by training image: validation and fixed weights.
    """

    layers: tuple[Layer, ...]
    parameters: int
    batch_size: int
    eval_batch_size: int
    scored: float

    @property
    def training_flops(self) -> int:
        """Floating-point operations an image; a multiply-add is two."""
        passes = (macs for layer in self.layers for macs, _ in (layer.forward(2), *layer.backward(2)))
        return 2 * sum(passes)

    @property
    def forward_flops(self) -> int:
        """The same of the forward pass alone."""
        return 2 * sum(layer.multiply_adds for layer in self.layers)


def conv(name: str, inputs: tuple[int, int], outputs: tuple[int, int], kernel: int, first: bool = False) -> Layer:
    """A convolution; (channels, pixels a side) of inputs and outputs."""
    (c_in, side_in), (c_out, side_out) = inputs, outputs
    multiply_adds = side_out**2 * c_out * c_in * kernel**2
    return Layer(name, c_in * side_in**2, c_out * side_out**2, multiply_adds, first=first)


def pool_relu(name: str, channels: int, side: int) -> list[Layer]:
    """A maximum of 2×2, which notes one byte for each output, and a ReLU behind it."""
    inputs, outputs = channels * side**2, channels * (side // 2) ** 2
    return [Layer(f"{name} pool", inputs, outputs, notes=outputs), Layer(f"{name} ReLU", outputs, outputs)]


def cnn() -> Network:
    """On images of 28×28."""
    layers = (
        Layer(*SCALING, 28**2, first=True),
        conv("conv 1", (1, 28), (32, 26), 3, first=True),
        *pool_relu("conv 1", 32, 26),
        conv("conv 2", (32, 13), (32, 11), 3),
        *pool_relu("conv 2", 32, 11),
        Layer("linear 1", 800, 128, 800 * 128),
        Layer("linear 1 ReLU", 128, 128),
        Layer("linear 2", 128, 10, 128 * 10),
        Layer("loss", 10, 1),
    )
    return Network(layers, 113_386, 64, 500, scored=(6000 + 12 * 500) / 54_000)


def segnet(composed: bool) -> Network:
    """On images of 256×256; ``composed`` has the last two layers as one, as they are trained."""
    if composed:  # a 2×2 convolution for the four places of each square, which are then put where they belong
        tail = [conv("last two as one", (64, 128), (20, 129), 2), Layer("to places", 20 * 129**2, 5 * 256**2)]
    else:
        up = Layer("up", 64 * 128**2, 32 * 257**2, 128**2 * 64 * 32 * 9)
        tail = [up, conv("last", (32, 257), (5, 256), 2)]
    layers = (
        Layer(*SCALING, 3 * 256**2, first=True),
        conv("conv 1", (3, 256), (32, 256), 3, first=True),
        *pool_relu("conv 1", 32, 256),
        conv("conv 2", (32, 128), (64, 128), 3),
        Layer("conv 2 ReLU", 64 * 128**2, 64 * 128**2),
        *tail,
        Layer("loss", 5 * 256**2, 1),
    )
    return Network(layers, 38_501, 4, 8, scored=(106 + 13 * 8) / 800)


NETWORKS = {"cnn": cnn(), "segnet": segnet(composed=True), "segnet as written": segnet(composed=False)}


@dataclass(frozen=True)
class Floor:
    """Seconds an image on one core, at least.

    Attributes:
        steps: of a training step, optimizer included.
        arithmetic: what the multiply-adds alone make of it.
        epoch: of a step and the image's share of scoring after the epoch, in float32.
    """

    steps: float
    arithmetic: float
    epoch: float


def floor_of(network: Network, flops: Mapping[str, float], copy: Sequence[Sequence[float]], precision: str) -> Floor:
    """The floor on a machine.

    Args:
        network: what is trained.
        flops: operations a second by ``bf16`` and ``32``.
        copy: pairs of bytes and bytes a second, by rising size.
        precision: of training; scoring is in float32.
    """

    def seconds(macs: int, size: int, images: int, kind: str) -> float:
        # The largest copy that is no larger: generous where the rate falls with the size.
        rate = [rate for bytes_copied, rate in copy if bytes_copied <= size * images] or [copy[0][1]]
        return max(2 * macs / flops[kind], size / rate[-1])

    width = 2 if precision == "bf16" else FLOAT
    steps = 0.0
    for layer in network.layers:
        for macs, size in (layer.forward(width), *layer.backward(width)):
            steps += seconds(macs, size, network.batch_size, precision)
    # Adam reads weight, gradient and two moments, and writes all but the gradient.
    steps += seconds(0, 7 * FLOAT * network.parameters, 1, "32") / network.batch_size
    scoring = sum(seconds(*layer.forward(FLOAT), network.eval_batch_size, "32") for layer in network.layers)
    return Floor(steps, network.training_flops / flops[precision], steps + network.scored * scoring)


def floor_table(peaks: Mapping[str, Any], measured: Mapping[str, tuple[float, float]], precision: str = "bf16") -> str:
    """Both networks.

    Args:
        peaks: what peaks.py prints.
        measured: by network, images that the project trains a processor second: steps alone, and whole epochs.
        precision: of training.
    """
    rows = []
    for name, network in NETWORKS.items():
        floor = floor_of(network, peaks["flops"], peaks["copy"], precision)
        rates = [1 / seconds for seconds in (floor.arithmetic, floor.steps, floor.epoch)]
        found = measured.get(name.split()[0])
        distances = [f"{most / rate:.1f}" for most, rate in zip(rates[1:], found, strict=True)] if found else ["", ""]
        rows.append((name, f"{network.training_flops / 1e6:,.1f}", *map(count, rates), *distances))
    header = ("floor", "MFLOP an image", "images/s: arithmetic alone", "steps", "whole epoch")
    return table((*header, "project is slower: steps", "whole epoch"), rows) + f"\n\n{_machine(peaks)}"


def _machine(peaks: Mapping[str, Any]) -> str:
    bf16, full = (peaks["flops"][kind] / 1e9 for kind in ("bf16", "32"))
    copies = ", ".join(f"{rate / 1e9:,.0f} GB/s of {size / 1e6:,.1f} MB" for size, rate in peaks["copy"])
    return f"One core: {bf16:,.0f} GFLOP/s in bfloat16, {full:,.0f} in float32; copies {copies}."


def main() -> None:
    """Measure the machine and print the floor."""
    print(floor_table(run_module("bench.peaks").result, {}))


if __name__ == "__main__":
    main()
