"""The models that come with the package, and what their cards say of them."""

import hashlib
import json
import re

import pytest

from data.tiny import real_data, real_root
from fashseg import config as cfg
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.scoring import build_data, score
from fashseg.tasks import build_task
from fashseg.trained import load_trained
from fashseg.which_model import shipped

DATA = {"facade": "facade", "fashion": "FashionMNIST"}


def test_there_is_a_model_for_each_task_and_together_they_are_small() -> None:
    assert {name: load_trained(model=name).info.task for name in shipped()} == {
        "facade": "segmentation",
        "fashion": "classification",
    }
    assert sum(path.stat().st_size for path in shipped().values()) < 2.5e6


@pytest.mark.parametrize("name", ["facade", "fashion"])
def test_a_card_is_of_its_file(name: str) -> None:
    path = shipped()[name]
    card = path.with_suffix(".md").read_text("utf-8")
    trained = load_trained(model=name)
    about = trained.about
    assert hashlib.sha256(path.read_bytes()).hexdigest() in card
    assert f"{path.stat().st_size:,} bytes" in card
    parameters = sum(p.numel() for p in trained.network.model.parameters())
    assert f"{parameters:,} parameters" in card
    assert about["command"] in card
    for name_of_class in trained.info.class_names:
        assert name_of_class in card
    for part in ("val", "test"):
        for figure in re.findall(r"0\.\d+", json.dumps(about["scores"][part] | {"average_precision_softmax": 0})):
            assert f"{float(figure):.4f}" in card, figure


@pytest.mark.parametrize("name", ["facade", "fashion"])
def test_a_card_names_the_recipe_of_a_preset(name: str) -> None:
    trained = load_trained(model=name)
    run = check(cfg.Train, compose("train", [f"experiment={trained.about['preset']}"]))
    network = trained.network.options["model"]
    assert {key: getattr(run.model, key) for key in network} == network
    assert trained.about["seed"] == run.seed
    assert trained.info.name == run.data.name


@pytest.mark.parametrize("name", [pytest.param(name, marks=real_data(folder)) for name, folder in DATA.items()])
def test_a_card_tells_the_truth(name: str) -> None:
    trained = load_trained(model=name)
    words = [f"experiment={trained.about['preset']}", f"data.root={real_root()}"]
    run = check(cfg.Train, compose("train", words))
    task = build_task(run, trained.info)
    task.model.load_state_dict(trained.network.model.state_dict())
    said = trained.about["scores"]["test"]
    found = score(task, build_data(run), "test", cfg.Trainer(accelerator="cpu"))
    if name == "facade":
        assert found["average_precision"] == pytest.approx(said["average_precision"], abs=6e-4)
        assert found["pixel_accuracy"] == pytest.approx(said["pixel_accuracy"], abs=6e-4)
        assert found["iou"]["mean"] == pytest.approx(said["iou"], abs=6e-4)
    else:
        assert found["accuracy"] == pytest.approx(said["accuracy"], abs=3e-4)
        assert found["accuracy_per_class"] == pytest.approx(said["accuracy_per_class"], abs=2e-3)
