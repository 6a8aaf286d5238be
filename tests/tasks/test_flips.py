"""Scores of images averaged with their mirror images: what they are, and that they stand apart."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score
from torch import Tensor

from conftest import Command, page_of, results_of
from fashseg.checking import check
from fashseg.config import Train
from fashseg.network import averaged_over_flips
from fashseg.record import without_nan
from fashseg.report.loading import load_facts
from fashseg.run import RunFolder
from fashseg.scoring import build_data
from fashseg.tasks import SegmentationTask
from fashseg.trained import load_trained


def test_logits_of_pixels_are_mirrored_back() -> None:
    images = torch.arange(8.0).reshape(1, 1, 2, 4)
    by_column = torch.tensor([0.0, 10, 20, 30])
    assert torch.equal(averaged_over_flips(lambda x: x, images), images)
    assert torch.equal(averaged_over_flips(lambda x: x + by_column, images), images + 15)
    of_images = averaged_over_flips(lambda x: (x * by_column).sum((2, 3)), images)
    assert torch.equal(of_images, (images * 15).sum((2, 3)))


def by_hand(folder: Path, part: str) -> tuple[dict[str, float], float]:
    """Main score by class, and the cross-entropy."""
    data = build_data(check(Train, RunFolder(folder).read_config()))
    data.setup()
    images, targets = data.part(part).batch(list(range(len(data.part(part)))))
    network = load_trained(run=str(folder)).network
    with torch.inference_mode():
        one, other = network(images), network(images.flip(3))
    logits = (one + (other if one.ndim == 2 else other.flip(3))) / 2
    loss = torch.nn.functional.cross_entropy(logits, targets).item()
    scores = {}
    for label, name in enumerate(network.info.class_names):
        of_class = (targets == label).numpy()
        if logits.ndim == 2:
            right = (logits.argmax(1) == label).numpy()[of_class]
            scores[name] = right.mean().item() if len(right) else math.nan
        else:
            scores[name] = float(average_precision_score(of_class.ravel(), logits[:, label].numpy().ravel()))
    return scores, loss


def test_evaluate_scores_flips_beside_the_scores_of_one_look(finished: Path, run: Command) -> None:
    before = results_of(finished)
    outcome = run("evaluate", "run=r", "flips=true", "split=val")
    assert outcome.status == 0, outcome.err
    kept = json.loads((finished / "evaluate_val_best.json").read_text(encoding="utf-8"))
    assert kept["val"] == before["val"], "what stands beside published figures stays"
    assert results_of(finished) == before
    flips = kept["flips"]["val"]
    scores, loss = by_hand(finished, "val")
    by_class = flips["accuracy_per_class" if before["task"] == "classification" else "average_precision"]
    by_class = {name: math.nan if score is None else score for name, score in by_class.items()}
    mean = by_class.pop("mean", flips.get("accuracy"))
    assert by_class == pytest.approx(scores, abs=1e-5, nan_ok=True)
    assert flips["loss"] == pytest.approx(loss, rel=1e-5)
    assert flips != kept["val"], "these networks see a side"
    (line,) = [line for line in outcome.out.splitlines() if "mirror" in line]
    assert f"val {mean:.3f}" in line


@pytest.mark.usefixtures("undrawn")
def test_a_run_keeps_and_shows_them_apart(trained_once: Callable[..., Path], run: Command, tmp_path: Path) -> None:
    plain = results_of(trained_once("cnn"))
    words = [word for word in plain["overrides"] if not word.startswith(("hydra.run.dir", "notes"))]
    outcome = run("train", *words, "hydra.run.dir=r", "score_flips=true")
    assert outcome.status == 0, outcome.err
    folder = tmp_path / "r"
    results = results_of(folder)
    assert {part: results[part] for part in ("val", "test")} == {part: plain[part] for part in ("val", "test")}
    assert set(results["flips"]) == {"val", "test"}
    by_class = without_nan(by_hand(folder, "test")[0])
    assert by_class == pytest.approx(results["flips"]["test"]["accuracy_per_class"], abs=1e-6)
    said = {part: results["flips"][part]["accuracy"] for part in ("val", "test")}
    (line,) = [line for line in outcome.out.splitlines() if "mirror" in line]
    assert f"val {said['val']:.3f}, test {said['test']:.3f}" in line
    sentence = f"mirror image: {100 * said['test']:.1f}% on test images and {100 * said['val']:.1f}% on validation"
    assert sentence in page_of(folder)


def test_flips_of_another_shape_are_no_scores(finished: Path) -> None:
    results = results_of(finished)
    assert load_facts(RunFolder(finished)).missing == []
    for flips in (3, {"val": 3}, {"test": {**results["test"], "accuracy": "<b>", "average_precision": {"mean": 7}}}):
        (finished / "results.json").write_text(json.dumps({**results, "flips": flips}), encoding="utf-8")
        facts = load_facts(RunFolder(finished))
        assert not facts.results["flips"]
        (why,) = facts.missing
        assert "with mirror images" in why
        assert set(facts.scored) == {"val", "test"}, "the others stay"


def test_pixels_that_count_for_nothing_do_so_in_both_looks() -> None:
    info = {
        "name": "x",
        "task": "segmentation",
        "class_names": ("a", "b"),
        "shape": (3, 8, 8),
        "mean": (0.0, 0.0, 0.0),
        "std": (1.0, 1.0, 1.0),
        "ignore": 255,
    }
    choices: dict[str, Any] = {group: {"name": name} for group, name in (("augment", "none"), ("scheduler", "none"))}
    options = {"model": {"name": "segnet"}, "optimizer": {"name": "adam"}, "seed": 0, **choices}
    torch.manual_seed(0)
    task = SegmentationTask(options, info).eval()  # type: ignore[arg-type]
    images = torch.rand(4, 3, 8, 8) * 255
    targets = torch.randint(2, (4, 8, 8))
    targets[:, :, :3] = 255

    def scores(images: Tensor, flips: bool) -> dict[str, Any]:
        task.flips = flips
        with torch.no_grad():
            for two in range(0, 4, 2):
                task.test_step((images[two : two + 2], targets[two : two + 2]), 0)
            task.on_test_epoch_end()
        return task.scores["test"]

    counted = scores(images, flips=True)
    assert np.sum(counted["confusion_matrix"]) == 4 * 8 * 5
    with torch.no_grad():
        logits = averaged_over_flips(task, images)
    left = targets != 255
    expected = average_precision_score((targets == 1)[left].numpy(), logits[:, 1][left].numpy())
    assert counted["average_precision"]["b"] == pytest.approx(expected, abs=1e-5)
    assert scores(images, flips=False) != counted
