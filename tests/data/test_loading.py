"""Loaders: torch's DistributedSampler's order, the same batches wherever the data is, and a position that is kept."""

from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DistributedSampler

from fashseg.checking import check
from fashseg.composing import compose
from fashseg.config import Train
from fashseg.data.arrays import ArrayDataset, Batch
from fashseg.data.epoch_order import EpochOrder
from fashseg.data.loading import EvalLoader, Steps, TrainLoader
from fashseg.data.module import ImageDataModule
from fashseg.errors import UserError
from fashseg.scoring import build_data

SMALL = {
    "cnn": ["data=synthetic_fashion", "data.train_images=90", "data.test_images=30", "batch_size=8"],
    "segnet": ["model=segnet", "data=synthetic_facade", "data.train_images=12", "data.test_images=3", "batch_size=2"],
}


def module(model: str, *words: str) -> ImageDataModule:
    data = build_data(check(Train, compose("train", [*SMALL[model], "eval_batch_size=7", *words])))
    data.setup()
    return data


def numbered(count: int) -> ArrayDataset:
    """Images whose pixel is their number."""
    images = torch.arange(count, dtype=torch.uint8).reshape(count, 1, 1, 1)
    return ArrayDataset(images, images.flatten(), torch.arange(count))


def seen(batches: Any) -> list[list[int]]:
    """The numbers of the images of each step."""
    flat = [batch for item in batches for batch in (item if isinstance(item, Steps) else [item])]
    return [images.flatten().tolist() for images, _ in flat]


