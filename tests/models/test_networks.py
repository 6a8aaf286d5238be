import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from fashseg import config as cfg
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.config import Train
from fashseg.data.sources import SOURCES
from fashseg.errors import UserError
from fashseg.models import divisor
from fashseg.models.cnn import CNN
from fashseg.models.resnet import ResNet
from fashseg.models.segnet import SegNet
from fashseg.models.unet import UNet
from fashseg.models.vgg import VGG
from fashseg.sides import divisor_of
from fashseg.tasks import build_task


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_cnn_is_the_reports() -> None:
    torch.manual_seed(0)
    model = CNN(1, 28, 28, 10)
    torch.manual_seed(0)
    plain = nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(800, 128), nn.ReLU(), nn.Linear(128, 10)),
    )
    assert parameters(model) == 113_386
    images = torch.randn(3, 1, 28, 28)
    assert torch.equal(model(images), plain(images)), "PyTorch's default initial weights, in this order"


def test_segnet_is_the_reports() -> None:
    torch.manual_seed(0)
    model = SegNet(3, 5)
    torch.manual_seed(0)
    plain = nn.Sequential(
        *(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU()),
        *(nn.ConvTranspose2d(64, 32, 3, stride=2, padding=0), nn.Conv2d(32, 5, 2, padding=0)),
    )
    assert parameters(model) == 38_501
    images = torch.randn(2, 3, 64, 48)
    assert model(images).shape == (2, 5, 64, 48)
    assert torch.equal(model.layer_by_layer(images), plain(images))
    torch.testing.assert_close(model(images), plain(images), rtol=0, atol=1e-6)


def test_the_order_of_pool_and_relu_changes_no_bit() -> None:
    torch.manual_seed(0)
    model = CNN(1, 28, 28, 10)
    # Flat and dark images: ties and squares without any positive value.
    images = torch.cat([torch.randn(3, 1, 28, 28), torch.zeros(2, 1, 28, 28), torch.full((1, 1, 28, 28), -3.0)])
    for dtype in (torch.float32, torch.bfloat16):
        typed = copy.deepcopy(model).to(dtype)
        gradients = []
        for forward in (typed, typed.layer_by_layer):
            loss = forward(images.to(dtype)).square().sum()
            gradients.append([loss, *torch.autograd.grad(loss, list(typed.parameters()))])
        assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True)), dtype


def test_dropout_of_the_cnn_adds_nothing_and_is_of_training_alone() -> None:
    torch.manual_seed(0)
    plain, dropping = CNN(1, 28, 28, 10), CNN(1, 28, 28, 10, dropout=0.5)
    dropping.load_state_dict(plain.state_dict())
    images = torch.randn(2, 1, 28, 28)
    assert torch.equal(dropping.eval()(images), plain(images))
    thinned = torch.stack([dropping.train()(images) for _ in range(400)])
    assert thinned.std(0).min() > 0
    torch.testing.assert_close(thinned.mean(0), plain(images), rtol=0, atol=0.05)


