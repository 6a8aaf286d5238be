import pytest
import torch

from fashseg.metrics.totals import Totals


def test_batches_of_uneven_size_weigh_by_their_images() -> None:
    totals = Totals()
    logits, targets = torch.randn(10, 3), torch.randint(0, 3, (10,))
    for part in (slice(0, 7), slice(7, 10)):
        loss = torch.nn.functional.cross_entropy(logits[part], targets[part])
        totals.update(loss, logits[part], targets[part])
    values = totals.compute()
    assert values["loss"].item() == pytest.approx(torch.nn.functional.cross_entropy(logits, targets).item())
    assert values["accuracy"].item() == pytest.approx((logits.argmax(1) == targets).double().mean().item())


def test_accuracy_over_pixels() -> None:
    totals = Totals()
    logits, targets = torch.randn(2, 4, 8, 6), torch.randint(0, 4, (2, 8, 6))
    totals.update(torch.tensor(1.5), logits, targets)
    assert totals.compute()["accuracy"].item() == pytest.approx((logits.argmax(1) == targets).double().mean().item())
