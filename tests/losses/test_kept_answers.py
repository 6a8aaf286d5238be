"""Answers of a teacher that are kept, and runs that learn from one: they come again bit for bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from taught import TAUGHT, images, teaching

from conftest import Command, table, weights
from fashseg import config as cfg
from fashseg.callbacks.within_epoch import SaveWithinEpoch
from fashseg.network import Network
from fashseg.tasks.augmentation import augment, variants
from fashseg.tasks.teaching import Teacher

Trainings = Callable[..., Path]


@pytest.fixture
def teacher(trained_once: Trainings) -> str:
    """The folder of a finished run."""
    return str(trained_once("cnn", "page=false"))


@pytest.mark.parametrize("autocast", [False, True])
def test_answers_that_are_kept_are_those_that_would_be_given(
    teacher: str, autocast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, forward = [], Network.forward

    def watched(self: Network, batch: torch.Tensor) -> torch.Tensor:
        seen.append(len(batch))
        return forward(self, batch)

    monkeypatch.setattr(Network, "forward", watched)
    every, labels = images(70), torch.zeros(70, dtype=torch.int64)
    one, other = teaching(teacher, keeps=True), teaching(teacher, keeps=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        first = one.targets(every, labels)
        seen.clear()
        assert torch.equal(one.targets(every.flip(0), labels), first.flip(0))
        assert not seen, "they were known"
        for start, end in ((40, 47), (0, 3), (1, 70)):  # beside others, and partly known
            assert torch.equal(other.targets(every[start:end], labels[start:end]), first[start:end])
        plain = teaching(teacher).targets(every, labels)
    assert torch.equal(first, plain)


def test_an_image_comes_in_as_many_ways_as_are_told() -> None:
    image = images(1).expand(4000, -1, -1, -1)
    for options in (
        cfg.Augment("none"),
        cfg.Flip("flip"),
        cfg.Flip("flip", probability=1),
        cfg.FlipShift("flip_shift", probability=0, shift=1),
        cfg.FlipShift("flip_shift", shift=2),
        cfg.Garment("garment", shift=0, erase=0),
    ):
        changed, _ = augment(options, image, torch.zeros(4000, dtype=torch.int64), seed=0)
        assert len({one.numpy().tobytes() for one in changed}) == variants(options)
    without_end = (cfg.Garment("garment"), cfg.Photo("photo"), cfg.Flip("flip", mixup=0.2))
    assert [variants(options) for options in without_end] == [None] * 3


def same(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return table(one) == table(other) and all(torch.equal(first[key], second[key]) for key in first)


class Killed(BaseException):
    """As if by ``kill -9``."""


def test_runs_come_again_bit_for_bit_in_either_loop_and_where_they_were_killed(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, teacher: str
) -> None:
    """With few ways in which an image comes, so that the teacher's answers are kept, which a killed run has lost."""
    words = (*TAUGHT, f"loss.teacher={teacher}", "augment.shift=0", "epochs=3", "checkpoint.every_seconds=1e-9")
    for name, steps in (("own", 1), ("many", 4)):
        assert run("train", *words, f"trainer.steps_per_call={steps}", f"hydra.run.dir={name}").status == 0
    assert same(tmp_path / "own", tmp_path / "many")
    save, calls = SaveWithinEpoch.on_train_batch_end, []

    def killed(self: SaveWithinEpoch, *given: Any) -> None:
        save(self, *given)
        calls.append(None)
        if len(calls) == 4:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(SaveWithinEpoch, "on_train_batch_end", killed)
        with pytest.raises(Killed):
            run("train", *words, "trainer.steps_per_call=2", "hydra.run.dir=part")
    resumed = run("train", "resume=part")
    assert resumed.status == 0, resumed.err
    assert same(tmp_path / "own", tmp_path / "part")


def test_images_come_again_as_they_came_after_so_many_epochs(
    run: Command, monkeypatch: pytest.MonkeyPatch, teacher: str
) -> None:
    """Augmented and mixed without end, in either loop, and where a run goes on in the middle of the second round."""
    came: list[list[bytes]] = []
    answered, targets = [], Teacher.targets

    def watched(self: Teacher, batch: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        came[-1].append(batch.numpy().tobytes())
        return targets(self, batch, labels)

    def computed(self: Teacher, batch: torch.Tensor) -> torch.Tensor:
        answered.append(len(came[-1]))
        return compute(self, batch)

    compute = Teacher._computed
    monkeypatch.setattr(Teacher, "targets", watched)
    monkeypatch.setattr(Teacher, "_computed", computed)
    augmented = ("augment=garment", "augment.mixup=1", "loss.ways=2", "epochs=5", "trainer.limit_batches=3")
    words = (*TAUGHT, f"loss.teacher={teacher}", *augmented)
    for steps in (1, 2):
        came.append([])
        answered.clear()
        outcome = run("train", *words, f"trainer.steps_per_call={steps}", f"hydra.run.dir=by{steps}")
        assert outcome.status == 0, outcome.err
        epochs = [came[-1][first : first + 3] for first in range(0, 15, 3)]
        assert epochs[0] == epochs[2] == epochs[4]
        assert epochs[1] == epochs[3]
        assert len({image for epoch in epochs[:2] for image in epoch}) == 6
        assert max(answered) == 6, "from the third epoch on all answers are known"
    assert came[0] == came[1]
    came.append([])
    assert run("train", "resume=by1", "epochs=6").status == 0
    assert came[-1] == came[0][3:6]
