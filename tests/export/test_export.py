"""Exports of finished runs: what the files compute, and what they say."""

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor

from conftest import Command, assert_two_lines
from fashseg.data.sources import SOURCES
from fashseg.export import __main__ as export
from fashseg.export.example import example
from fashseg.export.plan import SUFFIXES
from fashseg.trained import Trained, load_trained


class Export(NamedTuple):
    """What ``format=all`` of a finished run has left."""

    trained: Trained
    folder: Path
    out: str
    err: str

    def path(self, kind: str) -> Path:
        return self.folder / f"{self.trained.name}{SUFFIXES[kind]}"

    @property
    def program(self) -> Path:
        return self.folder / f"run_{self.trained.name}.py"


@pytest.fixture(scope="module", params=["cnn", "segnet"])
def exported(
    request: pytest.FixtureRequest, trained_once: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Export:
    run, folder = trained_once(request.param), tmp_path_factory.mktemp("a folder of mine")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert export.main([f"run={run}", "format=all", f"output='{folder}'"]) == 0
    return Export(load_trained(run=str(run)), folder, out.getvalue(), err.getvalue())


def onnx_function(path: Path) -> Callable[[Tensor], Tensor]:
    session = onnxruntime.InferenceSession(path)
    return lambda images: torch.from_numpy(session.run(["logits"], {"images": images.numpy()})[0])


def sizes(trained: Trained) -> list[tuple[int, ...]]:
    if trained.info.task == "classification":
        return [(1, 1, 28, 28), (7, 1, 28, 28)]
    return [(1, 3, 256, 256), (3, 3, 30, 58), (2, 3, 100, 4)]


@pytest.mark.parametrize("kind", SUFFIXES)
def test_files_compute_what_the_model_does_for_any_batch_and_size(exported: Export, kind: str) -> None:
    functions: dict[str, Callable[[Path], Callable[[Tensor], Tensor]]] = {
        "onnx": onnx_function,
        "torch": lambda path: torch.export.load(path).module(),
        "safetensors": lambda path: load_trained(model=str(path)).network,
    }
    function = functions[kind](exported.path(kind))
    for size in sizes(exported.trained):
        images = torch.randint(0, 256, size, generator=torch.Generator().manual_seed(len(size))).float()
        with torch.no_grad():
            found, wanted = function(images), exported.trained.network(images)
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)


def facts(exported: Export, kind: str) -> dict[str, Any]:
    path = exported.path(kind)
    if kind == "onnx":
        text = {entry.key: entry.value for entry in onnx.load(path).metadata_props}["fashseg"]
    elif kind == "torch":
        found: dict[str, Any] = {"fashseg.json": ""}
        torch.export.load(path, extra_files=found)
        text = found["fashseg.json"]
    else:
        with safe_open(path, "pt") as file:
            about: dict[str, Any] = json.loads(file.metadata()["about"])
        assert "test" in about, "its scores go with the weights"
        assert "git" not in about, "and nothing of the machine"
        text = json.dumps(about["exported"])
    content: dict[str, Any] = json.loads(text)
    return content


@pytest.mark.parametrize("kind", SUFFIXES)
def test_files_say_what_their_model_is(exported: Export, kind: str) -> None:
    said, info = facts(exported, kind), exported.trained.info
    assert said["class_names"] == list(info.class_names)
    assert said["palette"] == list(info.palette)
    assert said["task"] == info.task
    assert said["preprocessing"]["mean"] == list(info.mean)
    assert said["preprocessing"]["fit"] == info.fit
    assert said["preprocessing"]["short_side"] == info.short_side
    assert said["preprocessing"]["normalisation"].startswith("outside" if kind == "safetensors" else "inside")
    assert said["input"]["size_divisor"] == (2 if info.task == "segmentation" else None)
    assert said["synthetic"] is True


