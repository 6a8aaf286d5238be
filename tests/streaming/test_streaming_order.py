"""The order by chunks: every image once, each process its own, and a position that is kept."""

from pathlib import Path
from typing import Any

import pytest
import torch
from made_chunks import open_chunks, write_chunks

from fashseg.data.arrays import ArrayDataset
from fashseg.data.loading import EpochOrder, TrainLoader
from fashseg.data.streaming.order import ChunkOrder
from fashseg.errors import UserError


def numbered(count: int) -> ArrayDataset:
    images = torch.arange(count, dtype=torch.int32).reshape(count, 1, 1, 1)
    return ArrayDataset(images, images.flatten(), torch.arange(count))


def seen(loader: TrainLoader) -> list[list[int]]:
    return [images.flatten().tolist() for images, _ in loader]


@pytest.mark.parametrize(
    ("images", "chunk", "window"), [(100, 10, 3), (103, 10, 1), (97, 8, 100), (5, 10, 2), (7, 1, 2)]
)
@pytest.mark.parametrize("world", [1, 2, 3, 8])
def test_processes_together_show_every_image_and_equally_many(images: int, chunk: int, window: int, world: int) -> None:
    shares = []
    for rank in range(world):
        order = ChunkOrder(images, 7, rank, world, chunk=chunk, window=window)
        order.set_epoch(2)
        shares.append(order.order().tolist())
    assert {len(share) for share in shares} == {-(-images // world)}
    shown = [index for share in shares for index in share]
    assert set(shown) == set(range(images))
    assert len(shown) - images < world, "no image is shown twice but those that fill up"


def test_a_process_needs_few_chunks_at_a_time_and_its_own_alone() -> None:
    shares = [ChunkOrder(1000, 1, rank, 4, chunk=10, window=5).order() // 10 for rank in range(4)]
    for share in shares:
        for start in range(0, 250, 25):
            assert len(share[start : start + 25].unique()) <= 11, "of two windows and a border"
    for a in range(4):
        for b in range(a):
            assert len(set(shares[a].tolist()) & set(shares[b].tolist())) <= 1


def test_epochs_and_seeds_differ_and_one_epoch_is_always_the_same() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        made = ChunkOrder(200, seed, chunk=10, window=4)
        made.set_epoch(epoch)
        return made.order().tolist()

    assert order(0, 1) == order(0, 1)
    assert len({tuple(order(seed, epoch)) for seed in (0, 3) for epoch in (0, 1)}) == 4
    neighbours = sum(abs(a - b) == 1 for a, b in zip(order(0, 0), order(0, 0)[1:], strict=False))
    assert neighbours < 20, "within a window, images are shuffled"


def test_with_a_cycle_orders_come_again() -> None:
    for made in (ChunkOrder(200, 5, chunk=10, window=4), EpochOrder(200, 5)):
        made.cycle, orders = 3, []
        for epoch in range(7):
            made.set_epoch(epoch)
            orders.append(tuple(made.order().tolist()))
        assert orders == [*orders[:3], *orders[:3], orders[0]]
        assert len(set(orders)) == 3


@pytest.mark.parametrize("per_call", [None, 3])
def test_a_pass_goes_on_at_any_position(per_call: int | None) -> None:
    def loader() -> TrainLoader:
        order = ChunkOrder(103, 3, 1, 2, chunk=10, window=2)
        return TrainLoader(numbered(103), 8, seed=3, rank=1, world=2, steps_per_call=per_call, order=order)

    def images(item: Any) -> list[list[int]]:
        return [batch[0].flatten().tolist() for batch in (item if per_call else [item])]

    whole = [images(item) for item in loader()]
    for position in range(len(whole)):
        first, second = loader(), loader()
        begun = iter(first)
        done = [images(next(begun)) for _ in range(position + 1)]
        second.load_state_dict(first.state_dict())
        assert done + [images(item) for item in second] == whole


@pytest.mark.parametrize("other", ["chunk", "window", "full"])
def test_another_order_does_not_go_on_within_an_epoch(other: str) -> None:
    def loader(kind: str) -> TrainLoader:
        order = ChunkOrder(50, 0, chunk=7 if kind == "chunk" else 5, window=3 if kind == "window" else 2)
        return TrainLoader(numbered(50), 8, seed=0, order=EpochOrder(50, 0) if kind == "full" else order)

    begun = loader("")
    next(iter(begun))
    with pytest.raises(UserError, match="saved within epoch 1"):
        loader(other).load_state_dict(begun.state_dict())


def test_reading_ahead_changes_nothing(tmp_path: Path) -> None:
    written = write_chunks(tmp_path / "d", each=3)["train"]
    data = open_chunks(tmp_path / "d", shuffle="chunks", window=2)
    assert data.order is not None
    shown = []
    for part, workers in ((data.parts["train"], 0), (data.parts["train"], 3), (written, 0)):
        loader = TrainLoader(part, 4, seed=5, workers=workers, order=data.order(5, 0, 1))
        shown.append(torch.cat([images for images, _ in loader]))
    assert torch.equal(shown[0], shown[1])
    assert torch.equal(shown[0], shown[2])