@pytest.mark.parametrize("features", [1, 32])
def test_two_layers_as_one_have_the_same_gradients(features: int) -> None:
    torch.manual_seed(0)
    model = SegNet(3, 5, features=features).double()
    images = torch.randn(2, 3, 10, 6, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 5, 10, 6, dtype=torch.float64)  # so that every pixel and class counts
    wanted = [images, *model.parameters()]
    fast, slow = (
        torch.autograd.grad((forward(images) * weights).sum(), wanted) for forward in (model, model.layer_by_layer)
    )
    for a, b in zip(fast, slow, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def test_segnet_that_shrinks_is_the_same_layers_between_two_resizes() -> None:
    torch.manual_seed(0)
    plain, shrinking = SegNet(3, 5, features=4), SegNet(3, 5, features=4, shrink=4)
    shrinking.load_state_dict(plain.state_dict())
    images = torch.randn(2, 3, 64, 48)
    expected = F.interpolate(plain(F.avg_pool2d(images, 4)), size=(64, 48), mode="bilinear", align_corners=False)
    torch.testing.assert_close(shrinking(images), expected)
    torch.testing.assert_close(shrinking.layer_by_layer(images), expected, rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="multiples of 8, got 60×48; pad them to 64×48"):
        shrinking(torch.randn(1, 3, 60, 48))


@pytest.mark.parametrize(("data", "size"), [("synthetic_facade", ""), ("mask_folder", " or another data.size")])
@pytest.mark.parametrize(
    ("model", "shape", "fitting"),
    [
        (["model=segnet", "model.shrink=3"], (3, 256, 256), "model.shrink=2"),
        (["model=unet", "model.widths=[4,4,8,8]"], (3, 28, 36), "model.widths=[4,4,8]"),
    ],
)
def test_the_way_out_of_sides_that_do_not_fit_is_one(
    data: str, size: str, model: list[str], shape: tuple[int, int, int], fitting: str, tmp_path: Path
) -> None:
    words = [f"data={data}", *([f"data.root={tmp_path}"] if size else [])]
    info = replace(SOURCES["facade"].info, shape=shape)
    with pytest.raises(UserError, match=r"multiples of \d, these images have") as error:
        build_task(check(Train, compose("train", [*model, *words])), info)
    assert error.value.way_out == f"Set {fitting}{size}."
    build_task(check(Train, compose("train", [*model[:1], fitting, *words])), info)


def test_other_sizes_and_classes() -> None:
    assert CNN(3, 40, 32, 7, features=8, hidden=16)(torch.randn(2, 3, 40, 32)).shape == (2, 7)
    assert SegNet(1, 12, features=4)(torch.randn(2, 1, 20, 30)).shape == (2, 12, 20, 30)


def test_sizes_that_do_not_fit_are_refused_with_one_that_does() -> None:
    with pytest.raises(ValueError, match="at least 10×10"):
        CNN(1, 28, 9, 10)
    with pytest.raises(ValueError, match="pad them to 64×50"):
        SegNet(3, 5)(torch.randn(1, 3, 63, 49))


@pytest.mark.parametrize(
    ("options", "network"),
    [
        (cfg.SegNet(shrink=3), SegNet(3, 5, shrink=3)),
        (cfg.UNet(widths=[4, 4, 4]), UNet(3, 5, widths=[4, 4, 4])),
    ],
    ids=["segnet", "unet"],
)
def test_sides_that_options_need_are_those_of_the_network(options: cfg.Model, network: nn.Module) -> None:
    assert divisor_of(options) == divisor(network)


def test_the_network_that_is_made_for_speed() -> None:
    images = torch.randn(4, 1, 28, 28)
    model = VGG(1, 28, 28, 10, widths=[32, 64, 128], convs=[1, 2, 2])
    assert parameters(model) == 278_890
    assert model(images).shape == (4, 10)
    model.eval()
    assert torch.equal(model(images)[:2], model(images[:2])), "an image's scores don't depend on its batch"
    model = VGG(3, 29, 41, 7, widths=[8, 8], convs=[1, 1], stem=4, hidden=16)
    sizes = [tuple(m.weight.shape) for m in model if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert sizes == [(4, 3, 3, 3), (8, 4, 3, 3), (8, 8, 3, 3), (16, 8 * 3 * 5), (7, 16)]
    assert model(torch.randn(2, 3, 29, 41)).shape == (2, 7)
    with pytest.raises(ValueError, match="until nothing is left"):
        VGG(1, 7, 28, 10, widths=[8, 8, 8], convs=[1, 1, 1], stem=4)


def test_residual_blocks_start_as_the_identity() -> None:
    torch.manual_seed(0)
    model = ResNet(1, 10, widths=[8], blocks=[4])
    stem, end = model[0], nn.Sequential(*list(model)[5:])
    images = torch.randn(3, 1, 28, 28)
    torch.testing.assert_close(model(images), end(stem(images)))


def test_resnet_has_the_size_that_its_file_says() -> None:
    model = ResNet(1, 10, widths=[16, 32, 64], blocks=[3, 3, 3])
    assert parameters(model) == 271_994
    assert model(torch.randn(2, 1, 28, 28)).shape == (2, 10)
    assert sum(isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3) for module in model.modules()) == 19


def test_unet_has_the_size_that_its_file_says_and_wants_sides_that_halve() -> None:
    model = UNet(3, 5, widths=[16, 32, 64, 128, 128])
    assert parameters(model) == 813_205
    assert (model.divisor, divisor(model), divisor(SegNet(3, 5)), divisor(CNN(1, 28, 28, 10))) == (16, 16, 2, 1)
    assert model(torch.randn(1, 3, 48, 32)).shape == (1, 5, 48, 32)
    with pytest.raises(ValueError, match="multiples of 16, got 50×32; pad them to 64×32"):
        model(torch.randn(1, 3, 50, 32))


def test_unet_sees_the_same_wherever_it_stands() -> None:
    """What tiles of a large picture rely on."""
    torch.manual_seed(0)
    model = UNet(3, 4, widths=[4, 8]).eval()
    images = torch.randn(1, 3, 64, 64)
    inside = model(images[..., 16:48, 16:48])[..., 10:22, 10:22]
    torch.testing.assert_close(inside, model(images)[..., 26:38, 26:38])
