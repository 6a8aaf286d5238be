"""A segmenter sees pictures as large as in training, whatever way they were fitted then; in its exports too."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import Command, results_of
from data.own_folders import write_masks
from fashseg.data.folders.decoding import fitted
from fashseg.data.info import DataInfo
from fashseg.export.example import example
from fashseg.predicting.fitting import size_seen
from fashseg.predicting.predictor import Predictor
from fashseg.trained import load_trained

HALF = ("data.size=32x24", "data.ignore=255", "epochs=1", "page=false", "logger=none", "trainer.accelerator=cpu")
SIZES = {
    ("stretch", (100, 300)): (24, 32),
    ("cover", (100, 300)): (24, 72),
    ("cover", (60, 40)): (48, 32),
    ("contain", (100, 300)): (11, 32),
    ("contain", (60, 40)): (24, 16),
    ("scale", (100, 300)): (20, 60),
}


def info(fit: str) -> DataInfo:
    mean = (0.0, 0.0, 0.0)
    return DataInfo("own", "segmentation", ("a", "b"), (3, 24, 32), mean, mean, fit=fit, short_side=20)


@pytest.mark.parametrize("fit", ["stretch", "cover", "contain"])
def test_pictures_shrunk_in_training_are_shrunk_by_predict(run: Command, tmp_path: Path, fit: str) -> None:
    root = write_masks(tmp_path / "photos", 12, size=(48, 64))
    words = ("data=mask_folder", f"data.root={root}", f"data.fit={fit}", *HALF, "hydra.run.dir=run")
    outcome = run("train", "model=segnet", *words)
    assert outcome.status == 0, outcome.err
    assert results_of(tmp_path / "run")["status"] == "finished"
    predictor = Predictor(load_trained(run="run"))
    path = root / "images" / "photo_003.jpg"
    found = predictor.segment(path)
    assert found.scaled == (24, 32)
    with Image.open(path) as picture:
        pixels, _ = fitted(picture, 24, 32, fit)
    with torch.inference_mode():
        logits = predictor.network(torch.from_numpy(np.array(pixels).transpose(2, 0, 1)[None]))
        expected = torch.nn.functional.interpolate(logits, (48, 64), mode="bilinear")[0].argmax(0).numpy()
    assert (found.mask == expected).mean() > 0.999
    assert len(np.unique(expected)) > 1


@pytest.mark.parametrize(("fit", "size"), SIZES, ids=str)
def test_a_picture_is_seen_at_the_scale_of_training(fit: str, size: tuple[int, int]) -> None:
    assert size_seen(size, info(fit)) == SIZES[fit, size]
    facts = {
        "task": "segmentation",
        "input": {"shape": [1, 3, 24, 32], "size_divisor": 1, "name": "images"},
        "preprocessing": {"fit": fit, "short_side": 20 if fit == "scale" else None, "size": [24, 32]},
        "palette": [],
    }
    text = example("m.onnx", facts)
    assert text
    resized = re.search(r"picture\.resize\((.*)\), numpy", text)
    assert resized
    picture = SimpleNamespace(size=size[::-1], width=size[1], height=size[0])
    width, height = eval(resized[1], {"picture": picture})
    assert (height, width) == SIZES[fit, size]
