"""Class-balanced cross-entropy: weights by the paper's recursion, value by scikit-learn, counts by a run."""

from pathlib import Path

import pytest
import torch
from sklearn.metrics import log_loss

from conftest import TINY_CNN, Command, table, weights
from fashseg import config as cfg
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.engine import build_trainer
from fashseg.losses.class_balanced import ClassBalanced, balanced_weights
from fashseg.scoring import build_data
from fashseg.tasks import build_task
from fashseg.trained import load_trained

COUNTS = [5, 1, 40, 400]


def effective_number(count: int, beta: float) -> float:
    """Expected volume of samples, one after the other: E_n = 1 + β E_(n-1)."""
    number = 0.0
    for _ in range(count):
        number = 1 + beta * number
    return number


def batch(*sides: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(9, 4, *sides, generator=generator), torch.randint(4, (9, *sides), generator=generator)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.99, 0.99999])
def test_weights_are_inverse_effective_numbers(beta: float) -> None:
    inverse = [1 / effective_number(count, beta) for count in COUNTS]
    expected = [4 * value / sum(inverse) for value in inverse]
    assert balanced_weights(COUNTS, beta) == pytest.approx(expected, rel=1e-9)


def test_weights_go_from_equal_ones_to_inverse_frequencies() -> None:
    assert balanced_weights(COUNTS, 0) == [1.0] * 4
    pixels = [count * 10**6 for count in COUNTS]
    inverse = [1 / count for count in pixels]
    assert balanced_weights(pixels, 1 - 1e-12) == pytest.approx(
        [4 * value / sum(inverse) for value in inverse], rel=1e-3
    )


def test_a_class_without_images_takes_no_weight_from_the_others() -> None:
    whole, without = balanced_weights([*COUNTS, 0], 0.9), balanced_weights(COUNTS, 0.9)
    assert whole == [*without, 0.0]
    assert balanced_weights([0, 0], 0.9) == [0.0, 0.0]


def test_it_is_a_weighted_log_loss() -> None:
    logits, targets = batch(6, 4)
    loss = ClassBalanced(0.99)
    plain = torch.nn.functional.cross_entropy(logits, targets)
    torch.testing.assert_close(loss(logits, targets), plain)  # nothing is counted yet
    loss.go_by(COUNTS)
    assert not loss.state_dict()
    flat, labels = logits.double().softmax(1).movedim(1, -1).reshape(-1, 4), targets.flatten()
    each = torch.tensor(balanced_weights(COUNTS, 0.99))[labels]
    expected = log_loss(labels.numpy(), flat.numpy(), sample_weight=each.numpy(), normalize=False) / len(labels)
    assert loss(logits, targets).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_shares_of_classes_and_smoothed_labels_follow_the_formula(smoothing: float) -> None:
    logits, targets = batch(3)
    loss = ClassBalanced(0.99, smoothing)
    loss.go_by(COUNTS)
    shares = torch.nn.functional.one_hot(targets, 4).movedim(-1, 1).float()
    torch.testing.assert_close(loss(logits, shares), loss(logits, targets))
    mixed = 0.7 * shares + 0.3 * shares.roll(1, 0)
    smooth = (1 - smoothing) * mixed + smoothing / 4
    each = torch.tensor(balanced_weights(COUNTS, 0.99))[:, None]
    torch.testing.assert_close(loss(logits, mixed), -(each * smooth * logits.log_softmax(1)).sum(1).mean())


def test_what_is_ignored_has_no_weight() -> None:
    logits, targets = batch(6, 4)
    outside = torch.rand(targets.shape, generator=torch.Generator().manual_seed(1)) < 0.4
    loss, without = ClassBalanced(0.9, ignore=255), ClassBalanced(0.9)
    for one in (loss, without):
        one.go_by(COUNTS)
    kept = logits.movedim(1, -1)[~outside], targets[~outside]
    torch.testing.assert_close(loss(logits, targets.masked_fill(outside, 255)), without(*kept))
    assert loss(logits, torch.full_like(targets, 255)).item() == 0


def test_training_counts_the_images_that_it_trains_on() -> None:
    words = [*TINY_CNN, "loss=class_balanced", "loss.beta=0.9", "trainer.limit_batches=1", "eval_train=false"]
    run = check(cfg.Train, compose("train", words))
    data = build_data(run)
    task = build_task(run, data.info)
    build_trainer(run.trainer, quiet=True).fit(task, datamodule=data)
    part = data.part("train")
    counts = torch.bincount(part.targets.index_select(0, part.indices).long(), minlength=10)
    assert len(set(counts.tolist())) > 1
    assert isinstance(task.loss, ClassBalanced)
    assert task.loss.weights is not None
    assert task.loss.weights.tolist() == pytest.approx(balanced_weights(counts.tolist(), 0.9))


def test_a_run_on_chunks_goes_on_as_one_in_memory(run: Command, tmp_path: Path) -> None:
    words = [word for word in TINY_CNN if not word.startswith("epochs")]
    data = [word for word in words if word.startswith("data")]
    words = [*(word for word in words if word not in data), "loss=class_balanced", "loss.beta=0.9", "eval_train=false"]
    assert run("train", *words, *data, "epochs=2", "hydra.run.dir=memory").status == 0
    assert run("prepare", *data, "shards=chunks").status == 0
    there = ["data=streaming", "data.url=chunks", "epochs=1", "hydra.run.dir=chunked"]
    assert run("train", *words, *there).status == 0
    resumed = run("train", "resume=chunked", "epochs=2")
    assert resumed.status == 0, resumed.err
    assert table(tmp_path / "chunked") == table(tmp_path / "memory")
    one, other = weights(tmp_path / "chunked"), weights(tmp_path / "memory")
    assert all(torch.equal(one[name], other[name]) for name in other)
    (tmp_path / "chunks").rename(tmp_path / "moved")
    assert load_trained(run=str(tmp_path / "chunked")).name == "cnn", "without its data"
