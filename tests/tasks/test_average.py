"""The average of weights by itself: its arithmetic, and that nothing moves in memory."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from fashseg import config as cfg
from fashseg.tasks.averaging import Average, decay_at
from fashseg.tasks.graphed import GraphedStep, record_cuda, warm_up_cuda
from fashseg.tasks.optimizers import build_optimizer

Outcome = tuple[Tensor, ...]
Values = dict[str, Tensor]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 3))


def copied(model: nn.Module) -> Values:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def trained(
    device: str, take: Callable[[Callable[[Tensor, Tensor], Outcome]], Callable[[Tensor, Tensor], Outcome]]
) -> tuple[Values, Values, list[Values]]:
    """Weights, their average, and the weights behind each of 12 steps, with a validation after every fifth."""
    model, kept = network().to(device), network().to(device)
    optimizer = build_optimizer(cfg.Adam("adam", lr=0.01), model.parameters(), recordable=device == "cuda")
    average = Average(model, kept, decay=0.5)

    def step(images: Tensor, targets: Tensor) -> Outcome:
        loss = nn.functional.cross_entropy(model(images), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return (loss.detach(),)

    taken, behind = take(step), []
    places = [value.data_ptr() for value in model.state_dict().values()]
    for number in range(1, 13):
        taken(torch.randn(6, 3, 2, 2).to(device), torch.randint(0, 3, (6,)).to(device))
        average.follow(number)
        behind.append(copied(model))
        if number % 5 == 0:
            with average.in_place():
                scored = copied(model)
            assert all(torch.equal(scored[name], value) for name, value in copied(kept).items())
            assert all(torch.equal(behind[-1][name], value) for name, value in copied(model).items())
    assert [value.data_ptr() for value in model.state_dict().values()] == places
    return copied(model), copied(kept), behind


def by_hand(start: Values, behind: list[Values], decay: float) -> Values:
    """The formula, in float64, weight by weight."""
    mean = {name: value.double() for name, value in start.items()}
    for number, weights in enumerate(behind, 1):
        share = min(decay, number / (9 + number))
        mean = {name: share * mean[name] + (1 - share) * value.double() for name, value in weights.items()}
    return mean


def test_it_is_the_average_by_hand_and_training_is_untouched() -> None:
    weights, average, behind = trained("cpu", lambda step: step)
    expected = by_hand(copied(network()), behind, 0.5)
    for name, value in average.items():
        if name.endswith("num_batches_tracked"):
            assert value == weights[name] == 12, "a count is no mean"
        else:
            torch.testing.assert_close(value.double(), expected[name], rtol=1e-5, atol=1e-7)
            assert not torch.equal(value, weights[name])


def test_early_averages_forget_the_initial_weights() -> None:
    left = 1.0
    for step in range(1, 21):
        left *= decay_at(step, 0.9999)
    assert left < 1e-6
    assert decay_at(1, 0.9999) == 0.1
    assert decay_at(10**6, 0.9999) == 0.9999
    assert decay_at(81, 0.9) == decay_at(10**6, 0.9) == 0.9
    assert decay_at(80, 0.9) < 0.9


def test_recorded_steps_keep_what_they_hold() -> None:
    """A stand-in for the recorder runs the function again; see the next test for the real one."""

    def recorded(step: Callable[[Tensor, Tensor], Outcome]) -> GraphedStep:
        return GraphedStep(step, record=lambda again: again, warm_up=lambda again: again())

    plain, replayed = trained("cpu", lambda step: step), trained("cpu", recorded)
    for one, other in zip(plain[:2], replayed[:2], strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_recorded_steps_on_a_gpu() -> None:
    plain = trained("cuda", lambda step: step)
    replayed = trained("cuda", lambda step: GraphedStep(step, record_cuda, warm_up_cuda))
    for one, other in zip(plain[:2], replayed[:2], strict=True):
        for name in one:
            torch.testing.assert_close(one[name], other[name])


def test_what_is_in_place_already_stays() -> None:
    model, kept = network(), network()
    average = Average(model, kept, 0.9)
    with torch.no_grad():
        model[0].weight.zero_()
    average.exchange()
    with average.in_place():
        assert model[0].weight.any()
    assert average.exchanged
    average.exchange()
    assert not model[0].weight.any()
