"""Augmentation of photographs and garments."""

import pytest
import torch
from pytorch_lightning.plugins.precision import DoublePrecision, MixedPrecision, Precision

from fashseg import config as cfg
from fashseg.data.info import DataInfo
from fashseg.tasks.augmentation import augment
from fashseg.tasks.photo_augmentation import warped
from fashseg.tasks.preparing import prepare

STILL = {"scale": 1, "stretch": 1, "angle": 0, "shift": 0, "light": 0, "colour": 0, "probability": 0}


def photo(**changes: float) -> cfg.Photo:
    return cfg.Photo(name="photo", **{**STILL, **changes})


def squares(count: int = 50) -> tuple[torch.Tensor, torch.Tensor]:
    """A bright square in the middle of each image, and its mask."""
    masks = torch.zeros(count, 40, 60, dtype=torch.int64)
    masks[:, 15:25, 20:40] = 1
    return (100 + 100 * masks[:, None]).expand(-1, 3, -1, -1).to(torch.uint8), masks


def test_without_changes_a_photo_stays_as_it_is() -> None:
    images = torch.randint(0, 256, (4, 3, 16, 24), dtype=torch.uint8)
    masks = torch.randint(0, 5, (4, 16, 24))
    same, same_masks = augment(photo(), images, masks, seed=0)
    torch.testing.assert_close(same, images.float(), rtol=0, atol=1e-3)
    assert torch.equal(same_masks, masks)


@pytest.mark.parametrize(
    "changes", [{"scale": 1.5}, {"stretch": 1.5}, {"angle": 30}, {"shift": 0.2}, {"scale": 2, "angle": 90}]
)
def test_masks_move_with_their_images(changes: dict[str, float]) -> None:
    images, masks = squares()
    moved, moved_masks = augment(photo(**changes), images, masks, seed=1)
    assert not torch.equal(moved_masks, masks)
    assert moved_masks.unique().tolist() == [0, 1]
    # Bilinear at the edges: a pixel is nearer to the value of its mask wherever the two agree.
    agree = ((moved[:, 0] > 150) == moved_masks.bool()).float().mean()
    assert agree > 0.985


def test_size_and_shape_change_by_at_most_their_factors() -> None:
    images, masks = squares(300)
    area = masks[0].sum()
    for changes, most in (({"scale": 1.5}, 1.5**2), ({"stretch": 1.5}, 1.0)):
        found = augment(photo(**changes), images, masks, seed=2)[1].sum((1, 2)) / area
        assert found.max() <= most * 1.15
        assert found.min() >= 1 / most / 1.15
        if most > 1:
            assert found.max() > 1.8
            assert found.min() < 0.6
    widths = augment(photo(stretch=1.5), images, masks, seed=2)[1].amax(1).sum(1) / 20
    assert 1.1 < widths.max() <= 1.5**0.5 * 1.1


def test_a_turn_keeps_right_angles_in_pictures_that_are_not_square() -> None:
    images, masks = squares(100)
    turned = augment(photo(angle=45), images, masks, seed=3)[1]
    lengths = torch.stack([torch.linalg.eigvalsh(mask.nonzero().T.double().cov()) for mask in (masks[0], *turned)])
    torch.testing.assert_close(lengths[1:], lengths[:1].expand(100, -1), rtol=0.2, atol=0)
    slopes = torch.stack([mask.nonzero().T.double().cov()[0, 1] for mask in turned])
    assert slopes.min() < -8
    assert slopes.max() > 8


def test_light_and_colour_change_within_bounds_and_masks_stay() -> None:
    images = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8)
    masks = torch.randint(0, 5, (50, 8, 8))
    changed, same = augment(photo(light=0.4, colour=0.4), images, masks, seed=4)
    assert torch.equal(same, masks)
    assert changed.min() >= 0
    assert changed.max() <= 255
    means = changed.mean((1, 2, 3)) / images.float().mean((1, 2, 3))
    assert 0.48 <= means.min() < 0.85
    assert 1.15 < means.max() <= 1.68
    # What has no colour gets none but by the balance of the channels.
    grey = images[:, :1].expand(-1, 3, -1, -1)
    alike = augment(photo(light=0.4), grey, masks, seed=4)[0]
    torch.testing.assert_close(alike[:, 0], alike[:, 2])


