"""Average precision by histogram, against scikit-learn and torchmetrics."""

import warnings
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pixels import RANKINGS, by_scikit_learn, ours, segmentation
from torch import Tensor, nn
from torchmetrics.functional.classification import multiclass_average_precision

from amounts import amount
from fashseg.metrics.average_precision import (
    HistogramAveragePrecision,
    Ranking,
    average_precision_from_histogram,
)
from fashseg.metrics.confusion import mean_of_present

# What networks put out: (factor, offset) on logits that span about ±8.
NETWORKS = {
    "trained": (1.0, 0.0),
    "confident": (3.0, 0.0),
    "saturated": (30.0, 0.0),
    "barely trained, all within 0.01": (0.0006, 0.0),
    "barely trained, with a bias": (0.0006, 0.1),
    "barely trained, with a large negative bias": (0.0006, -0.5),
    "all but zero": (1e-6, 0.0),
}


@pytest.mark.parametrize("ranking", RANKINGS)
@pytest.mark.parametrize("network", NETWORKS)
def test_agrees_with_scikit_learn(network: str, ranking: Ranking) -> None:
    logits, targets = segmentation(2, 4, 128, 128)
    factor, offset = NETWORKS[network]
    logits = logits * factor + offset
    expected = by_scikit_learn(logits, targets, ranking)
    torch.testing.assert_close(ours(logits, targets, ranking), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("ranking", RANKINGS)
@pytest.mark.parametrize("shape", [(60, 3), (2, 2, 50), (3, 7, 11, 13), (2, 3, 4, 5, 6), (1, 12, 97, 101)])
def test_any_shape(shape: tuple[int, ...], ranking: Ranking) -> None:
    logits, targets = segmentation(*shape, seed=1)
    expected = by_scikit_learn(logits, targets, ranking)
    # Among few pixels, two that share a bin weigh more.
    torch.testing.assert_close(ours(logits, targets, ranking), expected, atol=1e-3, rtol=0)
    channels_last = logits.movedim(1, -1).contiguous().movedim(-1, 1)
    torch.testing.assert_close(ours(channels_last, targets, ranking), expected, atol=1e-3, rtol=0)


def test_softmax_ranks_as_torchmetrics_does() -> None:
    logits, targets = segmentation(2, 3, 32, 32)
    expected = multiclass_average_precision(logits, targets, 3, average=None)
    torch.testing.assert_close(ours(logits, targets, "softmax").float(), expected, atol=1e-4, rtol=0)
    assert (ours(logits, targets, "logits").float() - expected).abs().max() > 0.01  # the two rankings differ


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("factor", [1.0, 0.01])
def test_every_floating_type(dtype: torch.dtype, factor: float) -> None:
    logits, targets = segmentation(2, 4, 64, 64)
    logits = (logits * factor).to(dtype)
    for ranking in RANKINGS:
        expected = by_scikit_learn(logits, targets, ranking)
        torch.testing.assert_close(ours(logits, targets, ranking), expected, atol=1e-4, rtol=0)


def test_tied_scores_are_one_threshold() -> None:
    logits, targets = segmentation(2, 4, 64, 64)
    # Where some scores are not tied, two of those may share a bin.
    all_tied, some_tied = (logits.mul(3).round().div(3), logits.bfloat16()), (logits.clamp(min=0), logits.clamp(-1, 1))
    for tied, tolerance in [(tied, 1e-12) for tied in all_tied] + [(tied, 1e-4) for tied in some_tied]:
        expected = by_scikit_learn(tied, targets, "logits")
        torch.testing.assert_close(ours(tied, targets), expected, atol=tolerance, rtol=0)
    assert (expected - by_scikit_learn(logits, targets, "logits")).abs().max() > 0.01


def test_a_tie_among_other_scores_is_one_threshold() -> None:
    logits, targets = segmentation(2, 4, 128, 128)
    logits[(logits > -0.3) & (logits < 0.7) & (targets % 2 == 0).unsqueeze(1)] = 0.25
    expected = by_scikit_learn(logits, targets, "logits")
    # So few bins that the neighbours of the tied one hold scores too.
    torch.testing.assert_close(ours(logits, targets, bins=2**14), expected, atol=1e-4, rtol=0)


def test_never_beyond_what_some_order_within_the_bins_would_give() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(100):
        counts = (torch.rand(1, 2, 20, generator=generator) ** 5 * 200).long()
        counts[..., 0] = 0
        p, n = counts[0, 1].flip(0).double(), counts[0, 0].flip(0).double()
        hits, misses = p.cumsum(0) - p, n.cumsum(0) - n
        ranks = [torch.arange(1, int(k) + 1) for k in p]
        worst = [((h + i) / (h + f + m + i)).sum() for h, f, m, i in zip(hits, misses, n, ranks, strict=True)]
        best = [((h + i) / (h + f + i)).sum() for h, f, i in zip(hits, misses, ranks, strict=True)]
        tied = (p * (hits + p) / (hits + p + misses + n).clamp(min=1)).unbind()
        value = average_precision_from_histogram(counts)[0] * p.sum()
        assert sum(worst) - 1e-6 <= value <= sum(map(max, best, tied)) + 1e-6


@pytest.mark.parametrize("ranking", RANKINGS)
@pytest.mark.parametrize("value", [0.0, -0.0, 0.3, -1e30])
def test_constant_scores_give_the_share_of_the_class(value: float, ranking: Ranking) -> None:
    targets = torch.tensor([[0, 0, 0, 1, 2, 2, 0, 0]])
    expected = torch.tensor([5, 1, 2], dtype=torch.float64) / 8
    torch.testing.assert_close(ours(torch.full((1, 3, 8), value), targets, ranking), expected)


def test_perfect_and_worst_order() -> None:
    targets = torch.tensor([0, 0, 1, 1])
    first = torch.tensor([4.0, 3.0, -2.0, -3.0])
    expected = torch.tensor([1.0, (1 / 3 + 2 / 4) / 2], dtype=torch.float64)
    torch.testing.assert_close(ours(torch.stack([first, first], 1), targets), expected)


def test_infinite_logits_rank_beyond_all_others() -> None:
    logits, targets = segmentation(1, 3, 40, 40)
    logits[:, 0, :4], logits[:, 1, :7], logits[:, 2, 5:9] = torch.inf, -torch.inf, 1e25
    expected = by_scikit_learn(logits.nan_to_num(posinf=1e30, neginf=-1e30), targets, "logits")
    torch.testing.assert_close(ours(logits, targets), expected, atol=1e-4, rtol=0)
    masked = logits.clamp(max=5)
    expected = by_scikit_learn(masked, targets, "softmax")
    torch.testing.assert_close(ours(masked, targets, "softmax"), expected, atol=1e-4, rtol=0)


def test_absent_classes_are_nan_and_left_out_of_the_mean() -> None:
    logits, _ = segmentation(1, 4, 10, 10)
    targets = torch.ones(1, 10, 10, dtype=torch.uint8)
    targets[0, :3] = 3
    values = ours(logits, targets)
    assert values.isnan().tolist() == [True, False, True, False]
    torch.testing.assert_close(mean_of_present(values), (values[1] + values[3]) / 2)
    assert mean_of_present(values[:1]).isnan()


@pytest.mark.usefixtures("always_class_by_class")
@pytest.mark.parametrize("ranking", RANKINGS)
@pytest.mark.parametrize("network", NETWORKS)
def test_class_by_class_agrees_with_scikit_learn(network: str, ranking: Ranking) -> None:
    test_agrees_with_scikit_learn(network, ranking)


def test_moving_what_is_not_in_use_takes_no_memory() -> None:
    metric = HistogramAveragePrecision(5).to("meta")
    for tensor in (metric.histogram, metric._defaults["histogram"]):
        assert tensor.device.type == "meta"
        assert tensor.untyped_storage().nbytes() <= 8


def test_no_memory_before_the_first_update_and_after_reset() -> None:
    metric = HistogramAveragePrecision(3)
    logits, targets = segmentation(2, 3, 16, 16)
    for _ in range(2):
        assert metric.histogram.untyped_storage().nbytes() <= 8
        metric.update(logits, targets)
        assert metric.histogram.untyped_storage().nbytes() == 16 * 3 * 2**18
        torch.testing.assert_close(metric.compute(), ours(logits, targets))
        metric.reset()
    assert deepcopy(metric).histogram.shape == metric.histogram.shape


def _score_share(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    rendezvous = f"file://{folder}/rendezvous"
    torch.distributed.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=2)
    logits, targets = segmentation(5, 3, 24, 24)
    values = []
    # In the second round one process has no batch at all.
    for bound in (3, 5):
        share = slice(0, bound) if rank == 0 else slice(bound, 5)
        metric = HistogramAveragePrecision(3, bins=4096)
        if len(targets[share]):
            metric.update(logits[share], targets[share])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The ``compute`` method of metric", UserWarning)
            values.append(metric.compute())
    torch.save(values, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_with_unequal_shares_score_as_one(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(_score_share, (str(tmp_path),), nprocs=2)
    logits, targets = segmentation(5, 3, 24, 24)
    expected = ours(logits, targets, bins=4096)
    for rank in range(2):
        for value in torch.load(tmp_path / f"{rank}.pt", weights_only=True):
            assert torch.equal(value, expected)


def _facades(folder: Path) -> Iterator[tuple[Tensor, Tensor]]:
    for path in sorted(folder.glob("eecs442_*.jpg")):
        image = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)
        yield image / 128 - 1, torch.from_numpy(np.array(Image.open(path.with_suffix(".png"))))


@pytest.mark.sampled
def test_real_facades(real_data: Path) -> None:
    """The test images, every fourth in the sample, scored by a slightly trained network."""
    images, targets = map(torch.stack, zip(*_facades(real_data / "facade" / "test_dev"), strict=True))
    assert len(images) == 114
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(
            *(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU()),
            *(nn.ConvTranspose2d(64, 32, 3, stride=2), nn.Conv2d(32, 5, 2)),
        )
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for i in range(0, 40, 4):
        some_images, some_targets = (whole[i : i + 4, ..., :128, :128] for whole in (images, targets))
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(some_images), some_targets.long()).backward()
        optimizer.step()
    images, targets = images[:: amount(4, 1)], targets[:: amount(4, 1)]
    metrics = {ranking: HistogramAveragePrecision(5, ranking) for ranking in RANKINGS}
    batches = []
    for some_images, some_targets in zip(images.split(8), targets.split(8), strict=True):
        with torch.inference_mode():
            batches.append(net(some_images))
        for metric in metrics.values():
            metric.update(batches[-1], some_targets)
    logits = torch.cat(batches)
    for ranking, metric in metrics.items():
        expected = by_scikit_learn(logits, targets, ranking)
        torch.testing.assert_close(metric.compute(), expected, atol=1e-4, rtol=0)
