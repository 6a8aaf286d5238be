"""Windows of larger images: the same of image and mask, each place alike, fixed by the seed."""

import torch

from fashseg.tasks.windows import random_windows


def numbered(images: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images whose pixels tell their places, and masks with the same numbers."""
    places = torch.arange(height * width).reshape(height, width)
    return places.expand(images, 3, height, width), places.expand(images, height, width)


def test_image_and_mask_are_cut_at_the_same_place() -> None:
    images, targets = random_windows(*numbered(50, 9, 12), (6, 7), seed=3)
    assert images.shape == (50, 3, 6, 7)
    assert torch.equal(images[:, 0], targets)
    assert torch.equal(images[:, 0], images[:, 2])
    rows, columns = targets[:, 0, 0] // 12, targets[:, 0, 0] % 12
    offsets = torch.arange(6)[:, None] * 12 + torch.arange(7)
    assert torch.equal(targets, targets[:, :1, :1] + offsets)
    assert {*rows.tolist()} == {0, 1, 2, 3}
    assert {*columns.tolist()} == {0, 1, 2, 3, 4, 5}


def test_all_places_are_drawn_equally_often() -> None:
    _, targets = random_windows(*numbered(9000, 5, 6), (3, 4), seed=0)
    _, counts = targets[:, 0, 0].unique(return_counts=True)
    assert len(counts) == 9
    assert 900 < counts.min() <= counts.max() < 1100


def test_the_seed_fixes_what_is_drawn() -> None:
    batch = numbered(20, 30, 30)
    first, again, other = (random_windows(*batch, (16, 16), seed)[1] for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_augmentation_of_the_same_seed_draws_other_numbers() -> None:
    """Of windows at one of two places in a side, a number of the generator says which, as it does of mirroring."""
    places = torch.stack([random_windows(*numbered(1, 2, 2), (1, 1), seed)[1].flatten() for seed in range(200)])
    alike = torch.stack([torch.randint(2, (2,), generator=torch.Generator().manual_seed(seed)) for seed in range(200)])
    assert 30 < (places[:, 0] == alike @ torch.tensor([2, 1])).sum() < 70  # a quarter


def test_what_has_the_size_stays_as_it_is() -> None:
    images, targets = numbered(2, 8, 8)
    same = random_windows(images, targets, (8, 8), seed=0)
    assert same[0] is images
    assert same[1] is targets
