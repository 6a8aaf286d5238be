"""How the images of a step and of a score are shared out, without a second process."""

import pytest
import torch
from torch import nn

from fashseg.data.arrays import ArrayDataset
from fashseg.data.loading import EvalLoader, TrainLoader


def numbered(count: int) -> ArrayDataset:
    """Images of one pixel that holds their number."""
    images = torch.arange(count, dtype=torch.uint8).reshape(-1, 1, 1, 1)
    return ArrayDataset(images, images.flatten(), torch.arange(count))


def loaders(images: int, batch_size: int, world: int, **options: int) -> list[TrainLoader]:
    """Those of all processes."""
    part = numbered(images)
    return [TrainLoader(part, batch_size, seed=3, rank=rank, world=world, **options) for rank in range(world)]


@pytest.mark.parametrize("images", [24, 25, 26, 27, 29, 31, 3, 1])
@pytest.mark.parametrize(("batch_size", "world"), [(4, 2), (2, 3), (1, 4), (8, 1), (3, 5)])
def test_a_step_has_the_same_images_however_many_share_it(images: int, batch_size: int, world: int) -> None:
    (alone,) = loaders(images, batch_size * world, 1)
    shared = loaders(images, batch_size, world)
    assert {loader.steps for loader in shared} == {shared[0].steps}
    whole = shared[0].rows(of_all=True)
    for step in range(shared[0].steps):
        found = []
        for loader in shared:
            own, of_all = loader.share(step)
            rows = loader.rows()[step].tolist()
            assert rows, "each takes part"
            assert of_all == len(whole[step])
            assert len(rows) == own or (own == 0 and set(rows) <= set(whole[step].tolist()))
            found += rows[:own]
        assert sorted(found) == sorted(whole[step].tolist()), "each image once"
    if world == 1:
        assert [rows.tolist() for rows in whole] == [rows.tolist() for rows in alone.rows()]
    rows_alone = alone.rows()
    first = [rows_alone[step].tolist() for step in range(len(rows_alone) - 2)]
    assert [whole[step].tolist() for step in range(len(first))] == first


def test_nobody_has_a_single_image_where_a_batch_is_larger() -> None:
    """Batch normalisation can't do with one."""
    for images in range(4, 60):
        for world in (1, 2, 3):
            shared = loaders(images, 4, world)
            counts = [loader.share(step)[0] for loader in shared for step in range(loader.steps)]
            assert 1 not in counts, f"{images} images, {world} processes"


@pytest.mark.parametrize("images", [20, 21, 23, 17])
def test_the_mean_of_weighted_gradients_is_that_of_the_whole_step(images: int) -> None:
    weight = nn.Parameter(torch.tensor(0.3, dtype=torch.float64))

    def gradient(rows: torch.Tensor, factor: float = 1.0) -> torch.Tensor:
        loss = (weight * rows.double() - 1).square().mean() * factor
        return torch.autograd.grad(loss, weight)[0]

    shared = loaders(images, 4, 2)
    for step, whole in enumerate(shared[0].rows(of_all=True)):
        mine = []
        for loader in shared:
            own, of_all = loader.share(step)
            mine.append(gradient(loader.rows()[step], own * 2 / of_all))
        torch.testing.assert_close(torch.stack(mine).mean(), gradient(whole))


@pytest.mark.parametrize("images", [0, 1, 2, 7, 8, 9, 16, 17])
@pytest.mark.parametrize("world", [1, 2, 3])
def test_scores_take_as_many_steps_on_each_process(images: int, world: int) -> None:
    shared = [list(EvalLoader(numbered(images), 4, rank=rank, world=world)) for rank in range(world)]
    assert len({len(batches) for batches in shared}) == 1
    counted = [int(target) for batches in shared for _, targets in batches for target in targets]
    assert sorted(counted) == list(range(images))
    assert all(len(images) for batches in shared for images, _ in batches), "something to put through the network"
