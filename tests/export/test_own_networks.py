"""Networks of every kind and of one's own: what can be exported is, and what can't be trusted is not kept."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from conftest import Command, assert_two_lines
from data.tiny import real_data, real_root
from fashseg import config as cfg
from fashseg.data.info import DataInfo
from fashseg.data.sources import SOURCES
from fashseg.export.comparing import Agreement
from fashseg.export.images import comparison_images
from fashseg.export.program import trace
from fashseg.export.writing import load_onnx, onnx_file
from fashseg.models import BUILDERS
from fashseg.tasks import Task, task_class
from fashseg.trained import load_trained, save_weights

GARMENTS = SOURCES["synthetic_fashion"].info
SEGMENTS = DataInfo("own", "segmentation", ("a", "b", "c"), (2, 40, 24), (100.0, 90.0), (50.0, 60.0))


class Linear(nn.Module):
    """A network of one's own that looks at each pixel."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(channels, classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layer(images)
        return logits.mean((2, 3))


class Random(Linear):
    """It is never twice the same."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images + torch.rand_like(images))


class OneSize(Linear):
    """Written for the batch that it happens to see."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).reshape(len(images), -1)


def register(patch: pytest.MonkeyPatch, kind: type[Linear]) -> None:
    patch.setitem(cfg.CHOICES["model"], "own", cfg.Model)
    patch.setitem(cfg.TASKS["model"], "own", "classification")
    patch.setitem(BUILDERS, "own", lambda _, shape, classes: kind(shape[0], classes))


def saved(options: cfg.Model, info: DataInfo, path: str = "m.safetensors") -> Task:
    """A file of a task whose batch normalisations have seen images."""
    torch.manual_seed(0)
    choices = {
        name: {"name": kind} for name, kind in (("optimizer", "adam"), ("scheduler", "none"), ("augment", "none"))
    }
    words: Any = {**choices, "seed": 0, "model": asdict(options)}
    task = task_class(info.task)(words, info.to_dict())
    task.train()(torch.rand(4, *info.shape) * 255)
    save_weights(Path(path), task.eval(), {"license": "MIT"})
    return task


@pytest.mark.parametrize(
    ("options", "info"),
    [
        (cfg.CHOICES["model"]["resnet"](name="resnet", widths=[4, 8], blocks=[1, 1], squeeze=2), GARMENTS),
        (cfg.CHOICES["model"]["unet"](name="unet", widths=[4, 8, 8]), SEGMENTS),
    ],
    ids=["resnet", "unet"],
)
def test_other_networks(options: cfg.Model, info: DataInfo, run: Command) -> None:
    task = saved(options, info)
    outcome = run("export", "model=m.safetensors", "format=all", "output=m.safetensors")
    assert_two_lines(outcome, "no folder")
    Path("to").mkdir()
    kind = "all" if info is SEGMENTS else "onnx"
    outcome = run("export", "model=m.safetensors", f"format={kind}", "output=to")
    assert outcome.status == 0, outcome.err
    if info is SEGMENTS:
        assert outcome.out.startswith("compared on 10 images of noise: the images of own are not at hand")
        assert "example" not in outcome.out, "Pillow has no pictures of two channels"
        module = torch.export.load("to/m.pt2").module()
        images = torch.rand(3, 2, 8, 20) * 255
        with torch.no_grad():
            torch.testing.assert_close(module(images), task(images), rtol=0, atol=1e-5)
        with pytest.raises(Exception, match=r"4 *\*|divisible|% *4"):
            module(torch.rand(1, 2, 10, 20))
        assert load_trained(model="to/m.safetensors").about["license"] == "MIT"


