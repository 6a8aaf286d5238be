"""Tiles: what is blended is what the whole image gives, whatever its size, and no seam is to be seen."""

from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fashseg.data.info import UInt8Array
from fashseg.predicting.enlarging import resized
from fashseg.predicting.tiles import Tiling, bands

SIZES = [(1, 1), (1, 70), (33, 7), (64, 64), (65, 130), (200, 97), (129, 128)]


def labelled(network: nn.Module, image: UInt8Array, tiling: Tiling) -> Tensor:
    """All bands as one; they must follow without a gap."""
    height, width = image.shape[1:]
    rows = 0
    parts = []

    def window(top: int, left: int, bottom: int, right: int) -> UInt8Array:
        return image[:, top:bottom, left:right]

    def checked(images: Tensor) -> Tensor:
        assert images.shape[2] % tiling.divisor == images.shape[3] % tiling.divisor == 0
        logits: Tensor = network(images.float())
        return logits

    for top, band in bands(checked, window, height, width, tiling):
        assert top == rows
        rows += band.shape[1]
        parts.append(band)
    assert rows == height
    return torch.cat(parts, dim=1)


def noise(height: int, width: int) -> UInt8Array:
    return np.random.default_rng(height + width).integers(0, 256, (3, height, width), np.uint8)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("divisor", [1, 2, 16])
@pytest.mark.parametrize("at_once", [1, 3])
def test_a_network_that_changes_nothing_gives_the_image_back(size: tuple[int, int], divisor: int, at_once: int) -> None:
    image = noise(*size)
    found = labelled(nn.Identity(), image, Tiling(64, 20, divisor, at_once))
    torch.testing.assert_close(found, torch.from_numpy(image).float(), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("size", [(130, 200), (64, 65), (97, 301)], ids=str)
def test_pooling_sees_the_same_squares_as_in_the_whole_image(size: tuple[int, int]) -> None:
    image = noise(*size)
    network = nn.Sequential(nn.MaxPool2d(4), nn.Upsample(scale_factor=4))
    whole = labelled(network, image, Tiling(512, 0, 4))
    torch.testing.assert_close(labelled(network, image, Tiling(64, 16, 4)), whole, rtol=1e-5, atol=1e-3)


def test_where_borders_are_out_of_sight_tiles_agree_with_the_whole() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, padding=1))
    image = noise(160, 230)
    with torch.inference_mode():
        whole, tiled = (labelled(network, image, Tiling(side, 32)) for side in (512, 64))
    # Two convolutions see the zeros around a tile in its two outermost pixels, whose weight is next to nothing.
    assert (whole - tiled).abs().max() < 0.02 * (whole.max() - whole.min())
    assert (whole - tiled)[:, 34:46, 34:46].abs().max() < 1e-3


def test_labels_change_no_more_often_at_the_borders_of_tiles() -> None:
    """With a network that sees borders: its zeros make everything around them another class."""
    torch.manual_seed(0)
    network = nn.Sequential(*[nn.Conv2d(3, 3, 5, padding=2) for _ in range(4)])
    smooth = F.interpolate(torch.rand(1, 3, 20, 20), (400, 400), mode="bicubic").clamp(0, 1)
    image = (255 * smooth[0]).byte().numpy()
    with torch.inference_mode():
        labels = labelled(network, image, Tiling(96, 32)).argmax(0)
        butted = labelled(network, image, Tiling(96, 0)).argmax(0)
    starts = torch.arange(96, 400, 64)  # somewhere within each overlap a tile ends

    def changes(found: Tensor) -> Tensor:
        return (found[:, 1:] != found[:, :-1]).float().mean(0)

    assert changes(labels).max() < 2 * changes(labels).mean() + 0.1
    assert changes(butted).max() > changes(labels).max()
    assert changes(labels)[starts - 1].mean() < 1.5 * changes(labels).mean() + 0.02


@pytest.mark.parametrize("seed", range(40))
def test_bands_are_resized_as_the_whole(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fashseg.predicting.enlarging._MOST_NUMBERS", 500)
    rng = np.random.default_rng(seed)
    height, width, tall, wide = (int(n) for n in rng.integers(1, 60, 4))
    values = torch.from_numpy(rng.normal(size=(2, height, width))).float()
    cuts = sorted({0, height, *rng.integers(0, height + 1, 3).tolist()})
    parts = [(a, values[:, a:b]) for a, b in pairwise(cuts)]
    found = list(resized(parts, height, (tall, wide)))
    assert [top for top, _ in found] == np.cumsum([0, *(band.shape[1] for _, band in found)])[:-1].tolist()
    expected = F.interpolate(values[None], (tall, wide), mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(torch.cat([band for _, band in found], dim=1), expected, rtol=1e-4, atol=1e-4)