def test_the_onnx_file_is_sound_and_its_axes_are_named(exported: Export) -> None:
    model = onnx.load(exported.path("onnx"))
    onnx.checker.check_model(model, full_check=True)
    assert [entry.version for entry in model.opset_import] == [18]
    shapes = [
        [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    ]
    if exported.trained.info.task == "segmentation":
        assert shapes == [["batch", 3, "height", "width"], ["batch", 5, "height", "width"]]
    else:
        assert shapes == [["batch", 1, 28, 28], ["batch", 10]]


def test_nothing_of_this_machine_is_in_the_files(exported: Export) -> None:
    for path in exported.folder.iterdir():
        content = path.read_bytes()
        for part in (Path(torch.__file__).parents[1], Path(export.__file__).parents[2], exported.folder):
            assert str(part).encode() not in content, path


def test_what_is_told(exported: Export) -> None:
    assert exported.err == ""
    lines = exported.out.splitlines()
    assert lines[0] == f"compared on 10 images of {exported.trained.info.name}"
    assert [line.split()[0] for line in lines[1:7:2]] == list(SUFFIXES)
    for line in lines[2:7:2]:
        words = line.split()
        assert words[:2] == ["largest", "difference"]
        assert float(words[2]) <= 1e-4
    assert exported.out.endswith(exported.program.read_text(encoding="utf-8"))
    names = {*(exported.path(kind).name for kind in SUFFIXES), exported.program.name}
    assert {path.name for path in exported.folder.iterdir()} == names


# What a program can't do where torch and fashseg are not installed.
WITHOUT_TORCH = """
import runpy, sys
sys.modules.update(dict.fromkeys(("torch", "torchvision", "pytorch_lightning", "fashseg", "onnx")))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_the_example_of_ten_lines_needs_no_torch(exported: Export, tmp_path: Path) -> None:
    source = SOURCES[exported.trained.info.name]
    assert source.pieces is not None
    options: Any = type("Options", (), {"train_images": 1, "test_images": 1, "draw_seed": 3})
    (piece,) = source.pieces(options)[1]
    pixels = piece.images[0].transpose(1, 2, 0)
    segments = exported.trained.info.task == "segmentation"
    # A facade of the scale that it was trained on, upright; a garment as it is.
    picture = Image.fromarray(pixels if segments else pixels[..., 0])
    picture = picture.resize((286, 386)) if segments else picture
    picture.save(tmp_path / "picture.png")
    code = [line for line in exported.program.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert len(code) <= 10
    words = [str(exported.program), "picture.png", *(["mask.png"] if segments else [])]
    command = [sys.executable, "-c", WITHOUT_TORCH, *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    images = torch.from_numpy(np.array(picture).reshape(*picture.size[::-1], -1)).permute(2, 0, 1)[None]
    with torch.no_grad():
        logits = exported.trained.network(images)[0]
    if segments:
        with Image.open(tmp_path / "mask.png") as mask:
            assert np.array_equal(np.asarray(mask), logits.argmax(0).numpy())
            palette = mask.getpalette()
        assert palette is not None
        assert palette[3:6] == [0, 128, 255]
    else:
        name, share = done.stdout.splitlines()[0].rsplit(" ", 1)
        assert name == exported.trained.info.class_names[int(logits.argmax())]
        assert float(share) == pytest.approx(float(logits.softmax(0).max()), abs=1e-3)


def test_no_name_of_a_file_becomes_code(exported: Export) -> None:
    name = "a\nimport 'os'\x1b\udc80.onnx"
    text = example(name, facts(exported, "onnx"))
    assert text is not None
    assert text.replace("\n", "").isprintable()
    header, *code = text.splitlines()
    assert len(code) == 10
    assert header.startswith("#")
    assert repr(name) in code[2]


def test_weights_in_float16_are_half_as_large_and_label_the_same(
    run: Command, trained_once: Callable[[str], Path]
) -> None:
    words, path = ("export", f"run={trained_once('cnn')}", "output=."), Path("cnn.safetensors")
    assert run(*words, "format=safetensors").status == 0
    whole = path.stat().st_size
    outcome = run(*words, "format=safetensors", "numbers=float16")
    assert outcome.status == 0, outcome.err
    weights = sum(value.numel() for value in load_trained(model=str(path)).network.model.state_dict().values())
    assert whole - path.stat().st_size == pytest.approx(2 * weights, rel=0.01)
    assert_two_lines(run(*words, "format=torch", "numbers=float16"), "numbers=float16", "format=safetensors")
