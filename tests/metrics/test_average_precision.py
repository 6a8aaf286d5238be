"""Average precision against scikit-learn, over all pixels, both rankings."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import average_precision_score

from fashseg.metrics.average_precision import HistogramAveragePrecision
from fashseg.models.segnet import SegNet

RANKINGS = ("logits", "softmax")


def reference(logits: torch.Tensor, targets: torch.Tensor, ranking: str) -> list[float]:
    scores = logits.float() if ranking == "logits" else logits.float().softmax(1)
    truth = targets.numpy().ravel()
    values = []
    for label in range(logits.shape[1]):
        hit = truth == label
        values.append(float(average_precision_score(hit, scores[:, label].numpy().ravel())) if hit.any() else np.nan)
    return values


def ours(logits: torch.Tensor, targets: torch.Tensor, ranking: str, batch: int = 2) -> list[float]:
    metric = HistogramAveragePrecision(logits.shape[1], ranking=ranking)  # type: ignore[arg-type]
    for i in range(0, len(logits), batch):
        metric.update(logits[i : i + batch], targets[i : i + batch])
    values: list[float] = metric.compute().tolist()
    return values


def learned(scale: float = 1.0, shift: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits that know something about the truth, as those of a network do."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(0, 5, (5, 48, 48), generator=generator)
    targets[targets == 2] = torch.where(torch.rand(int((targets == 2).sum()), generator=generator) < 0.2, 2, 0)
    noise = torch.randn(5, 5, 48, 48, generator=generator)
    return (noise + 1.5 * torch.nn.functional.one_hot(targets, 5).permute(0, 3, 1, 2)) * scale + shift, targets


@pytest.mark.parametrize("ranking", RANKINGS)
@pytest.mark.parametrize(
    ("scale", "shift"), [(1, 0), (0.01, 0), (0.01, 0.1), (30, 0), (1e-3, 0)], ids=lambda value: f"{value:g}"
)
def test_scores_of_any_range_agree_with_scikit_learn(ranking: str, scale: float, shift: float) -> None:
    logits, targets = learned(scale, shift)
    assert ours(logits, targets, ranking) == pytest.approx(reference(logits, targets, ranking), abs=1e-4)


@pytest.mark.parametrize("ranking", RANKINGS)
def test_memory_format_and_batches_do_not_matter(ranking: str) -> None:
    logits, targets = learned()
    plain = ours(logits, targets, ranking, batch=5)
    assert ours(logits.to(memory_format=torch.channels_last), targets, ranking, batch=1) == plain


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_scores_of_low_precision_are_ties_where_they_are_equal(dtype: torch.dtype) -> None:
    logits, targets = learned()
    logits = logits.to(dtype)
    assert ours(logits, targets, "logits") == pytest.approx(reference(logits, targets, "logits"), abs=1e-4)


@pytest.mark.parametrize("ranking", RANKINGS)
def test_constant_scores_give_the_share_of_the_class(ranking: str) -> None:
    _, targets = learned()
    logits = torch.full((5, 5, 48, 48), 0.3)
    shares = (torch.bincount(targets.flatten(), minlength=5).double() / targets.numel()).tolist()
    assert ours(logits, targets, ranking) == pytest.approx(shares, abs=1e-12)


def test_absent_classes_are_nan() -> None:
    logits, targets = learned()
    targets[targets == 3] = 1
    values = ours(logits, targets, "logits")
    assert np.isnan(values).tolist() == [False, False, False, True, False]


def test_infinite_logits_stand_at_the_ends() -> None:
    logits, targets = learned()
    logits[:, 1][targets == 1] = torch.inf
    logits[:2, 4] = -torch.inf
    finite = logits.clamp(-1e30, 1e30)  # scikit-learn takes no infinity
    values = ours(logits, targets, "logits")
    assert values == pytest.approx(reference(finite, targets, "logits"), abs=1e-4)
    assert values[1] == 1


def test_nan_is_never_scored_in_silence() -> None:
    logits, targets = learned()
    logits[0, 2, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="nan"):
        ours(logits, targets, "logits")


def test_deterministic_algorithms_change_nothing() -> None:
    logits, targets = learned()
    before = ours(logits, targets, "softmax")
    torch.use_deterministic_algorithms(True)
    try:
        assert ours(logits, targets, "softmax") == before
    finally:
        torch.use_deterministic_algorithms(False)


def _one_rank(rank: int, port: int, result: str) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
    logits, targets = learned()
    share = slice(0, 3) if rank == 0 else slice(3, 5)
    metric = HistogramAveragePrecision(5)
    metric.update(logits[share], targets[share])
    values = metric.compute()
    if rank == 0:
        torch.save(values, result)
    torch.distributed.destroy_process_group()


def test_two_ranks_with_uneven_shares_score_as_one(tmp_path: Path) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torch.multiprocessing.spawn(_one_rank, (port, str(tmp_path / "ap.pt")), nprocs=2)  # type: ignore[no-untyped-call]
    assert torch.load(tmp_path / "ap.pt", weights_only=True).tolist() == ours(*learned(), "logits")


def test_real_logits_of_all_test_images_agree_with_scikit_learn(real_data: Path) -> None:
    def read(split: str, numbers: range) -> tuple[torch.Tensor, torch.Tensor]:
        stems = [real_data / "facade" / split / f"eecs442_{number:04d}" for number in numbers]
        images = np.stack([np.asarray(Image.open(f"{stem}.jpg")).transpose(2, 0, 1) for stem in stems])
        masks = np.stack([np.asarray(Image.open(f"{stem}.png")) for stem in stems])
        return torch.from_numpy(images).float() / 128 - 1, torch.from_numpy(masks).long()

    torch.manual_seed(0)
    network = SegNet(3, 5)
    optimizer = torch.optim.Adam(network.parameters())
    images, masks = read("train", range(80))
    for i in range(0, 80, 4):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(images[i : i + 4]), masks[i : i + 4]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    images, masks = read("test_dev", range(114))
    with torch.no_grad():
        logits = torch.cat([network(images[i : i + 6]) for i in range(0, 114, 6)])
    for ranking in RANKINGS:
        expected = reference(logits, masks, ranking)
        found = ours(logits, masks, ranking, batch=6)
        print(ranking, "largest difference", max(abs(a - b) for a, b in zip(found, expected, strict=True)))
        assert found == pytest.approx(expected, abs=1e-4)
