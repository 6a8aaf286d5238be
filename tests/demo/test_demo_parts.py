"""What the page is made of, without a browser."""

import socket
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import Command, assert_two_lines
from data.tiny import fashion_files, real_data, real_root, write_facade, write_png_header
from demo.models import write_models
from fashseg.data.sources import SOURCES
from fashseg.demo import __main__ as demo
from fashseg.demo.examples import make_examples
from fashseg.demo.labelling import about, label
from fashseg.demo.ports import claim
from fashseg.demo.uploads import MOST_BYTES, check_size, uploaded
from fashseg.predicting.pictures import BadPictureError
from fashseg.predicting.predictor import Predictor
from fashseg.trained import load_trained

FACADES, GARMENTS = SOURCES["facade"].info, SOURCES["fashion_mnist"].info


@pytest.fixture(scope="module")
def predictors(tmp_path_factory: pytest.TempPathFactory) -> list[Predictor]:
    """A segmenter and a classifier."""
    paths = write_models(tmp_path_factory.mktemp("models"))
    return [Predictor(load_trained(model=str(path))) for path in paths]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["run=nope"], ["nope", "is no run folder"]),
        (["model=nope"], ["model=nope is neither"]),
        (["model=nope.safetensors"], ["there is no such file"]),
        (["model={a:1}"], ["is neither a name nor a list of names"]),
        (["model=[]"], ["is neither a name nor a list of names"]),
        (["run='~nobody_here/r'"], ["there is no such user"]),
        (["port=0"], ["port=0", "at least 1"]),
        (["port=x"], ["port=x"]),
        (["ports=1"], ["Did you mean port?"]),
        (["-m", "port=1,2"], ["Leave out -m"]),
        (["trainer.devices=2", "model=m.safetensors"], ["one device"]),
        (["root=nope", "model=m.safetensors"], ["root=nope", "no such folder"]),
    ],
    ids=lambda value: " ".join(value)[:30],
)
def test_bad_options_are_told_in_two_lines(words: list[str], parts: list[str], run: Command, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").touch()
    assert_two_lines(run("demo", *words), *parts)


def test_a_port_that_is_taken_is_told_or_left_out(run: Command, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").touch()
    with claim(None) as held:
        port = held.getsockname()[1]
        assert_two_lines(run("demo", "model=m.safetensors", f"port={port}"), f"port={port} is taken", "port=null")
        with claim(None) as other:
            assert other.getsockname()[1] > port
        assert held.getsockname()[0] == "127.0.0.1"
    with claim(port) as again, socket.create_connection(("127.0.0.1", port), 5):  # who comes early waits
        assert again.getsockname()[1] == port


def test_without_gradio_the_way_to_it_is_told(run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").touch()

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(demo, "version", missing)
    assert_two_lines(run("demo", "model=m.safetensors"), "not installed", "pip install 'fashseg[demo]'")
    monkeypatch.setattr(demo, "version", lambda _name: "5.49.1")
    assert_two_lines(run("demo", "model=m.safetensors"), "gradio 5.49.1 is installed", "pip install 'fashseg[demo]'")


def test_nothing_but_uploads_is_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    for path in ("/etc/passwd", folder / ".." / "x.png", "", None):
        with pytest.raises(BadPictureError, match="was not uploaded"):
            uploaded({"path": path}, folder)
    assert uploaded({"path": folder / "x.png", "orig_name": "a\x1b.png"}, folder) == (folder / "x.png", "a\\x1b.png")


def test_what_is_too_large_is_refused_by_its_head(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    write_png_header(path, 10_000)
    with pytest.raises(BadPictureError, match="10,000×10,000 pixels, more than 64 million"):
        check_size(path)
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(BadPictureError, match="more than 50 MB"):
        check_size(path)
    with pytest.raises(BadPictureError, match="can't be read"):
        check_size(tmp_path / "none.png")


def test_names_are_text_and_never_markup(predictors: list[Predictor], tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.fromarray(np.arange(900, dtype=np.uint8).reshape(30, 30)).save(path)
    for predictor in predictors:
        html = label(predictor, path, '<script>"${1}{{2}}', None, None).html
        assert "<script>" not in html
        assert "&lt;script&gt;&#34;${1}{{2}}" in html


def test_what_was_done_to_a_garment_is_told_and_can_be_switched(predictors: list[Predictor], tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    pixels = np.full((80, 80), 255, np.uint8)
    pixels[20:60, 30:50] = 40
    Image.fromarray(pixels).save(path)
    assert "were exchanged, and it was cut" in label(predictors[1], path, "x", None, None).html
    assert "left as they are, and it was not cut" in label(predictors[1], path, "x", False, False).html
    assert "trained on drawn pictures alone" in about(predictors[0])
    assert "trained on drawn pictures alone" not in about(predictors[1])


def test_a_mask_has_the_size_of_its_picture(predictors: list[Predictor], tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    Image.new("RGB", (1300, 70), "navy").save(path)
    mask = label(predictors[0], path, "x", None, None).mask
    assert mask is not None
    (tmp_path / "mask.png").write_bytes(mask)
    with Image.open(tmp_path / "mask.png") as image:
        assert (image.mode, image.size) == ("P", (1300, 70))


def test_examples_are_test_images_where_they_are_at_hand(tmp_path: Path) -> None:
    root, folder = tmp_path / "data", tmp_path / "examples"
    folder.mkdir()
    drawn = make_examples([FACADES, GARMENTS], root, folder)
    assert [example.drawn for example in drawn] == [True] * 6
    assert make_examples([GARMENTS], root, folder)[0].task == "classification"
    write_facade(root, n_test=45)
    raw = root / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in fashion_files().items():
        (raw / name).write_bytes(content)
    there = make_examples([FACADES, GARMENTS], root, folder)
    assert [example.drawn for example in there] == [False] * 6
    for example in there:
        Image.open(example.path).verify()
    for path in (root / "facade" / "test_dev").glob("*.jpg"):
        path.write_bytes(b"damaged")
    (raw / "t10k-images-idx3-ubyte.gz").write_bytes(b"\x1f\x8b damaged")
    assert all(example.drawn for example in make_examples([FACADES, GARMENTS], root, folder))


@real_data("facade")
def test_examples_of_the_real_data(tmp_path: Path) -> None:
    assert not any(example.drawn for example in make_examples([FACADES, GARMENTS], real_root(), tmp_path))
