"""The drawn data sets: what they hold, that a seed fixes them, and that they are neither trivial nor hopeless."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score
from torch import Tensor, nn

from fashseg.data import facade, fashion_mnist
from fashseg.data.info import Arrays
from fashseg.data.synthetic_facade import draw_facades
from fashseg.data.synthetic_fashion import draw_garments

DRAWERS = pytest.mark.parametrize("draw", [draw_garments, draw_facades])


@pytest.fixture(scope="module")
def garments() -> Arrays:
    return draw_garments(2400, seed=1)


@pytest.fixture(scope="module")
def facades() -> Arrays:
    return draw_facades(160, seed=1)


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
    torch.set_num_threads(before)


def fit(net: nn.Module, images: Tensor, targets: Tensor, batch: int, epochs: int) -> None:
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(epochs):
        for chosen in torch.randperm(len(images)).split(batch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images[chosen]), targets[chosen]).backward()
            optimizer.step()


@DRAWERS
def test_same_seed_same_bits(draw: Callable[[int, int], Arrays]) -> None:
    first, second = draw(4, 7), draw(4, 7)
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.targets, second.targets)


@DRAWERS
def test_a_larger_set_begins_with_the_smaller(draw: Callable[[int, int], Arrays]) -> None:
    small, large = draw(3, 7), draw(13, 7)
    np.testing.assert_array_equal(small.images, large.images[:3])
    np.testing.assert_array_equal(small.targets, large.targets[:3])


@DRAWERS
def test_seeds_and_images_differ(draw: Callable[[int, int], Arrays]) -> None:
    images = np.concatenate([draw(12, seed).images for seed in (0, 1, 12)])
    assert len({image.tobytes() for image in images}) == 36


@DRAWERS
def test_none_asked_none_drawn(draw: Callable[[int, int], Arrays]) -> None:
    nothing = draw(0, 0)
    assert nothing.images.shape[0] == nothing.targets.shape[0] == 0
    assert nothing.images.dtype == nothing.targets.dtype == np.uint8


def test_garments_have_fashion_mnist_form(garments: Arrays) -> None:
    assert garments.images.shape == (2400, 1, 28, 28)
    assert garments.targets.shape == (2400,)
    assert garments.images.dtype == garments.targets.dtype == np.uint8
    # Light on black: most of the rim is empty, and every garment is seen.
    assert np.median(garments.images[..., [0, -1]]) == 0
    assert garments.images.max((1, 2, 3)).min() > 50
    assert np.bincount(garments.targets, minlength=len(fashion_mnist.CLASS_NAMES)).tolist() == [240] * 10


def test_garment_labels_come_in_no_fixed_order(garments: Arrays) -> None:
    tens = garments.targets.reshape(-1, 10)
    assert (np.sort(tens, axis=1) == np.arange(10)).all()
    assert len({ten.tobytes() for ten in tens}) > 200


def test_brightness_tells_little_about_a_garment(garments: Arrays) -> None:
    brightness, labels = garments.images.mean((1, 2, 3)), garments.targets
    means = np.array([brightness[:2000][labels[:2000] == label].mean() for label in range(10)])
    nearest = np.abs(brightness[2000:, None] - means).argmin(1)
    assert (nearest == labels[2000:]).mean() < 0.3


def test_garments_need_more_than_the_nearest_mean(garments: Arrays) -> None:
    pixels, labels = garments.images.reshape(2400, -1).astype(np.float32), garments.targets
    means = np.stack([pixels[:2000][labels[:2000] == label].mean(0) for label in range(10)])
    nearest = ((pixels[2000:, None] - means) ** 2).sum(-1).argmin(1)
    assert 0.4 < (nearest == labels[2000:]).mean() < 0.8


@pytest.mark.usefixtures("one_thread")
def test_a_small_network_learns_garments(garments: Arrays) -> None:
    images, labels = torch.from_numpy(garments.images) / 64 - 1, torch.from_numpy(garments.targets).long()
    net = nn.Sequential(
        *(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 64), nn.ReLU(), nn.Linear(64, 10)),
    )

    def accuracy() -> float:
        with torch.no_grad():
            return float((net(images[2000:]).argmax(1) == labels[2000:]).float().mean())

    assert accuracy() < 0.25
    fit(net, images[:2000], labels[:2000], batch=32, epochs=5)
    assert 0.55 < accuracy() < 0.97


def test_facades_have_masks_of_five_values(facades: Arrays) -> None:
    assert facades.images.shape == (160, 3, 256, 256)
    assert facades.targets.shape == (160, 256, 256)
    assert facades.images.dtype == facades.targets.dtype == np.uint8
    assert np.unique(facades.targets).tolist() == list(range(len(facade.CLASS_NAMES)))


def test_facade_classes_have_their_shares(facades: Arrays) -> None:
    shares = np.bincount(facades.targets.ravel(), minlength=5) / facades.targets.size
    usual = np.array([0.34, 0.41, 0.03, 0.17, 0.055])
    assert (shares > usual / 1.5).all()
    assert (shares < usual * 1.5).all()
    for label in (2, 4):
        assert 0.35 < (facades.targets == label).any((1, 2)).mean() < 0.65


def test_windows_are_not_always_the_darker_part(facades: Arrays) -> None:
    grey = facades.images.mean(1)
    lighter = [
        image[mask == 3].mean() > image[mask == 1].mean() for image, mask in zip(grey, facades.targets, strict=True)
    ]
    assert 0.05 < np.mean(lighter) < 0.5


def test_mask_borders_lie_on_image_edges(facades: Arrays) -> None:
    grey = facades.images.mean(1)
    for axis in (1, 2):
        edge = np.abs(np.diff(grey, axis=axis))
        border = np.diff(facades.targets.astype(int), axis=axis) != 0
        on_border = {shift: edge[np.roll(border, shift, axis)].mean() for shift in (-4, -2, -1, 0, 1, 2, 4)}
        assert max(on_border, key=lambda shift: on_border[shift]) == 0
        assert on_border[0] > 2 * edge[~border].mean()


@pytest.mark.usefixtures("one_thread")
def test_a_small_network_learns_facades(facades: Arrays) -> None:
    images, masks = torch.from_numpy(facades.images) / 128 - 1, torch.from_numpy(facades.targets).long()
    net = nn.Sequential(
        *(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()),
        *(nn.ConvTranspose2d(32, 16, 3, stride=2), nn.Conv2d(16, 5, 2)),
    )
    # A quarter of each image: the network sees some ten pixels around, so it misses nothing by that.
    quarter = images[:80, :, 64:192, 64:192], masks[:80, 64:192, 64:192]

    truth = facades.targets[80:100, ::4, ::4]
    shares = np.bincount(truth.ravel(), minlength=5) / truth.size

    def average_precision() -> dict[int, float]:
        with torch.no_grad():
            logits = net(images[80:100]).numpy()[:, :, ::4, ::4]
        scores = ((truth == label, logits[:, label]) for label in range(5))
        return {i: float(average_precision_score(t.ravel(), s.ravel())) for i, (t, s) in enumerate(scores)}

    untrained = average_precision()
    assert all(untrained[label] < 2 * shares[label] + 0.1 for label in range(5))
    fit(net, *quarter, batch=4, epochs=5)
    trained = average_precision()
    assert trained[1] > 1.3 * shares[1]
    assert trained[3] > 1.6 * shares[3]
    assert 0.3 < np.mean(list(trained.values())) < 0.8
