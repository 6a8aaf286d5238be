"""Mixup and CutMix: what is mixed, how much, how often; and that runs with them come again bit for bit."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy import stats

from conftest import TINY_CNN, Command, results_of, table, weights
from fashseg import config as cfg
from fashseg.callbacks.within_epoch import SaveWithinEpoch
from fashseg.metrics.totals import Totals
from fashseg.tasks import Task, graphed
from fashseg.tasks.augmentation import augment
from fashseg.tasks.mixing import mixed

COUNT, SIDE = 8, 10
VALUES = 20.0 * torch.arange(COUNT)  # of the pixels of each image, one class each


def options(**changes: float) -> cfg.Flip:
    return cfg.Flip("flip", **changes)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    images = VALUES.to(torch.uint8)[:, None, None, None].expand(-1, 1, SIDE, SIDE)
    return images, torch.arange(COUNT)


def shares(seeds: int, **changes: float) -> torch.Tensor:
    """The largest share of a batch's first image, for each seed."""
    return torch.stack([mixed(options(**changes), *batch(), COUNT, seed)[1][0].max() for seed in range(seeds)])


def test_nothing_is_done_where_nothing_is_on() -> None:
    images, targets = batch()
    for off in (options(), options(mixup=0.2, mix_probability=0), cfg.Augment("none")):
        same = mixed(off, images, targets, COUNT, seed=0)
        assert same[0] is images
        assert same[1] is targets


def test_mixup_mixes_images_as_their_classes() -> None:
    images, targets = mixed(options(mixup=1.0), *batch(), COUNT, seed=3)
    assert images.dtype == targets.dtype == torch.float32
    torch.testing.assert_close(targets.sum(1), torch.ones(COUNT))
    assert (targets > 0).sum(1).tolist() == [2] * COUNT
    torch.testing.assert_close(images, (targets @ VALUES)[:, None, None, None].expand(-1, 1, SIDE, SIDE))


def test_cutmix_puts_a_rectangle_of_another_image_over_each() -> None:
    seen = []
    for seed in range(20):
        images, targets = mixed(options(cutmix=1.0), *batch(), COUNT, seed=seed)
        torch.testing.assert_close(targets.sum(1), torch.ones(COUNT))
        pixels = images[:, :, :, :, None] == VALUES
        torch.testing.assert_close(pixels.float().mean((1, 2, 3)), targets)  # by area
        other = images[0, 0] != VALUES[0]
        rows, columns = other.any(1), other.any(0)
        assert torch.equal(other, rows[:, None] & columns)
        seen.append((int(rows.sum()), int(columns.sum())))
    assert len(set(seen)) > 5


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_shares_are_of_the_beta_distribution(alpha: float) -> None:
    drawn = torch.stack([mixed(options(mixup=alpha), *batch(), COUNT, seed)[1][0, 0] for seed in range(400)])
    assert stats.kstest(drawn.numpy(), stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_some_batches_are_left_alone_but_have_shares_too() -> None:
    found = shares(400, mixup=1.0, mix_probability=0.3)
    assert 0.22 < (found < 1).float().mean() < 0.38
    images, targets = next(
        mixed(options(mixup=1.0, mix_probability=0.3), *batch(), COUNT, seed)
        for seed, share in enumerate(found)
        if share == 1
    )
    assert images.dtype == targets.dtype == torch.float32
    assert torch.equal(images, batch()[0].float())
    assert torch.equal(targets, torch.eye(COUNT))


def test_which_batches_are_mixed_has_nothing_to_do_with_which_images_are_mirrored() -> None:
    chosen, images = options(mixup=1.0, mix_probability=0.5), torch.arange(SIDE).expand(COUNT, 1, SIDE, SIDE)
    mirrored = torch.stack([augment(chosen, images, batch()[1], seed)[0][:, 0, 0, 0] > 0 for seed in range(400)])
    was_mixed = shares(400, mixup=1.0, mix_probability=0.5) < 1
    assert ((mirrored == was_mixed[:, None]).float().mean(0) - 0.5).abs().max() < 0.1


def test_with_both_each_batch_gets_one_of_them() -> None:
    whole = 0
    for seed in range(200):
        images = mixed(options(mixup=1.0, cutmix=1.0), *batch(), COUNT, seed)[0]
        whole += not torch.isin(images, VALUES).all()
    assert 70 < whole < 130


def test_the_seed_fixes_all_and_no_other_random_number_is_touched() -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    for kind in ({"mixup": 0.5}, {"cutmix": 0.5}):
        first, again, other = (mixed(options(**kind), *batch(), COUNT, seed) for seed in (5, 5, 6))
        assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
        assert not torch.equal(first[1], other[1])
    assert torch.equal(torch.get_rng_state(), before)


def test_the_running_accuracy_goes_by_the_larger_share() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0], [2.0, 1.0, 0.0], [0.0, 1.0, 2.0]])
    given = torch.tensor([[0.6, 0.4, 0.0], [0.4, 0.6, 0.0], [0.0, 0.0, 1.0]])
    by_shares, by_labels = Totals(), Totals()
    by_shares.update(torch.tensor(1.5), logits, given)
    by_labels.update(torch.tensor(1.5), logits, torch.tensor([0, 1, 2]))
    assert by_shares.compute() == by_labels.compute()
    assert by_shares.compute()["accuracy"].item() == pytest.approx(2 / 3)