@pytest.mark.parametrize(("images", "world"), [(10, 1), (24, 3), (1, 1), (32, 4)])
def test_order_is_that_of_distributed_sampler(images: int, world: int) -> None:
    """Where the images can be shared out evenly; else it takes some of them twice."""
    for rank in range(world):
        loader = TrainLoader(numbered(images), 8 // world, seed=5, rank=rank, world=world)
        expected = DistributedSampler(range(images), world, rank, shuffle=True, seed=5)  # type: ignore[arg-type]
        for epoch in (0, 3):
            loader.sampler.set_epoch(epoch)
            expected.set_epoch(epoch)
            assert [number for batch in seen(loader) for number in batch] == list(expected)
    assert EpochOrder(images, 5).order().tolist() == EpochOrder(images, 5).order().tolist()


@pytest.mark.parametrize("limit", [None, 2, 5, 100])
@pytest.mark.parametrize("per_call", [1, 2, 3, 100])
def test_steps_are_the_batches_in_other_portions(per_call: int, limit: int | None) -> None:
    options: dict[str, Any] = {"seed": 1, "limit_batches": limit}
    single = TrainLoader(numbered(26), 4, **options)
    several = TrainLoader(numbered(26), 4, steps_per_call=per_call, **options)
    items = list(several)
    assert seen(items) == seen(single)
    assert len(single) == single.steps == several.steps == min(limit or 7, 7)
    assert [len(item) for item in items[:-1]] == [per_call] * (len(several) - 1)
    assert [item.images for item in items] == [sum(map(len, item.indices)) for item in items]
    assert [rows.tolist() for item in items for rows in item.indices] == seen(single)


@pytest.mark.parametrize("model", SMALL)
def test_batches_are_the_same_wherever_the_data_is(model: str) -> None:
    def epochs(*words: str) -> list[Batch]:
        data = module(model, *words)
        assert data.part("train").on_disk == ("data.resident=false" in words)
        loader = data.train_dataloader()
        batches = []
        for epoch in (0, 1):
            loader.sampler.set_epoch(epoch)
            batches += list(loader)
        for part in ("val", "test", "train_fixed"):
            batches += list(data.eval_dataloader(part))
        return batches

    expected = epochs("data.resident=true")
    for words in (["data.workers=0"], ["data.workers=2"], []):
        found = epochs("data.resident=false", *words)
        assert len(found) == len(expected)
        for (images, targets), (expected_images, expected_targets) in zip(found, expected, strict=True):
            assert images.dtype == torch.uint8
            assert targets.dtype == torch.int64
            assert torch.equal(images, expected_images)
            assert torch.equal(targets, expected_targets)


def test_facts_about_the_data_are_the_same_on_disk() -> None:
    memory, disk = module("segnet", "data.resident=true"), module("segnet", "data.resident=false")
    assert memory.fingerprints() == disk.fingerprints()
    assert memory.part("train").class_counts(5) == disk.part("train").class_counts(5)
    assert torch.equal(memory.part("val").batch([0])[1], disk.part("val").batch([0])[1])


def test_batches_that_were_left_out_are_not_waited_for() -> None:
    data = module("cnn", "data.resident=false", "data.workers=2")
    loader = data.train_dataloader()
    loader.steps_per_call = 3
    first, second, *_ = loader
    expected = [images for images, _ in data.train_dataloader()]
    next(iter(first))  # the rest of it is never asked for
    for _ in range(2):
        assert all(torch.equal(images, wanted) for (images, _), wanted in zip(second, expected[3:6], strict=True))


@pytest.mark.parametrize("world", [1, 2, 3, 11])
def test_processes_together_score_each_image_once(world: int) -> None:
    shares = [EvalLoader(numbered(10), 4, rank=rank, world=world) for rank in range(world)]
    counted = [images.flatten().tolist() for share in shares for images, targets in share if len(targets)]
    assert sorted(number for batch in counted for number in batch) == list(range(10))
    assert len({len(share) for share in shares}) == 1, "each takes as many steps"
    assert [len(share) for share in shares] == [len(list(share)) for share in shares]


class Recorder(pl.LightningModule):
    """Notes the images of each step; saves itself after a call that ends at a step, and fails in the next one."""

    def __init__(self, save_at: int | None = None, path: Path | None = None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.automatic_optimization = False
        self.save_at, self.path, self.seen = save_at, path, list[list[int]]()

    def training_step(self, batch: Any, _: int) -> None:
        if self.path and self.path.exists():
            raise RuntimeError("interrupted")
        optimizer: Any = self.optimizers()
        for images, _ in batch if isinstance(batch, Steps) else [batch]:
            self.weight.grad = torch.ones(())
            optimizer.step()
            self.seen.append(images.flatten().tolist())

    def on_train_batch_end(self, *_: Any) -> None:
        if self.global_step == self.save_at:
            self.trainer.save_checkpoint(self.path)

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(recorder: Recorder, loader: TrainLoader, checkpoint: Path | None = None) -> list[list[int]]:
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=3,
        logger=False,
        enable_checkpointing=False,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(recorder, loader, ckpt_path=checkpoint, weights_only=True if checkpoint else None)
    return recorder.seen


@pytest.mark.parametrize("step", [6, 9, 15, 18, 24])
@pytest.mark.parametrize("per_call", [None, 1, 3, 6])
def test_a_run_that_goes_on_in_mid_epoch_sees_the_batches_it_has_not_seen(
    step: int, per_call: int | None, tmp_path: Path
) -> None:
    """Of three epochs of nine steps, of which the last call of an epoch has fewer than six."""

    def loader() -> TrainLoader:
        return TrainLoader(numbered(35), 4, seed=3, steps_per_call=per_call)

    whole = fit(Recorder(), loader())
    assert len(whole) == 27
    assert len({tuple(sorted(chain(*whole[i : i + 9]))) for i in (0, 9, 18)}) == 1
    path = tmp_path / "saved.ckpt"
    with pytest.raises(RuntimeError, match="interrupted"):
        fit(Recorder(step, path), loader())
    assert fit(Recorder(), loader(), path) == whole[step:]


@pytest.mark.parametrize(("words", "name"), [({"batch_size": 5}, "batch_size=4"), ({"seed": 4}, "seed=3")])
def test_a_position_within_an_epoch_means_nothing_under_other_options(words: dict[str, Any], name: str) -> None:
    options: dict[str, Any] = {"batch_size": 4, "seed": 3}
    loader = TrainLoader(numbered(35), **options)
    batches = iter(loader)
    next(batches)
    within = loader.state_dict()
    list(batches)
    with pytest.raises(UserError, match=f"after 1 of 9 steps with {name}") as caught:
        TrainLoader(numbered(35), **options | words).load_state_dict(within)
    assert "epoch's end" in caught.value.way_out
    TrainLoader(numbered(35), **options | words).load_state_dict(loader.state_dict())


@pytest.mark.parametrize("fits", [True, False])
def test_batches_are_made_on_the_device(fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With torch's device without memory: where nobody has a GPU, shapes and places are what can be seen."""
    if fits:
        monkeypatch.setattr("fashseg.data.residence.free_on_device", lambda _: 1 << 30)
    data, meta = module("segnet"), torch.device("meta")
    data.trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    data.trainer.strategy._root_device = meta
    monkeypatch.setattr(type(data.trainer.strategy), "root_device", property(lambda _: meta))
    for loader in (data.train_dataloader(), data.eval_dataloader("test")):
        assert loader.part.indices.device.type == ("meta" if fits else "cpu")
        images, targets = next(iter(loader))
        assert images.device == targets.device == meta
        assert targets.dtype == torch.int64
        assert images.shape[1:] == (3, 256, 256)
    assert data.part("val").batch([0])[0].device.type == "cpu", "pictures are drawn from the processor's memory"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("words", [[], ["data.resident=false"]])
def test_batches_on_a_gpu_are_those_of_the_processor(words: list[str]) -> None:
    data = module("segnet", *words)
    expected = list(data.train_dataloader())
    data.trainer = pl.Trainer(accelerator="gpu", devices=1, logger=False, enable_checkpointing=False)
    loader = data.train_dataloader()
    assert loader.part.indices.is_cuda == (not words)
    for (images, targets), (expected_images, expected_targets) in zip(loader, expected, strict=True):
        assert images.is_cuda
        assert targets.is_cuda
        assert torch.equal(images.cpu(), expected_images)
        assert torch.equal(targets.cpu(), expected_targets)
