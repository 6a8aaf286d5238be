"""Learning from a teacher: what is minimised, whose answers are learnt, and that runs come again bit for bit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from conftest import TINY_CNN, TINY_SEGNET, Command, assert_two_lines, results_of, table, weights
from fashseg import config as cfg
from fashseg.callbacks.within_epoch import SaveWithinEpoch
from fashseg.losses.distill import Distill
from fashseg.network import Network
from fashseg.tasks.augmentation import augment, variants
from fashseg.tasks.teaching import Teacher
from fashseg.trained import load_trained, save_weights

Trainings = Callable[..., Path]
TAUGHT = (*TINY_CNN, "loss=distill", "augment=flip_shift", "batch_size=50", "eval_train=1")
CLASS = 3


@pytest.fixture
def teacher(trained_once: Trainings) -> str:
    """The folder of a finished run."""
    return str(trained_once("cnn", "page=false"))


@pytest.fixture
def stubborn(teacher: str, tmp_path: Path) -> Path:
    """A file of weights of a network that takes every image for one class."""
    network = load_trained(run=teacher).network
    with torch.no_grad():
        list(network.parameters())[-1][CLASS] += 1000
    path = tmp_path / "stubborn.safetensors"
    save_weights(path, network, {})
    return path


def logits_and_answers() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits, answers = 3 * torch.randn(2, 7, 4, generator=generator, dtype=torch.float64)
    return logits.requires_grad_(), answers


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_its_gradient_is_that_of_the_divergence_from_the_teacher(temperature: float) -> None:
    logits, answers = logits_and_answers()
    softened = (answers / temperature).softmax(1)
    (found,) = torch.autograd.grad(Distill(temperature)(logits, softened), logits)
    divergence = F.kl_div((logits / temperature).log_softmax(1), softened, reduction="batchmean")
    (wanted,) = torch.autograd.grad(temperature**2 * divergence, logits)
    torch.testing.assert_close(found, wanted)


def test_it_is_least_where_the_answers_are_the_teachers() -> None:
    _, answers = logits_and_answers()
    loss, softened = Distill(2.0), (answers / 2).softmax(1)
    generator = torch.Generator().manual_seed(1)
    for _ in range(20):
        assert loss(answers, softened) < loss(answers + 0.1 * torch.randn(7, 4, generator=generator), softened)
    assert loss(answers + 5, softened).item() == pytest.approx(loss(answers, softened).item()), "softmax forgets it"


def test_in_mixed_precision_it_keeps_its_digits() -> None:
    logits, answers = (value.detach().float() for value in logits_and_answers())
    with torch.autocast("cpu", torch.bfloat16):
        mixed = Distill(2.0)(logits, answers.softmax(1))
    torch.testing.assert_close(mixed, Distill(2.0)(logits, answers.softmax(1)), rtol=0, atol=0)


def images(count: int) -> torch.Tensor:
    return torch.randint(256, (count, 1, 28, 28), generator=torch.Generator().manual_seed(2)).to(torch.uint8)


def teaching(run: str, *, keeps: bool = False, **options: float) -> Teacher:
    return Teacher(load_trained(run=run).network, cfg.Distill("distill", run, **options), {}, keeps=keeps)


def test_targets_are_softened_answers_with_a_share_of_the_labels(teacher: str) -> None:
    batch, labels = images(5), torch.tensor([0, 1, 2, 3, 3])
    answers = load_trained(run=teacher).network(batch)
    targets = teaching(teacher, temperature=3.0).targets(batch, labels)
    torch.testing.assert_close(targets, (answers / 3).softmax(1).detach())
    part = teaching(teacher, temperature=3.0, label_share=0.25).targets(batch, labels)
    torch.testing.assert_close(part, 0.75 * targets + 0.25 * F.one_hot(labels, 10))
    mixed = 0.5 * F.one_hot(labels, 10) + 0.5 * F.one_hot(labels.flip(0), 10)
    part = teaching(teacher, temperature=3.0, label_share=0.25).targets(batch, mixed)
    torch.testing.assert_close(part, 0.75 * targets + 0.25 * mixed)


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


def test_a_network_learns_what_its_teacher_says_and_not_what_is_true(
    run: Command, tmp_path: Path, stubborn: Path
) -> None:
    outcome = run("train", *TAUGHT, "loss.teacher=stubborn.safetensors", "optimizer.lr=0.01", "hydra.run.dir=r")
    assert outcome.status == 0, outcome.err
    answers = load_trained(run="r").network(images(50)).argmax(1)
    assert answers.tolist() == [CLASS] * 50
    assert "does not say what it validated on" in outcome.out
    said = results_of(tmp_path / "r")["teacher"]
    assert said["name"] == "stubborn"
    assert said["same_validation"] is None
    # The checkpoint is of the network alone, and knows nothing of the teacher.
    stubborn.unlink()
    assert run("evaluate", "run=r", "split=val").status == 0
    content = torch.load(tmp_path / "r/checkpoints/last.ckpt", weights_only=True)
    assert not [name for name in content["state_dict"] if "teacher" in name]
    assert "stubborn" not in json.dumps(content["hyper_parameters"])


def test_it_is_said_whether_the_teacher_has_seen_what_validates(run: Command, tmp_path: Path, teacher: str) -> None:
    words = (*TAUGHT, f"loss.teacher={teacher}", "epochs=1", "eval_train=false")
    same = run("train", *words, "hydra.run.dir=same")
    assert same.status == 0, same.err
    assert "the teacher" not in same.out
    assert results_of(tmp_path / "same")["teacher"]["same_validation"] is True
    other = run("train", *words, "seed=1", "hydra.run.dir=other")
    assert "the teacher, cnn, was validated on other images" in other.out
    assert results_of(tmp_path / "other")["teacher"]["same_validation"] is False
    assert run("train", *words, "seed=1", "data.split_seed=0", "hydra.run.dir=third").status == 0
    assert results_of(tmp_path / "third")["teacher"]["same_validation"] is True


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


def test_a_run_does_not_go_on_with_another_teacher(run: Command, tmp_path: Path, teacher: str) -> None:
    copy = tmp_path / "teacher"
    shutil.copytree(teacher, copy)
    words = (*TAUGHT, "loss.teacher=teacher", "epochs=1", "scheduler=none", "hydra.run.dir=r")
    assert run("train", *words).status == 0
    content = torch.load(copy / "checkpoints/best.ckpt", weights_only=True)
    name = next(iter(content["state_dict"]))
    content["state_dict"][name] += 0.01
    torch.save(content, copy / "checkpoints/best.ckpt")
    assert_two_lines(run("train", "resume=r", "epochs=2"), "has other weights than when the run was begun")
    shutil.rmtree(copy)
    assert_two_lines(run("train", "resume=r", "epochs=2"), "loss.teacher=", "does not exist")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ((*TINY_CNN, "loss=distill"), ["loss.teacher is missing", "loss.teacher=fashion"]),
        ((*TINY_CNN, "loss=distill", "loss.teacher=fashon"), ["loss.teacher=fashon", "Did you mean fashion?"]),
        ((*TINY_CNN, "loss=distill", "loss.teacher=no.safetensors"), ["no.safetensors: there is no such file"]),
        ((*TINY_CNN, "loss=distill", "loss.teacher=facade"), ["knows the classes", "same classes"]),
        ((*TINY_SEGNET, "loss=distill", "loss.teacher=facade"), ["loss=distill is for classification"]),
    ],
    ids=["none", "misspelt", "missing", "other classes", "segmentation"],
)
def test_what_can_not_teach_is_refused(run: Command, tmp_path: Path, words: tuple[str, ...], parts: list[str]) -> None:
    assert_two_lines(run("train", *words, "hydra.run.dir=r"), *parts)
    assert not (tmp_path / "r").exists()