def test_images_that_are_not_warped_move_by_whole_pixels() -> None:
    images, masks = torch.randint(0, 256, (400, 1, 12, 20), dtype=torch.uint8), torch.arange(400)
    changes = {"scale": 1.3, "stretch": 1.2, "angle": 20.0, "shift": 0.15}
    moved, same = augment(photo(**changes, warp_probability=0.25), images, masks, seed=3)
    assert torch.equal(same, masks)
    sharp = (moved - moved.round()).abs().amax(dim=(1, 2, 3)) < 0.01
    assert 0.15 < (~sharp).float().mean() < 0.35
    inside, found = moved[sharp, :, 2:-2, 3:-3], torch.zeros(int(sharp.sum()), dtype=torch.int64)
    ways = [images[sharp, :, 2 + y : 10 + y, 3 + x : 17 + x] for y in range(-2, 3) for x in range(-3, 4)]
    for way in ways:
        found += ((inside - way).abs().amax(dim=(1, 2, 3)) < 0.01).long()
    assert found.eq(1).all(), "each is moved by at most 0.15 of 12 and of 20 pixels"
    assert len({int(way) for way in torch.stack([(inside - way).abs().sum((1, 2, 3)) for way in ways]).argmin(0)}) > 20


def test_where_all_are_warped_nothing_more_is_drawn() -> None:
    """Runs from before there was a choice come again."""
    images, masks = squares(8)
    given, expected = torch.Generator().manual_seed(4), torch.Generator().manual_seed(4)
    warped(photo(scale=1.5, angle=30), images, masks, given)
    for _ in range(5):  # size, stretch, turn and two places
        torch.rand(8, generator=expected)
    assert torch.equal(torch.rand(3, generator=given), torch.rand(3, generator=expected))


@pytest.mark.parametrize("options", [cfg.Photo(name="photo"), cfg.Garment(name="garment")])
def test_a_step_can_be_repeated_and_each_is_another(options: cfg.Augment) -> None:
    images, masks = squares(8)
    first, again, other = (augment(options, images, masks, seed=seed) for seed in (5, 5, 6))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


@pytest.mark.parametrize("targets", ["labels", "masks"])
def test_no_shift_and_no_square_are_mirroring_alone(targets: str) -> None:
    images, masks = squares(8)
    kept = masks if targets == "masks" else torch.arange(len(images))
    still = cfg.Garment(name="garment", shift=0, erase=0)
    for given, expected in zip(
        augment(still, images, kept, seed=5), augment(cfg.Flip(name="flip"), images, kept, seed=5), strict=True
    ):
        assert torch.equal(given, expected)


def test_a_square_of_each_garment_is_erased() -> None:
    images = torch.full((500, 1, 28, 28), 9, dtype=torch.uint8)
    labels = torch.arange(500)
    options = cfg.Garment(name="garment", probability=0, shift=1, erase=8)
    erased, same = augment(options, images, labels, seed=7)
    assert torch.equal(same, labels)
    inside = erased[:, 0, 1:-1, 1:-1] == 0  # a shift by a pixel brings black in at the border
    assert 30 <= inside.sum((1, 2)).max() <= 64
    hit = inside.float().mean(0)
    assert (hit > 0.004).all()
    assert hit.max() < 0.15


@pytest.mark.parametrize(
    "options", [cfg.Photo(name="photo"), cfg.Garment(name="garment", mixup=0.3)], ids=["photo", "garment"]
)
def test_images_are_the_same_in_each_precision_of_a_step(options: cfg.Flip) -> None:
    images, masks = torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8), torch.randint(0, 5, (4, 64, 64))
    info = DataInfo("any", "segmentation", tuple("abcde"), (3, 64, 64), (0.0,) * 3, (1.0,) * 3)
    batch = images, torch.arange(4) if options.mixes else masks
    found = []
    for plugin in (DoublePrecision(), MixedPrecision("bf16-mixed", "cpu"), Precision()):
        with plugin.train_step_context():
            found.append(prepare(batch, options, info, seed=6, teacher=None))
    for changed, targets in found[:-1]:
        assert torch.equal(changed, found[-1][0])
        assert torch.equal(targets, found[-1][1])