MIXING = (*TINY_CNN, "augment=garment", "augment.mixup=0.4", "augment.cutmix=1.0", "augment.mix_probability=0.8")
WORDS = ("batch_size=50", "eval_train=1", "checkpoint.every_seconds=1e-9")
LOSSES = {
    "cross_entropy": ("loss.label_smoothing=0.1",),
    "binary": ("loss=binary",),
    "class_balanced": ("loss=class_balanced",),
}


def same(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return table(one) == table(other) and all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_loops_take_the_same_steps(run: Command, tmp_path: Path, loss: str) -> None:
    for name, steps in (("own", 1), ("many", 4)):
        words = (*MIXING, *WORDS, *LOSSES[loss], "epochs=1", f"trainer.steps_per_call={steps}")
        outcome = run("train", *words, f"hydra.run.dir={name}")
        assert outcome.status == 0, outcome.err
    assert same(tmp_path / "own", tmp_path / "many")
    assert results_of(tmp_path / "own")["loss"] == loss


class Killed(BaseException):
    """As if by ``kill -9``."""


def test_a_run_that_was_killed_goes_on_bit_for_bit(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (*MIXING, *WORDS, "trainer.steps_per_call=2")
    assert run("train", *words, "hydra.run.dir=whole").status == 0
    save, calls = SaveWithinEpoch.on_train_batch_end, []

    def killed(self: SaveWithinEpoch, *given: Any) -> None:
        save(self, *given)
        calls.append(None)
        if len(calls) == 2:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(SaveWithinEpoch, "on_train_batch_end", killed)
        with pytest.raises(Killed):
            run("train", *words, "hydra.run.dir=part")
    resumed = run("train", "resume=part")
    assert resumed.status == 0, resumed.err
    assert same(tmp_path / "whole", tmp_path / "part")


def test_recorded_steps_get_the_same_kind_of_targets_each_time(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of the way on a GPU but the recording itself, which a call of the function stands in for."""
    kinds: set[tuple[Any, ...]] = set()
    loss_of: Callable[..., Any] = Task.loss_of

    def watched(self: Task, images: torch.Tensor, targets: torch.Tensor) -> Any:
        kinds.add((images.dtype, images.shape[1:], targets.dtype, targets.shape[1:]))
        return loss_of(self, images, targets)

    words = (*MIXING, *WORDS, "augment.mix_probability=0.5", "epochs=1")
    assert run("train", *words, "hydra.run.dir=plain").status == 0
    stand_in = functools.partial(graphed.GraphedStep, record=lambda step: step, warm_up=lambda step: step())
    monkeypatch.setattr("fashseg.tasks.stepping.GraphedStep", stand_in)
    monkeypatch.setattr("fashseg.experiment.graphed", lambda _: True)
    monkeypatch.setattr(graphed, "WARM_UP", 1)
    monkeypatch.setattr(Task, "loss_of", watched)
    outcome = run("train", *words, "hydra.run.dir=recorded")
    assert outcome.status == 0, outcome.err
    assert kinds == {(torch.float32, torch.Size([1, 28, 28]), torch.float32, torch.Size([10]))}
    plain, recorded = (weights(tmp_path / name) for name in ("plain", "recorded"))
    for name in plain:
        torch.testing.assert_close(recorded[name], plain[name])
