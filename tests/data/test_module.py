"""The DataModule: every image once, in an order that depends on seed and epoch alone."""

from pathlib import Path

import pytest
import torch

from fashseg.checking import check
from fashseg.composing import compose
from fashseg.config import Train
from fashseg.data.info import DataInfo
from fashseg.data.loading import EvalLoader
from fashseg.data.module import ImageDataModule
from fashseg.data.sources import SOURCES
from fashseg.scoring import build_data


def data(*words: str) -> ImageDataModule:
    run = check(Train, compose("train", list(words)))
    module = build_data(run)
    module.setup()
    return module


SMALL = ("data=synthetic_fashion", "data.train_images=210", "data.test_images=30", "batch_size=16", "eval_batch_size=7")


def test_parts_share_no_image_and_leave_none_out() -> None:
    module = data(*SMALL)
    assert module.counts == {"train": 189, "val": 21, "test": 30}
    train, val = module._parts["train"].indices, module._parts["val"].indices
    assert sorted([*train.tolist(), *val.tolist()]) == list(range(210))


def test_an_epoch_shows_every_training_image_once_in_a_new_order() -> None:
    module = data(*SMALL)
    loader = module.train_dataloader()
    epochs = []
    for epoch in (0, 1, 0):
        loader.sampler.set_epoch(epoch)
        batches = list(loader)
        assert [len(images) for images, _ in batches] == [16] * 11 + [13]
        assert batches[0][0].dtype == torch.uint8
        assert batches[0][1].dtype == torch.int64
        epochs.append(torch.cat([images.flatten(1) for images, _ in batches]))
    assert torch.equal(epochs[0], epochs[2])
    assert not torch.equal(epochs[0], epochs[1])
    assert torch.equal(epochs[0].sort(0).values, epochs[1].sort(0).values)


def test_another_seed_is_another_split_unless_the_split_has_its_own() -> None:
    def val(*words: str) -> list[int]:
        indices: list[int] = data(*SMALL, *words)._parts["val"].indices.tolist()
        return indices

    assert val("seed=0") == val("seed=0")
    assert val("seed=0") != val("seed=1")
    assert val("seed=0", "data.split_seed=5") == val("seed=1", "data.split_seed=5")


def test_the_loss_on_fixed_weights_is_measured_on_the_same_training_images() -> None:
    module = data(*SMALL, "eval_train=3")
    first, second = (module.val_dataloader()[1] for _ in range(2))
    assert sum(len(images) for images, _ in first) == 21
    for (a, _), (b, _) in zip(first, second, strict=True):
        assert torch.equal(a, b)
    train = set(module._parts["train"].indices.tolist())
    assert set(module._parts["train_fixed"].indices.tolist()) <= train
    assert len(data(*SMALL, "eval_train=true")._parts["train_fixed"]) == 189
    assert len(data(*SMALL, "eval_train=false").val_dataloader()) == 1


@pytest.mark.parametrize("world", [1, 2, 3, 7])
def test_ranks_together_score_each_image_once(world: int) -> None:
    part = data(*SMALL).part("val")
    shares = [EvalLoader(part, 4, rank=rank, world=world) for rank in range(world)]
    seen = [
        image.numpy().tobytes() for share in shares for images, targets in share if len(targets) for image in images
    ]
    assert sorted(seen) == sorted(image.numpy().tobytes() for image in part.batch(range(len(part)))[0])


def test_test_images_are_not_among_the_drawn_training_images() -> None:
    module = data(*SMALL)
    train = {image.numpy().tobytes() for image in module._parts["train"].images}
    assert not any(image.numpy().tobytes() in train for image in module._parts["test"].images)


@pytest.mark.parametrize("name", SOURCES)
def test_info_survives_as_plain_containers(name: str) -> None:
    info = SOURCES[name].info
    assert DataInfo.from_dict(info.to_dict()) == info


def test_real_splits_leak_or_do_not_as_they_say(real_data: Path) -> None:
    root = f"data.root={real_data}"
    published = data("model=segnet", root, "data.split=published")
    assert published.counts == {"train": 800, "val": 106, "test": 114}
    assert published.shared_groups == 106, "every validation image shows a building that is trained on"
    building = data("model=segnet", root)
    assert building.shared_groups == 0
    assert sum(building.counts.values()) == 1020
    fashion = data("model=cnn", root)
    assert fashion.counts == {"train": 54_000, "val": 6_000, "test": 10_000}
    assert fashion.shared_groups is None
