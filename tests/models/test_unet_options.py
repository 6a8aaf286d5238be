"""What the options of the U-Net change: normalisation, blocks, and what the deepest level sees."""

import itertools
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from fashseg.checking import check_choice
from fashseg.models import build_model
from fashseg.models.context import Dilated, Pyramid, part_means
from fashseg.models.unet import UNet

OPTIONS = {
    "norm": ("batch", "group", "none"),
    "blocks": ("residual", "plain", "separable"),
    "context": ("none", "pyramid", "dilated"),
}
DEFAULTS = {name: values[0] for name, values in OPTIONS.items()}
SINGLE = [DEFAULTS, *(DEFAULTS | {name: value} for name, values in OPTIONS.items() for value in values[1:])]
TOGETHER = [
    {"norm": "group", "blocks": "separable", "context": "pyramid"},
    {"norm": "none", "blocks": "residual", "context": "dilated"},
]


def words(options: dict[str, str]) -> str:
    return "-".join(options.values())


def build(options: dict[str, str], widths: tuple[int, ...] = (8, 12, 16)) -> UNet:
    torch.manual_seed(0)
    return UNet(3, 4, widths=widths, **options)


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_without_a_word_the_weights_have_the_names_of_before() -> None:
    encoder = [f"encoder.{level}.{part}" for level in range(3) for part in ("first", "others.0")]
    layers = [*encoder, "decoder.0.first", "decoder.1.first"]
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    expected = {f"{layer}.0.weight" for layer in layers} | {f"{layer}.1.{name}" for layer in layers for name in norm}
    expected |= {f"{layer}.{name}" for layer in ("reduce.0", "reduce.1", "head") for name in ("weight", "bias")}
    assert set(UNet(3, 4, widths=[8, 12, 16]).state_dict()) == expected
    assert set(build(DEFAULTS).state_dict()) == expected


def test_a_network_that_was_kept_before_the_options_were_there_is_the_same() -> None:
    kept = {"name": "unet", "widths": [8, 12, 16], "convs": 2, "decoder_convs": 1, "dropout": 0.0}
    again = build_model(check_choice("model", kept), (3, 16, 16), 4).eval()
    again.load_state_dict(build(DEFAULTS).state_dict())
    images = torch.randn(2, 3, 16, 16)
    assert torch.equal(again(images), build(DEFAULTS).eval()(images))
    kept = {"name": "resnet", "widths": [4], "blocks": [1], "dropout": 0.0}
    assert check_choice("model", kept).squeeze is None


def test_every_option_is_another_function() -> None:
    images = torch.randn(2, 3, 16, 24, generator=torch.Generator().manual_seed(1))
    outputs = [build(options)(images) for options in (*SINGLE, *TOGETHER)]
    for one, other in itertools.combinations(outputs, 2):
        assert one.shape == (2, 4, 16, 24)
        assert not torch.allclose(one, other, atol=1e-3)


@pytest.mark.parametrize("options", [*SINGLE, *TOGETHER], ids=words)
def test_it_learns_two_images_by_heart(options: dict[str, str]) -> None:
    model = build(options)
    images, labels = torch.randn(2, 3, 8, 8), torch.randint(4, (2, 8, 8))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2, "of 1.4 for a guess"
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert not idle, "the gradient reaches all weights"


@pytest.mark.parametrize("size", [(16, 16), (4, 6), (5, 17), (1, 1)])
@pytest.mark.parametrize("bins", [1, 2, 3, 6])
def test_means_of_parts_are_those_of_adaptive_pooling(size: tuple[int, int], bins: int) -> None:
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    torch.testing.assert_close(part_means(x, bins), F.adaptive_avg_pool2d(x, bins))


@pytest.mark.parametrize("kind", [Pyramid, Dilated])
def test_a_place_sees_what_is_far_away(kind: Any) -> None:
    torch.manual_seed(0)
    context = kind(8, "none")
    x = torch.rand(1, 8, 16, 16, requires_grad=True)
    far = torch.autograd.grad(context(x)[0, :, 0, 0].sum(), x)[0][0, :, 10:, 10:]
    assert far.abs().min() > 0
    assert context(x).shape == x.shape
    assert kind(3)(torch.rand(1, 3, 5, 7)).shape == (1, 3, 5, 7), "fewer channels than branches, an odd size"
    assert kind(8).eval()(torch.rand(1, 8, 1, 1)).shape == (1, 8, 1, 1)


