"""Losses by classes and their overlap, against formulas written down otherwise, scikit-learn and torchvision."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, jaccard_score
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision.ops import sigmoid_focal_loss

from fashseg import config as cfg
from fashseg.losses import build_loss
from fashseg.losses.class_balanced import ClassBalanced

IGNORED = 255
OPTIONS = [
    cfg.Binary("binary"),
    *(
        kind(name, entropy_share=share)
        for kind, name in ((cfg.Dice, "dice"), (cfg.Lovasz, "lovasz"))
        for share in (0, 0.3)
    ),
]
NAMES = [f"{options.name} {getattr(options, 'entropy_share', '')}" for options in OPTIONS]


def batch(classes: int = 5, *sides: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(3, classes, *sides, generator=generator)
    return logits, torch.randint(classes - 1, (3, *sides), generator=generator)  # the last class is not there


def sure(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Logits that leave no doubt of these labels."""
    return 200.0 * torch.nn.functional.one_hot(labels, classes).movedim(-1, 1).float()


@pytest.mark.parametrize("sides", [(), (6, 4)])
def test_binary_is_torchvisions_sigmoid_loss(sides: tuple[int, ...]) -> None:
    logits, targets = batch(5, *sides)
    truth = torch.nn.functional.one_hot(targets, 5).movedim(-1, 1).float()
    expected = sigmoid_focal_loss(logits, truth, alpha=-1, gamma=0, reduction="sum") / targets.numel()
    torch.testing.assert_close(build_loss(cfg.Binary("binary"))(logits, targets), expected)


def test_binary_ranks_by_logits_where_softmax_knows_differences_alone() -> None:
    logits, targets = batch(5)
    binary, entropy = build_loss(cfg.Binary("binary")), build_loss(cfg.CrossEntropy("cross_entropy"))
    torch.testing.assert_close(entropy(logits + 3, targets), entropy(logits, targets))
    assert binary(logits + 3, targets) > 1.5 * binary(logits, targets)


def test_dice_of_sure_predictions_is_one_minus_f1_of_the_classes_that_are_there() -> None:
    _, targets = batch(5, 12, 9)
    _, others = batch(5, 12, 9, seed=1)
    predicted = torch.where(
        torch.rand(targets.shape, generator=torch.Generator().manual_seed(2)) < 0.3, others, targets
    )
    predicted[0, 0] = 4  # of which there is none
    loss = build_loss(cfg.Dice("dice", entropy_share=0))(sure(predicted, 5), targets)
    f1 = f1_score(targets.flatten(), predicted.flatten(), labels=[0, 1, 2, 3], average="macro")
    assert loss.item() == pytest.approx(1 - f1, abs=1e-6)


def test_dice_follows_the_formula() -> None:
    logits, targets = batch(5, 6, 4)
    shares = np.moveaxis(logits.double().softmax(1).numpy(), 1, 0).reshape(5, -1)
    labels = targets.numpy().reshape(-1)
    expected = np.mean(
        [1 - 2 * p[labels == c].sum() / (p.sum() + (labels == c).sum()) for c, p in enumerate(shares[:4])]
    )
    assert build_loss(cfg.Dice("dice", entropy_share=0))(logits, targets).item() == pytest.approx(expected, rel=1e-5)


def test_lovasz_of_sure_predictions_is_one_minus_the_intersection_over_union() -> None:
    _, targets = batch(5, 12, 9)
    _, others = batch(5, 12, 9, seed=1)
    predicted = torch.where(
        torch.rand(targets.shape, generator=torch.Generator().manual_seed(2)) < 0.3, others, targets
    )
    predicted[0, 0] = 4
    loss = build_loss(cfg.Lovasz("lovasz", entropy_share=0))(sure(predicted, 5), targets)
    jaccard = jaccard_score(targets.flatten(), predicted.flatten(), labels=[0, 1, 2, 3], average="macro")
    assert loss.item() == pytest.approx(1 - jaccard, abs=1e-6)


def lovasz_by_sets(shares: np.ndarray, labels: np.ndarray) -> float:
    """The definition, for one class: pixels become wrong one after the other, the worst first, and IoU is counted."""
    truth = {i for i, label in enumerate(labels) if label}
    errors = {i: 1 - share if i in truth else share for i, share in enumerate(shares)}
    loss, before, predicted = 0.0, 0.0, set(truth)
    for i in sorted(errors, key=lambda i: -errors[i]):
        predicted ^= {i}
        after = 1 - len(predicted & truth) / len(predicted | truth)
        loss += errors[i] * (after - before)
        before = after
    return loss


