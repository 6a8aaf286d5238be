"""Run folders whose configuration asks for more memory or disk than anybody has: refused before any is taken."""

import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from conftest import Command, assert_two_lines, results_of

SIZES = [
    ("cnn", "model.features", 10**9, "no such network can be built"),
    ("cnn", "model.hidden", 10**12, "and the network needs"),
    ("segnet", "model.features", 10**9, "no such network can be built"),
    ("segnet", "model.features", 10**6, "and the network needs"),
]
DATA = [("data.train_images", 10**9), ("data.test_images", 10**12), ("data.train_images", 10**20)]


def change(folder: Path, path: str, value: object) -> None:
    config = OmegaConf.load(folder / "config.yaml")
    OmegaConf.update(config, path, value)
    OmegaConf.save(config, folder / "config.yaml")


@pytest.fixture
def copy(trained_once: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    return lambda model: Path(shutil.copytree(trained_once(model), tmp_path / "r"))


def assert_refused(run: Command, *parts: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for words in (["evaluate", "run=r"], ["report", "run=r", "refresh=true"], ["train", "resume=r", "epochs=3"]):
        assert_two_lines(run(*words), *parts)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000, "kB"


@pytest.mark.parametrize(("model", "path", "value", "reason"), SIZES)
def test_networks_of_any_size(
    copy: Callable[[str], Path], run: Command, model: str, path: str, value: int, reason: str
) -> None:
    change(copy(model), path, value)
    assert_refused(run, ".ckpt can't be loaded", reason)


@pytest.mark.parametrize(("path", "value"), DATA)
def test_drawn_data_of_any_size(copy: Callable[[str], Path], run: Command, path: str, value: int) -> None:
    folder = copy("cnn")
    change(folder, path, value)
    assert_refused(run, "data=synthetic_fashion would take", "data.train_images=")
    assert results_of(folder)["status"] == "finished"
    assert list((folder / "checkpoints").iterdir())


def test_layers_without_end_are_no_option(run: Command) -> None:
    for word in ("model.convs=[1000000000]", "model.widths=[8]"):
        assert_two_lines(run("train", "model=vgg", "model.widths=[8]", "model.convs=[101]", word), "convs", "100")
    assert_two_lines(run("train", "model=unet", "model.convs=1000000000"), "model.convs", "100")
