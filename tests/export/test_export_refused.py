"""What export refuses, in two lines, and what it leaves alone."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Command, assert_two_lines
from data.tiny import tree
from fashseg.export.plan import SUFFIXES


def test_an_export_of_before_is_replaced_and_nothing_else_is(run: Command, trained_once: Callable[[str], Path]) -> None:
    words = (f"run={trained_once('cnn')}", "output=.")
    for kind, suffix in SUFFIXES.items():
        path = Path(f"cnn{suffix}")
        path.write_text("mine", encoding="utf-8")
        assert_two_lines(run("export", *words, f"format={kind}"), f"cnn{suffix}", "is no export of fashseg")
        assert path.read_text(encoding="utf-8") == "mine"
        path.unlink()
    for _ in range(2):
        assert run("export", *words, "format=all").status == 0
    again = ("export", "model=cnn.safetensors", "format=safetensors", "numbers=int8")
    assert_two_lines(run(*again), "is the model itself")
    assert {path.name for path in Path().iterdir()} == {"run_cnn.py", *(f"cnn{suffix}" for suffix in SUFFIXES.values())}
    Path("run_cnn.py").write_text("mine", encoding="utf-8")
    assert_two_lines(run("export", *words), "run_cnn.py", "is no export of fashseg")


REFUSED = {
    "neither run nor model": ([], ["run= and model= are missing"]),
    "both": (["run=r", "model=m.safetensors"], ["not both"]),
    "no run": (["run=nowhere"], ["nowhere", "no run folder"]),
    "no format": (["run=r", "format=onx"], ["format=onx", "Did you mean onnx?"]),
    "no option": (["run=r", "outptu=x"], ["Did you mean output?"]),
    "no model": (["model=nope"], ["model=nope", "neither"]),
    "no file": (["model=nope.safetensors"], ["there is no such file"]),
    "damaged file": (["model=bad.safetensors"], ["bad.safetensors", "can't be read"]),
    "no folder": (["run=r", "output=no/x.onnx"], ["output=no/x.onnx", "does not exist"]),
    "no folder for several": (["run=r", "format=all", "output=x.onnx"], ["several files"]),
    "another suffix": (["run=r", "output=x.pt2"], ["x.pt2", "x.onnx"]),
    "below a file": (["run=r", "output=bad.safetensors/x.onnx"], ["does not exist"]),
    "no path": (["run=r", f"output={'x' * 5000}"], ["output=", "no path"]),
    "a home of nobody": (["run=r", "output='~no_such_user_x/a.onnx'"], ["there is no such user"]),
    "several": (["run=r", "-m"], ["Leave out -m"]),
}


@pytest.mark.parametrize(("words", "parts"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_said_in_two_lines(
    run: Command, trained_once: Callable[[str], Path], tmp_path: Path, words: list[str], parts: list[str]
) -> None:
    (tmp_path / "r").symlink_to(trained_once("cnn"))
    (tmp_path / "bad.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    before = tree(tmp_path)
    assert_two_lines(run("export", *words), *parts)
    assert tree(tmp_path) == before


def test_a_run_without_weights_or_with_damaged_ones(run: Command, finished: Path) -> None:
    best = finished / "checkpoints" / "best.ckpt"
    best.write_bytes(best.read_bytes()[:-100])
    assert_two_lines(run("export", "run=r", "format=torch"), "best.ckpt can't be loaded")
    best.unlink()
    assert_two_lines(run("export", "run=r", "format=torch"), "best.ckpt does not exist")
    assert not (finished / "export").exists()
    (finished / "export").write_text("", encoding="utf-8")
    assert_two_lines(run("export", "run=r", "checkpoint=last"), "export can't be written to")


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_a_package_that_is_missing(
    run: Command, trained_once: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    words = ("export", f"run={trained_once('cnn')}", "output=.")
    assert_two_lines(run(*words), f"format=onnx needs {package}", "pip install 'fashseg[export]'")
    assert run(*words, "format=safetensors").status == 0
