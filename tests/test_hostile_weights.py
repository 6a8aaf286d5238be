"""Files of weights that anybody may have made: refused in two lines, before they take memory or look anything up."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

from fashseg.errors import UserError
from fashseg.trained import digest, load_trained, read_weights, save_weights


@pytest.fixture
def saved(trained_once: Callable[[str], Path], tmp_path: Path) -> Path:
    """The weights of a classifier in a file."""
    path = tmp_path / "mine.safetensors"
    save_weights(path, load_trained(run=str(trained_once("cnn"))).network, {"scores": {"test": 0.5}})
    return path


def refused(path: Path) -> str:
    """What is said of a file that is no model."""
    with pytest.raises(UserError) as error:
        read_weights(path)
    assert len(str(error.value).splitlines()) == 2
    assert str(path) in str(error.value)
    assert "\x1b" not in str(error.value)
    return error.value.what


def metadata_of(path: Path) -> dict[str, str]:
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    texts: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    return texts


def rewrite(path: Path, **texts: str) -> None:
    """Other texts in the file, with the checksum that belongs to them."""
    weights, metadata = load(path.read_bytes()), metadata_of(path) | texts
    path.write_bytes(save(weights, metadata | {"sha256": digest(weights, metadata)}))


def test_a_changed_text_is_a_damaged_file(saved: Path) -> None:
    weights, metadata = load(saved.read_bytes()), metadata_of(saved)
    saved.write_bytes(save(weights, metadata | {"info": metadata["info"].replace("Sandal", "Sandel")}))
    assert "checksum" in refused(saved)
    rewrite(saved, info=metadata["info"].replace("Sandal", "Sandel"))
    assert "Sandel" in read_weights(saved).info.class_names


HOSTILE_MODELS: dict[str, Any] = {
    "large": {"name": "cnn", "features": 10**9},
    "larger": {"name": "cnn", "features": 10**18, "hidden": 10**18},
    "beyond integers": {"name": "cnn", "features": 10**30},
    "many layers": {"name": "vgg", "widths": [8], "convs": [10**9]},
    "many blocks": {"name": "resnet", "widths": [8], "blocks": [10**9]},
    "no stages": {"name": "unet", "widths": []},
    "another": {"name": "segnet"},
    "unknown": {"name": "\x1b[31mresnet-1e9"},
    "a reference": {"name": "cnn", "features": "${oc.env:HOME}"},
    "a list": ["cnn"],
    "a name that is a list": {"name": ["cnn"]},
    "nothing": None,
    "a target": {"_target_": "os.system", "name": "cnn"},
}


@pytest.mark.parametrize("model", HOSTILE_MODELS.values(), ids=HOSTILE_MODELS.keys())
def test_networks_that_do_not_fit_are_not_built(saved: Path, model: Any) -> None:
    rewrite(saved, options=json.dumps({"model": model}))
    assert os.environ["HOME"] not in refused(saved).replace(str(saved), "")


HOSTILE_INFOS: dict[str, dict[str, Any]] = {
    "control characters": {"class_names": ["\x1b[2J", *"abcdefghi"]},
    "one name twice": {"class_names": ["a", "a", *"abcdefgh"]},
    "no text": {"class_names": [1] * 10},
    "a long name": {"class_names": ["x" * 10_000, *"abcdefghi"]},
    "many names": {"class_names": [str(n) for n in range(100_000)]},
    "large images": {"shape": [1, 65_536, 65_536]},
    "huge images": {"shape": [1, 10**30, 28]},
    "flat images": {"shape": [1, 28]},
    "no shape": {"shape": 7},
    "many channels": {"shape": [5000, 10, 10], "mean": [0] * 5000, "std": [1] * 5000},
    "a huge mean": {"mean": [10**400]},
    "no mean": {"mean": []},
    "a deviation of nothing": {"std": [0]},
    "nearly nothing": {"std": [1e-320]},
    "a text": {"std": ["1"]},
    "another task": {"task": "regression"},
    "a task that is a list": {"task": []},
    "colours": {"palette": ["url(x)"] * 10},
    "more": {"more": 1},
    "another fit": {"fit": "crop"},
    "a short side": {"short_side": 10**12},
    "what is left out": {"ignore": -1},
}


@pytest.mark.parametrize("changes", HOSTILE_INFOS.values(), ids=HOSTILE_INFOS.keys())
def test_data_that_can_not_be_is_refused(saved: Path, changes: dict[str, Any]) -> None:
    rewrite(saved, info=json.dumps(json.loads(metadata_of(saved)["info"]) | changes))
    refused(saved)


TEXTS = {
    "deep": "[" * 100_000,
    "deep and closed": "[" * 100_000 + "]" * 100_000,
    "large": '"' + "x" * 2_000_000 + '"',
    "digits": "9" * 100_000,
    "nan": '{"mean": [NaN]}',
    "no JSON": "{'a': 1}",
    "a list": "[]",
    "a number": "1",
    "empty": "",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("name", ["options", "info"])
def test_texts_that_say_nothing_are_refused(saved: Path, name: str, text: str) -> None:
    rewrite(saved, **{name: text})
    refused(saved)


def test_foreign_files_are_refused(saved: Path, tmp_path: Path) -> None:
    weights = load(saved.read_bytes())
    metadata = metadata_of(saved)
    other = tmp_path / "other.safetensors"
    for content in (b"", b"x" * 100, b"\xff" * 8 + b"{}", save({"a": torch.zeros(2)}), save({}), b"PK\x03\x04" * 100):
        other.write_bytes(content)
        refused(other)
    other.write_bytes(save(weights, metadata | {"fashseg": "2"}))
    assert "format 1" in refused(other)
    other.write_bytes(save(weights, {name: text for name, text in metadata.items() if name != "sha256"}))
    assert "sha256" in refused(other)
    name = next(iter(weights))
    for changed in (
        {key: value for key, value in weights.items() if key != name},
        weights | {"more": torch.zeros(1)},
        weights | {name: weights[name][:1].clone()},
        weights | {name: weights[name][None]},
        weights | {name: weights[name].to(torch.int32)},
    ):
        other.write_bytes(save(changed, metadata))
        rewrite(other)
        assert "can't be used" in refused(other)
    missing = tmp_path / "nowhere.safetensors"
    assert "does not exist" in refused(missing)
    (tmp_path / "folder.safetensors").mkdir()
    assert "regular" in refused(tmp_path / "folder.safetensors")
    os.mkfifo(tmp_path / "pipe.safetensors")
    assert "regular" in refused(tmp_path / "pipe.safetensors")
