"""The table of layers against figures counted by hand."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from conftest import TINY_CNN
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.config import Train
from fashseg.data.sources import SOURCES
from fashseg.report.layers import gathered
from fashseg.report.network import layers, multiply_adds
from fashseg.tasks import build_task
from fashseg.tasks.base import Task


@pytest.fixture
def task() -> Task:
    return build_task(check(Train, compose("train", list(TINY_CNN))), SOURCES["synthetic_fashion"].info)


def test_layers_of_the_classifier(task: Task) -> None:
    rows = layers(task)
    assert [row["kind"].partition("(")[0] for row in rows] == [
        "Conv2d", "ReLU", "MaxPool2d", "Conv2d", "ReLU", "MaxPool2d", "Flatten", "Linear", "ReLU", "Linear",
    ]  # fmt: skip
    assert rows[0]["output"] == [32, 26, 26]
    assert rows[0]["multiply_adds"] == 26 * 26 * 32 * 9
    assert rows[3]["multiply_adds"] == 11 * 11 * 32 * 32 * 9
    assert rows[7]["multiply_adds"] == 800 * 128
    assert sum(row["parameters"] for row in rows) == sum(p.numel() for p in task.model.parameters()) == 113_386


def test_counting_leaves_nothing_behind(task: Task) -> None:
    layers(task)
    assert not any(module._forward_hooks for module in task.model.modules())


def test_a_layer_that_is_passed_twice_counts_its_weights_once(task: Task) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.same = nn.Conv2d(1, 1, 3, padding=1, bias=False)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.same(self.same(images))

    task.model = Twice()
    first, second = layers(task)
    assert (first["parameters"], second["parameters"]) == (9, 0)
    assert first["multiply_adds"] == second["multiply_adds"] == 28 * 28 * 9


def test_multiply_adds_are_counted_without_a_trace(task: Task) -> None:
    norm = nn.BatchNorm2d(1)
    task.model = nn.Sequential(norm, nn.Flatten(), nn.Linear(784, 10))
    task.train()
    assert multiply_adds(task) == 784 * 10
    assert task.model.training
    assert norm.num_batches_tracked == 0, "what it knows of its images is of training alone"


def test_a_network_that_can_not_be_counted_costs_no_run(task: Task) -> None:
    task.model = nn.Linear(1, 1)  # for which images have another shape
    assert multiply_adds(task) is None


def test_weights_that_belong_to_no_layer_are_counted_and_what_does_nothing_is_not(task: Task) -> None:
    class Embedded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.places = nn.Parameter(torch.zeros(1, 1, 28, 28))
            self.unused = nn.Linear(3, 2, bias=False)
            self.nothing = nn.Identity()
            self.head = nn.Conv2d(1, 1, 3, bias=False)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.head(self.nothing(images + self.places))

    task.model = Embedded()
    head, elsewhere = layers(task)
    assert (head["name"], head["parameters"]) == ("head", 9)
    assert (elsewhere["parameters"], elsewhere["multiply_adds"]) == (28 * 28 + 6, 0)


def test_a_deep_network_is_told_by_its_blocks() -> None:
    names = ["stem", *(f"stages.{stage}.{block}.conv{n}" for stage in range(2) for block in range(3) for n in (1, 2))]
    rows = [
        {"name": n, "kind": "Conv2d", "output": [i], "parameters": 1, "multiply_adds": 2} for i, n in enumerate(names)
    ]
    assert gathered(rows, 13) == rows
    by_block = gathered(rows, 7)
    assert [row["kind"] for row in by_block][:2] == ["Conv2d", "stages.0.0: 2 layers"]
    assert [(row["parameters"], row["multiply_adds"], row["output"]) for row in by_block][1] == (2, 4, [2])
    assert [row["name"] for row in gathered(rows, 3)] == ["stem", "stages.0", "stages.1"]
    (one,) = gathered(rows, 1)
    assert (one["parameters"], one["output"]) == (13, [12])


def test_the_page_of_networks_says_what_they_cost() -> None:
    text = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(model=(cnn|vgg|segnet)\b[^`]*)` \| ([\d,]+) \| ([\d,.]+) \|$", text, re.MULTILINE)
    assert len(rows) >= 7
    for words, name, parameters, millions in rows:
        run = check(Train, compose("train", words.split()))
        task = build_task(run, SOURCES["facade" if name == "segnet" else "fashion_mnist"].info)
        assert f"{sum(weight.numel() for weight in task.model.parameters()):,}" == parameters, words
        assert f"{(multiply_adds(task) or 0) / 1e6:.1f}" == millions, words
