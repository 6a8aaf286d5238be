"""Average precision by histogram, against scikit-learn and torchmetrics."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import average_precision_score
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torchmetrics.functional.classification import multiclass_average_precision

from fashseg.metrics import average_precision
from fashseg.metrics.average_precision import (
    HistogramAveragePrecision,
    Ranking,
    average_precision_from_histogram,
    score_histogram,
)
from fashseg.metrics.confusion import mean_of_present

RANKINGS: tuple[Ranking, ...] = ("logits", "softmax")


def by_scikit_learn(logits: Tensor, targets: Tensor, ranking: Ranking) -> Tensor:
    """Average precision (C,) over all pixels; nan for absent classes."""
    scores = logits.float() if ranking == "logits" else logits.float().softmax(1)
    hits = [(targets == c).flatten() for c in range(logits.shape[1])]
    values = [
        average_precision_score(hit, scores[:, c].flatten()) if hit.any() else np.nan for c, hit in enumerate(hits)
    ]
    return torch.tensor(values, dtype=torch.float64)


def ours(logits: Tensor, targets: Tensor, ranking: Ranking = "logits", **settings: Any) -> Tensor:
    histogram = score_histogram(logits, targets, logits.shape[1], ranking=ranking, **settings)
    return average_precision_from_histogram(histogram)


def segmentation(*shape: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Logits (N, C, *) that tell something about labels (N, *) of unequal shares."""
    generator = torch.Generator().manual_seed(seed)
    targets = (torch.rand(shape[0], *shape[2:], generator=generator) ** 2 * shape[1]).long()
    spread = torch.linspace(0.5, 2, shape[1]).view(1, -1, *[1] * len(shape[2:]))
    noise = torch.randn(shape, generator=generator) * spread
    return noise + nn.functional.one_hot(targets, shape[1]).movedim(-1, 1), targets


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


def test_scores_of_all_magnitudes_keep_their_order() -> None:
    magnitudes = torch.logspace(-12, 6, 181)
    scores = torch.cat([-magnitudes.flip(0), torch.zeros(1), magnitudes])
    histogram = score_histogram(torch.stack([scores, -scores], 1), torch.zeros(len(scores), dtype=torch.long), 2)
    # Magnitudes a seventh apart: all but the smallest, below 1e-9, have a bin of their own.
    assert (histogram[0, 1] > 0).sum() > len(scores) - 65
    ranked = average_precision._bin_index(scores, 2**18)
    assert (ranked.diff() >= 0).all()
    assert ranked[0] > 0


def test_absent_classes_are_nan_and_left_out_of_the_mean() -> None:
    logits, _ = segmentation(1, 4, 10, 10)
    targets = torch.ones(1, 10, 10, dtype=torch.uint8)
    targets[0, :3] = 3
    values = ours(logits, targets)
    assert values.isnan().tolist() == [True, False, True, False]
    torch.testing.assert_close(mean_of_present(values), (values[1] + values[3]) / 2)
    assert mean_of_present(values[:1]).isnan()


@pytest.mark.parametrize("ranking", RANKINGS)
@pytest.mark.parametrize(("ignored", "dtype"), [(255, torch.uint8), (-100, torch.int64), (0, torch.int32)])
def test_ignored_pixels_do_not_count(ignored: int, dtype: torch.dtype, ranking: Ranking) -> None:
    logits, targets = segmentation(2, 3, 30, 30)
    targets[:, :9] = ignored
    kept = targets.flatten() != ignored
    pixels = logits.movedim(1, -1).reshape(-1, 3)[kept]
    expected = by_scikit_learn(pixels, targets.flatten()[kept], ranking)
    logits[:, :, :9] = torch.nan if ignored == 255 else 7.0
    actual = ours(logits, targets.to(dtype), ranking, ignore_index=ignored)
    torch.testing.assert_close(actual, expected, atol=1e-4, rtol=0, equal_nan=True)


def test_no_score_from_nan_or_from_labels_out_of_range() -> None:
    logits, targets = segmentation(1, 3, 8, 8)
    for ranking in RANKINGS:
        bad = logits.clone()
        bad[0, 1, 2, 3] = torch.nan
        with pytest.raises(ValueError, match="undefined: some scores are nan"):
            ours(bad, targets, ranking)
    for label in (3, -1, 200):
        bad_targets = targets.clone()
        bad_targets[0, 4, 4] = label
        with pytest.raises(ValueError, match="labels outside 0 to 2"):
            ours(logits, bad_targets)


