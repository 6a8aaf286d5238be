"""The table of layers against figures counted by hand."""

import pytest
import torch
from torch import nn

from conftest import TINY_CNN
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.config import Train
from fashseg.data.sources import SOURCES
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
