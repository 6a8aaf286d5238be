"""What predict refuses: in two lines, and nothing is written."""

import io
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from conftest import Command, assert_two_lines
from data.tiny import tree

Trained = Callable[[str], Path]

BAD = {
    "no input": (["run=cnn"], ["input= is missing"]),
    "no model": (["input=x.png"], ["run= and model= are missing"]),
    "both": (["run=cnn", "model=facade", "input=x.png"], ["not both"]),
    "no such model": (["model=facaed", "input=x.png"], ["model=facaed"]),
    "no such weights": (["model=no.safetensors", "input=x.png"], ["no such file"]),
    "weights that are none": (["model=x.safetensors", "input=x.png"], ["x.safetensors can't be read"]),
    "no run": (["run=empty", "input=x.png"], ["no run folder"]),
    "missing": (["run=cnn", "input=no.png"], ["input=no.png", "no such file"]),
    "one of two missing": (["run=cnn", "x.png", "no.png"], ["input=no.png"]),
    "nothing matches": (["run=cnn", "input=*.tif"], ["input=*.tif", "no picture"]),
    "empty folder": (["run=cnn", "input=empty"], ["input=empty", "no picture"]),
    "no list of paths": (["run=cnn", "input=[{a:1}]"], ["neither a path nor"]),
    "text": (["run=segnet", "input=text.jpg"], ["text.jpg is no picture"]),
    "output is a file": (["run=cnn", "input=x.png", "output=x.png"], ["output=x.png is a file"]),
    "output below a file": (["run=cnn", "input=x.png", "output=x.png/y"], ["x.png is a file"]),
    "output is used": (["run=cnn", "input=x.png", "output=."], ["not empty"]),
    "invert for masks": (["run=segnet", "input=x.png", "invert=true"], ["invert=true", "segmentation"]),
    "trim for masks": (["run=segnet", "input=x.png", "trim=false"], ["trim=false"]),
    "scale of a classifier": (["run=cnn", "input=x.png", "short_side=99"], ["short_side=99"]),
    "windows of a classifier": (["run=cnn", "input=x.png", "tile=200"], ["tile=200 is not for classification"]),
    "likeliest classes of pixels": (["run=segnet", "input=x.png", "top=5"], ["top=5 is not for segmentation"]),
    "no scale": (["run=segnet", "input=x.png", "short_side=0"], ["short_side=0"]),
    "overlap": (["run=segnet", "input=x.png", "tile=64"], ["overlap=96", "tile=64"]),
    "address": (["run=cnn", "input=https://example.org/x.png"], ["on the network", "Download"]),
    "empty word": (["run=cnn", "input="], ["input= is missing"]),
    "devices": (["run=cnn", "input=x.png", "trainer.devices=2"], ["one device"]),
    "sweep": (["-m", "run=cnn", "input=x.png"], ["-m"]),
    "typo": (["run=cnn", "input=x.png", "inverted=true"], ["Did you mean invert?"]),
}


@pytest.mark.parametrize(("words", "parts"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_said_in_two_lines(
    run: Command, trained_once: Trained, tmp_path: Path, words: list[str], parts: list[str]
) -> None:
    Image.new("RGB", (60, 40)).save("x.png")
    for name in ("text.jpg", "x.safetensors"):
        Path(name).write_text("hello", encoding="utf-8")
    Path("empty").mkdir()
    before = tree(tmp_path)
    for model in ("cnn", "segnet"):
        words = [f"run={trained_once(model)}" if word == f"run={model}" else word for word in words]
    assert_two_lines(run("predict", *words), *parts)
    assert tree(tmp_path) == before


def test_an_empty_list_on_standard_input_is_told(
    run: Command, trained_once: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"\n\n")))
    assert_two_lines(run("predict", f"run={trained_once('cnn')}", "input=-"), "standard input names no picture")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to(run: Command, finished: Path) -> None:
    Image.new("RGB", (60, 40)).save("x.png")
    Path("closed").mkdir(mode=0o500)
    assert_two_lines(run("predict", f"run={finished}", "x.png", "output=closed/o"), "can't be written to")
    shutil.rmtree("closed")