def test_dilated_taps_are_as_far_apart_as_the_text_says() -> None:
    torch.manual_seed(0)
    context = Dilated(8, "none")
    x = torch.rand(1, 8, 33, 33, requires_grad=True)
    reach = []
    for branch in context.branches:
        (seen,) = torch.autograd.grad(branch[0](x)[0, :, 16, 16].sum(), x)
        rows = seen[0].abs().sum((0, 2)).nonzero().flatten() - 16
        reach.append(rows.tolist())
    assert reach == [[0], [-2, 0, 2], [-4, 0, 4], [-8, 0, 8]]


def test_group_normalisation_is_of_each_image_by_itself() -> None:
    images = torch.randn(3, 3, 16, 16)
    alone = build(DEFAULTS | {"norm": "group"}).train()
    torch.testing.assert_close(alone(images)[:1], alone(images[:1]))
    groups = [(m.num_channels, m.num_groups) for m in alone.modules() if isinstance(m, nn.GroupNorm)]
    assert set(groups) == {(8, 8), (12, 4), (16, 8)}
    last = (images + 30).contiguous(memory_format=torch.channels_last)
    norm = next(m for m in build(DEFAULTS | {"norm": "group"}, (3, 4)).modules() if isinstance(m, nn.GroupNorm))
    exactly = F.group_norm(last.double(), norm.num_groups)
    torch.testing.assert_close(norm(last).double(), exactly, rtol=0, atol=1e-4)
    together = build(DEFAULTS).train()
    assert not torch.allclose(together(images)[:1], together(images[:1]), atol=1e-3)


def test_without_normalisation_there_is_a_bias_and_deep_levels_stay_tame() -> None:
    model = UNet(3, 4, widths=[8, 8, 8], convs=20, norm="none")
    assert not any(isinstance(m, (nn.BatchNorm2d, nn.GroupNorm)) for m in model.modules())
    assert all(m.bias is not None for m in model.modules() if isinstance(m, nn.Conv2d))
    assert model(torch.randn(1, 3, 16, 16)).abs().max() < 100


def test_separable_convolutions_have_few_weights() -> None:
    widths = (64, 128, 256)
    whole, separable = (parameters(build(DEFAULTS | {"blocks": blocks}, widths)) for blocks in ("plain", "separable"))
    assert parameters(build(DEFAULTS, widths)) == whole
    assert 0.11 < separable / whole < 0.16
    by_channel = [m for m in build(DEFAULTS | {"blocks": "separable"}).modules() if getattr(m, "groups", 1) > 1]
    assert {(m.kernel_size, m.groups == m.in_channels == m.out_channels) for m in by_channel} == {((3, 3), True)}


@pytest.mark.parametrize(("context", "count"), [("none", 902_841), ("pyramid", 935_993), ("dilated", 1_042_649)])
def test_a_small_one_stays_below_the_limit_of_small_ones(context: str, count: int) -> None:
    model = UNet(3, 5, widths=[20, 40, 80, 128, 128], context=context)
    assert parameters(model) == count


def test_memory_in_the_order_of_channels_and_mixed_precision_change_little() -> None:
    images = torch.randn(2, 3, 16, 24)
    for options in TOGETHER:
        model = build(options).eval()
        expected = model(images)
        last = model.to(memory_format=torch.channels_last)
        torch.testing.assert_close(last(images.contiguous(memory_format=torch.channels_last)), expected)
        with torch.autocast("cpu", torch.bfloat16):
            rounded = last(images).float()
        assert (rounded - expected).abs().max() < 0.05 * expected.abs().max()


@pytest.mark.parametrize("options", TOGETHER, ids=words)
def test_a_step_is_one_graph(options: dict[str, str]) -> None:
    """Nothing in it depends on values, so that it can be compiled, and recorded on a GPU."""
    model = build(options)
    images = torch.randn(2, 3, 8, 8)
    whole = torch.compile(model, backend="eager", fullgraph=True, dynamic=False)
    torch.testing.assert_close(whole(images), model(images))