@pytest.mark.parametrize(
    "options",
    [
        {"norm": "group", "blocks": "separable", "context": "pyramid"},
        {"norm": "none", "blocks": "plain", "context": "dilated"},
    ],
    ids=["pyramid", "dilated"],
)
def test_what_sees_the_whole_image_is_exported_for_images_of_any_size(options: dict[str, str], tmp_path: Path) -> None:
    task = saved(cfg.UNet(name="unet", widths=[4, 8], convs=1, **options), SEGMENTS, str(tmp_path / "m.safetensors"))
    program = trace(task)
    (tmp_path / "m.onnx").write_bytes(onnx_file(program, {}))
    for shape in ((3, 2, 8, 18), (1, 2, 64, 32), (2, 2, 34, 40)):
        images = torch.rand(shape) * 255
        with torch.no_grad():
            expected = task(images)
            for function in (program.module(), load_onnx(tmp_path / "m.onnx")):
                torch.testing.assert_close(function(images), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["onnx", "safetensors"])
def test_a_file_that_disagrees_is_not_kept(kind: str, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, Random)
    saved(cfg.Model("own"), GARMENTS)
    Path("to").mkdir()
    words = ("export", "model=m.safetensors", f"format={kind}", "output=to")
    outcome = run(*words)
    assert outcome.status == 1
    lines = outcome.err.splitlines()
    assert len(lines) == 2
    assert f"format={kind} computes something else" in lines[0]
    assert "at most 0.0001" in lines[0]
    assert not outcome.out
    assert not any(Path("to").iterdir())
    if kind == "safetensors":
        register(monkeypatch, Linear)
        assert run(*words).status == 0
        kept = Path("to/m.safetensors").read_bytes()
        register(monkeypatch, Random)
        assert run(*words).status == 1
        assert Path("to/m.safetensors").read_bytes() == kept, "an earlier export stays as it was"


def test_a_network_for_one_size_of_batch_is_refused_with_the_reason(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, OneSize)
    saved(cfg.Model("own"), GARMENTS)
    outcome = run("export", "model=m.safetensors", "format=torch")
    assert outcome.status == 1
    assert len(outcome.err.splitlines()) == 2
    assert "can't be traced for batches of any size" in outcome.err
    assert "images.shape[0]" in outcome.err
    assert [path.name for path in Path().iterdir()] == ["m.safetensors"]


def test_what_agrees() -> None:
    logits = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    agreement = Agreement()
    agreement.add(logits, logits + torch.tensor([[0.0, 5e-5], [0.0, 0.0]]))
    assert not agreement.wrong("float32")
    assert (agreement.equal, agreement.labels, agreement.largest) == (2, 2, 2.0)
    agreement.add(logits, logits + 0.015)
    assert "at most 0.0001" in agreement.wrong("float32")
    assert not agreement.wrong("float16"), "within 1% of the largest logit"
    agreement.add(torch.tensor([[0.0, 0.005]]), torch.tensor([[0.01, 0.005]]))
    assert "4 of 5 labels" in agreement.wrong("float16")
    agreement.add(logits, logits * float("nan"))
    agreement.add(logits, logits)
    assert "nan" in agreement.wrong("float32"), "what is no number is no agreement"
    assert "nan" in agreement.wrong("float16")


@real_data("facade")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("facade", "90 validation images and 10 training images of facade"),
        ("fashion_mnist", "100 validation images of fashion_mnist"),
    ],
)
def test_real_images_are_compared_on_where_they_are(name: str, told: str) -> None:
    info = SOURCES[name].info
    images, words = comparison_images(info, None, str(real_root()))
    assert images.shape == (100, *info.shape)
    assert images.dtype == torch.uint8
    assert images.float().std() > 30
    assert words == told


def test_images_that_are_not_at_hand_are_drawn_and_it_is_said_why(tmp_path: Path) -> None:
    images, words = comparison_images(SOURCES["fashion_mnist"].info, None, str(tmp_path))
    assert images.shape == (10, 1, 28, 28)
    assert words.startswith("10 images of synthetic_fashion: the images of fashion_mnist are not at hand")
    assert not any(tmp_path.iterdir()), "nothing is downloaded"
