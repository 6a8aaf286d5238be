"""The programs that the project is held against do the same work."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from amounts import SLOW, amount
from bench import fastest_facade, fastest_fashion, generated, plain_facade, plain_fashion
from bench.fast_loop import Defaults
from bench.roots import yardstick_root
from bench.setting import Setting
from bench.side_by_side import compare_training, training_sizes
from conftest import TINY_CNN
from fashseg import config as cfg
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.data.sources import SOURCES
from fashseg.models import build_model

BATCHES = amount(20, 200)  # of a quick comparison
LOOPS: dict[str, tuple[Defaults, Callable[[list[str]], None], Callable[[], nn.Module]]] = {
    "cnn": (fastest_fashion.DEFAULTS, fastest_fashion.main, plain_fashion.make_network),
    "segnet": (fastest_facade.DEFAULTS, fastest_facade.main, plain_facade.make_network),
}


def last_json(text: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
    return content


@pytest.mark.parametrize("model", LOOPS)
def test_the_fastest_loop_has_the_projects_defaults(model: str) -> None:
    defaults = LOOPS[model][0]
    run = check(cfg.Train, compose("train", [f"model={model}"]))
    assert defaults.model == run.model
    assert defaults.data == run.data.name
    assert defaults.batch_size == run.batch_size
    assert defaults.eval_batch_size == run.eval_batch_size
    assert defaults.weight_decay == run.optimizer.weight_decay
    assert defaults.lr == run.optimizer.lr
    assert defaults.eval_train == run.eval_train
    assert (run.optimizer.name, run.scheduler.name, run.augment.name) == ("adam", "none", "none")


@pytest.mark.parametrize("model", LOOPS)
def test_the_plain_network_is_the_projects(model: str) -> None:
    defaults, _, make_network = LOOPS[model]
    info = SOURCES[defaults.data].info
    plain, own = make_network(), build_model(defaults.model, info.shape, len(info.class_names))
    with torch.no_grad():
        for mine, theirs in zip(own.parameters(), plain.parameters(), strict=True):
            mine.copy_(theirs)
        images = torch.randn(2, *info.shape)
        torch.testing.assert_close(own(images), plain(images), rtol=1e-4, atol=1e-5)


def test_the_fastest_loop_learns(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["nowhere", "--data", "synthetic_fashion", "--epochs", "4", "--device", "cpu", "--batch-size", "32"]
    fastest_fashion.main(words)
    found = last_json(capfd.readouterr().out)
    assert found["images"] == 900
    assert len(found["epoch_seconds"]) == 4
    accuracy = float(found["text"].partition("accuracy ")[2].partition(",")[0])
    assert accuracy > 0.5


def test_the_fastest_segmenter_scores_what_the_project_scores(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = partial(cfg.Synthetic, train_images=20, test_images=1)  # of the thousand, which take half a minute to draw
    monkeypatch.setitem(cfg.CHOICES["data"], "synthetic_facade", few)
    words = ["--data", "synthetic_facade", "--epochs", "1", "--device", "cpu", "--batches", "2", "--eval-train", "1"]
    fastest_facade.main(["nowhere", *words])
    found = last_json(capfd.readouterr().out)
    assert found["images"] == 2 * fastest_facade.DEFAULTS.batch_size
    for score in ("loss", "accuracy", "IoU", "by logits", "by softmax"):
        assert score in found["text"]


def test_generated_images_are_the_same_in_pieces_and_as_a_whole() -> None:
    options = cfg.Synthetic("synthetic_fashion", train_images=generated.PIECE + 50, test_images=30)
    whole = generated.read(options)
    for part, pieces in zip(whole, generated.pieces(options), strict=True):
        images, targets = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
        assert np.array_equal(part.images, images)
        assert np.array_equal(part.targets, targets)
    assert set(np.unique(whole[0].targets)) == set(range(10))


def test_the_project_is_clocked_around_all_of_fit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from bench import project

    monkeypatch.chdir(tmp_path)
    found = project.train([*TINY_CNN, "logger=none"])
    assert found["images"] == 270  # a tenth validates
    assert len(found["epoch_seconds"]) == 2
    assert 0 < found["step_seconds"] < sum(found["epoch_seconds"])


@pytest.mark.sampled
@pytest.mark.skipif(not SLOW, reason="make test-slow")
def test_a_quick_comparison_on_the_real_data(real_data: Path) -> None:
    with yardstick_root(real_data) as plain_root:
        size = replace(training_sizes(quick=True)[0], few=(BATCHES, 0.025, 1))
        text, found = compare_training(size, Setting(real_data, plain_root, rounds=1))
    assert list(found) == ["project", "fastest_fashion", "plain_fashion", "lightning_fashion"]
    images = {name: children[0].result["images"] for name, children in found.items()}
    assert set(images.values()) == {BATCHES * 64}, "all sides train on as many images"
    epochs = {name: len(children[0].result["epoch_seconds"]) for name, children in found.items()}
    assert set(epochs.values()) == {2}, "and as often"
    assert all(f"project : {name}" in text for name in list(found)[1:])
