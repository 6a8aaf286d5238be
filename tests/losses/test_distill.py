"""Learning from a teacher: what is minimised, whose answers are learnt, and that runs come again bit for bit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from taught import TAUGHT, images, teaching

from conftest import TINY_CNN, TINY_SEGNET, Command, assert_two_lines, results_of
from fashseg.losses.distill import Distill
from fashseg.trained import load_trained, save_weights

Trainings = Callable[..., Path]
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


def test_the_newest_run_is_a_teacher_by_its_own_name_and_none_of_a_sweep(run: Command, teacher: str) -> None:
    latest = Path("outputs/latest")
    latest.parent.mkdir()
    latest.symlink_to(teacher)
    sweep = run("train", "-m", *TAUGHT, "loss.teacher=outputs/latest", "seed=0,1")
    assert_two_lines(sweep, "is another run for each job", f"Write loss.teacher={Path(teacher).resolve()}")
    assert run("train", *TAUGHT, "loss.teacher=outputs/latest", "epochs=1").status == 0
    assert latest.resolve() != Path(teacher).resolve(), "it is the new run now"
    resumed = run("train", "resume=outputs/latest", "epochs=2")
    assert resumed.status == 0, resumed.err
