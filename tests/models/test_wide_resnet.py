"""Wide residual networks of the paper's sizes, and blocks that weigh their channels."""

import pytest
import torch
from torch import nn

from fashseg import config as cfg
from fashseg.models import build_model
from fashseg.models.resnet import Block, ResNet
from fashseg.models.squeeze import Squeeze
from fashseg.models.wide_resnet import wide_resnet


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


# Table 4 of Zagoruyko and Komodakis, in millions, and the same to the last weight.
SIZES = {(40, 1): (0.6, 563_930), (40, 4): (8.9, 8_949_210), (16, 8): (11.0, 10_961_370), (28, 10): (36.5, 36_479_194)}


@pytest.mark.parametrize(("depth", "width"), SIZES)
def test_it_has_as_many_weights_as_in_the_paper(depth: int, width: int) -> None:
    millions, exactly = SIZES[depth, width]
    with torch.device("meta"):
        model = wide_resnet(3, 10, depth=depth, width=width)
    assert parameters(model) == exactly
    assert parameters(model) / 1e6 == pytest.approx(millions, abs=0.1)
    layers = [m for m in model.modules() if isinstance(m, nn.Linear) or getattr(m, "kernel_size", None) == (3, 3)]
    assert len(layers) == depth - 2, "the paper counts two of the three shortcuts with other channels, too"


def test_the_choice_is_the_size_that_its_file_says() -> None:
    with torch.device("meta"):
        model = build_model(cfg.WideResNet(name="wide_resnet"), (1, 28, 28), 10)
    assert parameters(model) == 10_961_082


def test_stages_work_on_the_whole_image_a_half_and_a_quarter() -> None:
    model = wide_resnet(1, 7, depth=10, width=2)
    seen = []
    for module in model:
        if isinstance(module, Block):
            module.register_forward_hook(lambda _module, _inputs, output: seen.append(tuple(output.shape[1:])))
    assert model(torch.randn(2, 1, 28, 28)).shape == (2, 7)
    assert seen == [(32, 28, 28), (64, 14, 14), (128, 7, 7)]


@pytest.mark.parametrize("depth", [4, 9, 15, 20])
def test_depths_between_are_refused(depth: int) -> None:
    with pytest.raises(ValueError, match=f"of {depth} layers can't be built"):
        wide_resnet(1, 10, depth=depth, width=1)


def test_squeeze_weighs_channels_by_their_means() -> None:
    torch.manual_seed(0)
    layer = Squeeze(8, 4)
    x = torch.randn(3, 8, 5, 7)
    down, up = layer[1], layer[3]
    means = x.mean((2, 3))
    middle = torch.relu(means @ down.weight[:, :, 0, 0].T + down.bias)
    weights = torch.sigmoid(middle @ up.weight[:, :, 0, 0].T + up.bias)
    torch.testing.assert_close(layer(x), x * weights[:, :, None, None])
    assert middle.shape == (3, 2)
    assert Squeeze(3, 16)(x[:, :3]).shape == (3, 3, 5, 7), "there is always a unit between"


def test_without_squeeze_the_weights_have_the_names_of_before() -> None:
    plain, squeezed = (ResNet(1, 10, widths=[4, 8], blocks=[1, 1], squeeze=squeeze) for squeeze in (None, 2))
    block = ("before.0", "convolved.0", "convolved.1", "convolved.3", "shortcut")
    assert {name.rpartition(".")[0] for name in plain.state_dict()} == {
        *("0", "3", "7", *(f"1.{name}" for name in block[:-1]), *(f"2.{name}" for name in block)),
    }
    added = squeezed.state_dict().keys() - plain.state_dict().keys()
    assert {name.split(".")[2] for name in added} == {"4"}
    assert plain.state_dict().keys() <= squeezed.state_dict().keys()


@pytest.mark.parametrize("squeeze", [None, 4])
def test_it_learns_eight_images_by_heart(squeeze: int | None) -> None:
    torch.manual_seed(0)
    model = wide_resnet(1, 4, depth=10, width=1, squeeze=squeeze)
    images, labels = torch.randn(8, 1, 12, 12), torch.arange(8) % 4
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(30):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert not idle, "the gradient reaches all weights"
