"""Recording and replaying of steps; where there is no GPU, a stand-in for the recorder runs the function again."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from fashseg.tasks.graphed import WARM_UP, GraphedStep, record_cuda

Outcome = tuple[Tensor, ...]
Recorder = Callable[[Callable[[], Outcome]], Callable[[], Outcome]]


def trained(graphed: bool, device: str, record: Recorder) -> tuple[dict[str, Tensor], float]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=torch.tensor(0.01), fused=True, capturable=device == "cuda")
    total = torch.zeros((), device=device)

    def step(images: Tensor, targets: Tensor) -> Outcome:
        loss = nn.functional.cross_entropy(model(images), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return (loss.detach(),)

    take = GraphedStep(step, record) if graphed else step
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

    take = GraphedStep(step, lambda recorded: recorded)
    given = list(range(WARM_UP + 3))
    assert [int(take(torch.tensor([n]), torch.tensor([0]))[0]) for n in given] == [n + 1 for n in given]
    assert [int(images) for images in seen] == given


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_replayed_steps_on_a_gpu() -> None:
    expected, expected_loss = trained(False, "cuda", record_cuda)
    weights, loss = trained(True, "cuda", record_cuda)
    for name in expected:
        torch.testing.assert_close(weights[name], expected[name])
    assert loss == pytest.approx(expected_loss)
