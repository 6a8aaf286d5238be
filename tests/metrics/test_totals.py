"""Running loss and accuracy, against the same taken over all samples at once."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

from fashseg.metrics.totals import Totals


def batches(sizes: list[int], *space: int) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [
        (torch.randn(n, 4, *space, generator=generator), torch.randint(4, (n, *space), generator=generator))
        for n in sizes
    ]


@pytest.mark.parametrize("space", [(), (6, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_batches_of_unequal_size_weigh_by_their_samples(space: tuple[int, ...], dtype: torch.dtype) -> None:
    totals = Totals()
    data = batches([8, 8, 3], *space)
    for logits, targets in data:
        logits = logits.to(dtype).requires_grad_()
        totals.update(cross_entropy(logits.float(), targets), logits, targets)
    logits, targets = (torch.cat(parts) for parts in zip(*data, strict=True))
    logits = logits.to(dtype)
    result = totals.compute()
    assert result["loss"].item() == pytest.approx(cross_entropy(logits.float(), targets).item(), abs=1e-6)
    assert result["accuracy"].item() == pytest.approx((logits.argmax(1) == targets).double().mean().item(), abs=1e-12)
    assert not result["loss"].requires_grad


def test_small_losses_are_not_lost_beside_large_ones() -> None:
    totals = Totals()
    for loss in [1e8] + [1.0] * 10:
        totals.update(torch.tensor(loss), torch.eye(2)[:1], torch.tensor([0]))
    assert totals.compute()["loss"].item() == pytest.approx((1e8 + 10) / 11, rel=1e-12)


def test_reset_starts_again_and_shares_of_processes_add_up() -> None:
    (one, one_targets), (two, two_targets) = batches([5, 2])
    whole, share, other = Totals(), Totals(), Totals()
    whole.update(torch.tensor(9.0), one, one_targets)
    whole.reset()
    for totals, logits, targets, loss in (
        (whole, one, one_targets, 1.0),
        (whole, two, two_targets, 4.5),
        (share, one, one_targets, 1.0),
        (other, two, two_targets, 4.5),
    ):
        totals.update(torch.tensor(loss), logits, targets)
    assert whole.compute()["loss"].item() == 2.0
    share.merge_state(other)
    assert share.compute() == whole.compute()


def test_predictions_that_are_known_already_are_not_made_again() -> None:
    logits, targets = batches([3], 6, 5)[0]
    totals, again = Totals(), Totals()
    totals.update(torch.tensor(1.0), logits, targets)
    again.update(torch.tensor(1.0), torch.empty(0), targets, predicted=logits.argmax(1))
    assert totals.compute() == again.compute()


def test_a_batch_of_nothing_adds_nothing() -> None:
    totals, again = Totals(), Totals()
    for logits, targets in batches([4, 0, 3], 6, 5):
        loss = cross_entropy(logits, targets)  # of nothing: nan
        totals.update(loss, logits, targets)
        if len(targets):
            again.update(loss, logits, targets)
    assert totals.compute() == again.compute()
    assert totals.compute()["loss"].isfinite()


class Called(TorchDispatchMode):
    """Names of the operations that ran."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


def test_update_never_waits_for_the_device() -> None:
    logits, targets = batches([8])[0]
    loss = torch.tensor(1.5)
    with Called() as control:
        loss.item()
    with Called() as called:
        Totals().update(loss, logits, targets)
    waits = ("_local_scalar_dense", "nonzero", "bincount")
    assert any(name in call for call in control.names for name in waits)
    assert called.names
    assert not [call for call in called.names if any(name in call for name in waits)]