def test_wrong_arguments_are_refused() -> None:
    logits, targets = segmentation(1, 3, 8, 8)
    with pytest.raises(ValueError, match=r"must be \(N, 4, \*\)"):
        score_histogram(logits, targets, 4)
    with pytest.raises(ValueError, match=r"must be \(N, 3, \*\)"):
        score_histogram(logits, targets[:, :4], 3)
    with pytest.raises(ValueError, match="floating-point logits"):
        score_histogram(logits.long(), targets, 3)
    with pytest.raises(ValueError, match="integer labels"):
        score_histogram(logits, targets.float(), 3)
    with pytest.raises(ValueError, match="logits, softmax, not 'sigmoid'"):
        HistogramAveragePrecision(3, ranking="sigmoid")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bins must be"):
        HistogramAveragePrecision(3, bins=2**23)
    with pytest.raises(ValueError, match="contiguous int64"):
        score_histogram(logits, targets, 3, 64, out=torch.zeros(3, 2, 64))
    with pytest.raises(ValueError, match="int64 histogram"):
        average_precision_from_histogram(torch.zeros(3, 2, 64))


def test_batches_pieces_and_deterministic_mode_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    logits, targets = segmentation(5, 3, 33, 35)
    for ranking in RANKINGS:
        whole = score_histogram(logits, targets, 3, ranking=ranking)
        assert whole[:, :, 0].sum() == 0
        assert whole.sum((1, 2)).tolist() == [targets.numel()] * 3
        metric = HistogramAveragePrecision(3, ranking)
        for some_logits, some_targets in zip(logits.split(2), targets.split(2), strict=True):
            metric.update(some_logits, some_targets)
        assert torch.equal(metric.histogram, whole)
        torch.use_deterministic_algorithms(True)
        try:
            assert torch.equal(score_histogram(logits, targets, 3, ranking=ranking), whole)
        finally:
            torch.use_deterministic_algorithms(False)
    monkeypatch.setattr(average_precision, "_PIECE_SCORES", 5000)
    monkeypatch.setattr(average_precision, "_CPU_CHUNK_SCORES", 100)
    assert torch.equal(score_histogram(logits, targets, 3), score_histogram(logits.flatten(2), targets.flatten(1), 3))
    torch.testing.assert_close(ours(logits, targets, "softmax"), metric.compute(), atol=1e-6, rtol=0)


class LargestAllocation(TorchDispatchMode):
    """Bytes of the largest tensor that an operation made, rather than changed or viewed."""

    def __init__(self, *known: Tensor) -> None:
        super().__init__()
        self.bytes = 0
        self.known = {tensor.untyped_storage().data_ptr() for tensor in known}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.untyped_storage().data_ptr() not in self.known:
            self.bytes = max(self.bytes, result.untyped_storage().nbytes())
        return result


@pytest.mark.parametrize("ranking", RANKINGS)
def test_memory_does_not_grow_with_the_batch(ranking: Ranking) -> None:
    logits, targets = torch.zeros(2, 150, 256, 256), torch.zeros(2, 256, 256, dtype=torch.long)
    histogram = torch.zeros(150, 2, 1024, dtype=torch.long)
    with LargestAllocation(logits, targets, histogram) as seen:
        score_histogram(logits, targets, 150, 1024, ranking, out=histogram)
    assert 0 < seen.bytes <= 10 * 2**20  # the logits take 79 MB


def _score_share(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    rendezvous = f"file://{folder}/rendezvous"
    torch.distributed.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=2)
    logits, targets = segmentation(5, 3, 24, 24)
    share = slice(0, 3) if rank == 0 else slice(3, 5)
    metric = HistogramAveragePrecision(3, bins=4096)
    metric.update(logits[share], targets[share])
    torch.save(metric.compute(), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_with_unequal_shares_score_as_one(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(_score_share, (str(tmp_path),), nprocs=2)
    logits, targets = segmentation(5, 3, 24, 24)
    expected = ours(logits, targets, bins=4096)
    for rank in range(2):
        assert torch.equal(torch.load(tmp_path / f"{rank}.pt", weights_only=True), expected)


def _facades(folder: Path) -> Iterator[tuple[Tensor, Tensor]]:
    for path in sorted(folder.glob("eecs442_*.jpg")):
        image = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)
        yield image / 128 - 1, torch.from_numpy(np.array(Image.open(path.with_suffix(".png"))))


def test_real_facades(real_data: Path) -> None:
    """All test images, scored by a slightly trained segnet."""
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
