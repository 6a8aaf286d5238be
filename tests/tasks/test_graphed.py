"""Recording and replaying of steps; where there is no GPU, a stand-in for the recorder runs the function again."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from fashseg import config as cfg
from fashseg.tasks.graphed import WARM_UP, GraphedStep, record_cuda, warm_up_cuda
from fashseg.tasks.optimizers import build_optimizer, keep_kind

Outcome = tuple[Tensor, ...]
Recorder = Callable[[Callable[[], Outcome]], Callable[[], Outcome]]


def at_once(step: Callable[[], Outcome]) -> Outcome:
    return step()


def trained(graphed: bool, device: str, record: Recorder) -> tuple[dict[str, Tensor], float]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3)).to(device)
    optimizer = build_optimizer(cfg.Adam("adam", lr=0.01), model.parameters(), recordable=True)
    total = torch.zeros((), device=device)

    def step(images: Tensor, targets: Tensor) -> Outcome:
        loss = nn.functional.cross_entropy(model(images), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return (loss.detach(),)

    warm_up = warm_up_cuda if device == "cuda" else at_once
    take = GraphedStep(step, record, warm_up) if graphed else step
    for epoch in range(3):
        for size in (6, 6, 6, 2):  # the last batch of an epoch is smaller
            images = torch.randn(size, 3, 2, 2).to(device)
            total += take(images, torch.randint(0, 3, (size,)).to(device))[0]
        optimizer.param_groups[0]["lr"].fill_(0.01 / (epoch + 2))  # as a schedule does
    return copy.deepcopy(model.state_dict()), total.item()


def test_replayed_steps_are_the_steps() -> None:
    recorded = []

    def run_again(step: Callable[[], Outcome]) -> Callable[[], Outcome]:
        recorded.append(step)
        return step

    expected, expected_loss = trained(False, "cpu", run_again)
    assert not recorded
    weights, loss = trained(True, "cpu", run_again)
    assert len(recorded) == 1, "recorded once, though epochs end in smaller batches"
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert loss == expected_loss


def test_the_first_batches_are_steps_too() -> None:
    seen: list[Tensor] = []

    def step(images: Tensor, _: Tensor) -> Outcome:
        seen.append(images.clone())
        return (images + 1,)

    take = GraphedStep(step, lambda recorded: recorded, at_once)
    given = list(range(WARM_UP + 3))
    assert [int(take(torch.tensor([n]), torch.tensor([0]))[0]) for n in given] == [n + 1 for n in given]
    assert [int(images) for images in seen] == given


def test_a_small_first_batch_is_not_what_is_recorded() -> None:
    """A run that goes on within an epoch may begin with its last, smaller batch."""
    recorded: list[int] = []

    def record(step: Callable[[], Outcome]) -> Callable[[], Outcome]:
        recorded.append(len(step()[0]))
        return step

    take = GraphedStep(lambda images, _: (images,), record, at_once)
    for size in (2, *[6] * (WARM_UP + 2), 2):
        assert len(take(torch.zeros(size), torch.zeros(size))[0]) == size
    assert recorded == [6]


@pytest.mark.parametrize("now", [True, False])
def test_a_checkpoint_of_the_other_kind_changes_nothing_of_how_a_run_is_made(now: bool) -> None:
    def made(recordable: bool) -> torch.optim.Optimizer:
        torch.manual_seed(0)
        parameter = nn.Parameter(torch.randn(3))
        optimizer = build_optimizer(cfg.Adam("adam", lr=0.25), [parameter], recordable=recordable)
        parameter.grad = torch.ones(3)
        optimizer.step()
        return optimizer

    saved, optimizer = made(not now), made(now)
    saved.param_groups[0]["lr"] = 0.125  # where a schedule had come to
    optimizer.load_state_dict(saved.state_dict())
    keep_kind(optimizer, recordable=now)
    (group,) = optimizer.param_groups
    assert group["capturable"] is now
    assert isinstance(group["lr"], Tensor) is now
    assert float(group["lr"]) == 0.125
    optimizer.step()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_replayed_steps_on_a_gpu() -> None:
    expected, expected_loss = trained(False, "cuda", record_cuda)
    weights, loss = trained(True, "cuda", record_cuda)
    for name in expected:
        torch.testing.assert_close(weights[name], expected[name])
    assert loss == pytest.approx(expected_loss)
