"""Losses against formulas and other implementations, and what is minimised against what is scored."""

import math
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy
from torchvision.ops import sigmoid_focal_loss

from conftest import TINY_CNN, Command, results_of, table, weights
from fashseg import config as cfg
from fashseg.losses import build_loss
from fashseg.losses.focal import Focal


def batch(classes: int = 5, *sides: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(7, classes, *sides, generator=generator)
    return logits, torch.randint(classes, (7, *sides), generator=generator)


@pytest.mark.parametrize("sides", [(), (6, 4)])
def test_cross_entropy_is_torchs_bit_for_bit(sides: tuple[int, ...]) -> None:
    logits, targets = batch(5, *sides)
    plain = build_loss(cfg.CrossEntropy(name="cross_entropy"))
    assert torch.equal(plain(logits, targets), cross_entropy(logits, targets))
    assert not list(plain.parameters())
    assert not plain.state_dict()
    smooth = build_loss(cfg.CrossEntropy(name="cross_entropy", label_smoothing=0.1))
    spread = 0.9 * torch.nn.functional.one_hot(targets, 5).movedim(-1, 1) + 0.1 / 5
    torch.testing.assert_close(smooth(logits, targets), -(spread * logits.log_softmax(1)).sum(1).mean())


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
def test_focal_of_two_classes_is_the_published_one_of_a_sigmoid(gamma: float) -> None:
    logits, targets = batch(2, 6, 4)
    difference = logits[:, 1] - logits[:, 0]
    expected = sigmoid_focal_loss(difference, targets.float(), alpha=-1, gamma=gamma, reduction="mean")
    torch.testing.assert_close(Focal(gamma)(logits, targets), expected)


def test_focal_of_several_classes_follows_the_formula() -> None:
    logits, targets = batch(5, 6, 4)
    right = logits.double().softmax(1).gather(1, targets[:, None])
    expected = (-((1 - right) ** 2) * right.log()).mean()
    torch.testing.assert_close(build_loss(cfg.Focal(name="focal", gamma=2.0))(logits, targets), expected.float())
    torch.testing.assert_close(Focal(2.0)(logits.double(), targets), expected)
    torch.testing.assert_close(Focal(0.0)(logits, targets), cross_entropy(logits, targets))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_has_a_finite_gradient_where_a_class_is_sure(gamma: float) -> None:
    logits = torch.tensor([[200.0, -200.0], [-200.0, 200.0], [1e-9, 0.0]], requires_grad=True)
    loss = Focal(gamma)(logits, torch.tensor([0, 0, 1]))
    assert math.isfinite(loss.item())
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("options", [cfg.CrossEntropy("cross_entropy"), cfg.Focal("focal", gamma=1.5)])
def test_what_is_ignored_counts_for_nothing(options: cfg.Loss) -> None:
    logits, targets = batch(5, 6, 4)
    outside = torch.rand(targets.shape, generator=torch.Generator().manual_seed(1)) < 0.4
    with_holes = targets.masked_fill(outside, 255)
    loss = build_loss(options, ignore=255)(logits, with_holes)
    kept = logits.movedim(1, -1)[~outside], targets[~outside]
    torch.testing.assert_close(loss, build_loss(options)(*kept))


def test_training_minimises_the_loss_and_scores_stay_cross_entropy(run: Command, tmp_path: Path) -> None:
    words = [*TINY_CNN, "epochs=1", "logger=none", "optimizer.lr=1e-9"]
    for loss in ("cross_entropy", "focal"):
        done = run("train", *words, f"loss={loss}", f"hydra.run.dir={loss}")
        assert done.status == 0, done.err
    plain, focal = (table(tmp_path / name)[0] for name in ("cross_entropy", "focal"))
    # The weights hardly move: the same network is told by two losses.
    assert float(focal["train_loss_running"]) < 0.9 * float(plain["train_loss_running"])
    assert float(focal["val_loss"]) == pytest.approx(float(plain["val_loss"]), rel=1e-3)
    assert results_of(tmp_path / "focal")["loss"] == "focal"
    assert set(weights(tmp_path / "focal")) == set(weights(tmp_path / "cross_entropy"))