def test_lovasz_follows_the_definition_on_sets() -> None:
    logits, targets = batch(5, 6, 4)
    shares = np.moveaxis(logits.double().softmax(1).numpy(), 1, 0).reshape(5, -1)
    labels = targets.numpy().reshape(-1)
    expected = np.mean([lovasz_by_sets(shares[c], labels == c) for c in range(4)])
    assert build_loss(cfg.Lovasz("lovasz", entropy_share=0))(logits, targets).item() == pytest.approx(
        expected, rel=1e-5
    )


@pytest.mark.parametrize("kind", [cfg.Dice, cfg.Lovasz])
def test_cross_entropy_has_its_share(kind: type) -> None:
    logits, targets = batch(5, 6, 4)
    alone, mixed, entropy = (
        build_loss(options)(logits, targets)
        for options in (
            kind(kind.__name__.lower(), entropy_share=0),
            kind(kind.__name__.lower(), entropy_share=0.3),
            cfg.CrossEntropy("cross_entropy"),
        )
    )
    torch.testing.assert_close(mixed, 0.7 * alone + 0.3 * entropy)
    only = build_loss(kind(kind.__name__.lower(), entropy_share=1))(logits, targets)
    torch.testing.assert_close(only, entropy)


@pytest.mark.parametrize("options", OPTIONS, ids=NAMES)
def test_what_is_ignored_counts_for_nothing_in_overlaps(options: cfg.Loss) -> None:
    logits, targets = batch(5, 6, 4)
    outside = torch.rand(targets.shape, generator=torch.Generator().manual_seed(1)) < 0.4
    with_holes = targets.masked_fill(outside, IGNORED)
    logits.requires_grad_()
    loss = build_loss(options, ignore=IGNORED)(logits, with_holes)
    kept = logits.detach().movedim(1, -1)[~outside], targets[~outside]
    torch.testing.assert_close(loss.detach(), build_loss(options)(*kept))
    (gradient,) = torch.autograd.grad(loss, logits)
    assert not gradient.movedim(1, -1)[outside].any()
    assert gradient.movedim(1, -1)[~outside].any()


@pytest.mark.parametrize("options", OPTIONS, ids=NAMES)
def test_a_batch_of_nothing_has_no_loss(options: cfg.Loss) -> None:
    logits = torch.randn(2, 5, 4, 4, requires_grad=True)
    loss = build_loss(options, ignore=IGNORED)(logits, torch.full((2, 4, 4), IGNORED))
    assert loss.item() == 0
    (gradient,) = torch.autograd.grad(loss, logits)
    assert not gradient.any()


@pytest.mark.parametrize("options", OPTIONS, ids=NAMES)
def test_gradients_are_those_of_finite_differences(options: cfg.Loss) -> None:
    logits, targets = batch(4, 3, 2)
    loss = build_loss(options)
    assert torch.autograd.gradcheck(lambda given: loss(given, targets), logits.double().requires_grad_())


@pytest.mark.parametrize("options", OPTIONS, ids=NAMES)
def test_mixed_precision_computes_losses_in_full(options: cfg.Loss) -> None:
    logits, targets = batch(5, 40, 30)
    logits = logits.bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = build_loss(options)(logits, targets)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, build_loss(options)(logits.float(), targets))


class Called(TorchDispatchMode):
    """Names of the operations that ran."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("ignore", [None, IGNORED])
@pytest.mark.parametrize("options", [*OPTIONS, cfg.ClassBalanced("class_balanced")], ids=[*NAMES, "class_balanced"])
def test_a_step_can_be_recorded(options: cfg.Loss, ignore: int | None) -> None:
    """A CUDA graph knows no sizes that depend on values, and nothing that waits for a value."""
    logits, targets = batch(5, 6, 4)
    loss = build_loss(options, ignore)
    if isinstance(loss, ClassBalanced):
        loss.go_by([1, 2, 3, 4, 5])
    with Called() as control:
        assert targets[targets > 0].sum().item()
    with Called() as called:
        loss(logits.requires_grad_(), targets).backward()
    waits = ("_local_scalar_dense", "nonzero", "aten.index.", "masked_select", "bincount", "unique")
    assert {name for name in waits if any(name in call for call in control.names)} == {waits[0], waits[2]}
    assert not [call for call in called.names if any(name in call for name in waits)]


@pytest.mark.parametrize("options", OPTIONS, ids=NAMES)
def test_descent_finds_the_classes(options: cfg.Loss) -> None:
    _, targets = batch(5, 6, 4)
    logits = torch.zeros(3, 5, 6, 4, requires_grad=True)
    optimizer, loss = torch.optim.Adam([logits], lr=0.1), build_loss(options)
    for _ in range(40):
        optimizer.zero_grad()
        loss(logits, targets).backward()
        optimizer.step()
    assert torch.equal(logits.argmax(1), targets)
