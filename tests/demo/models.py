"""Files of weights that nobody has trained: what they find is nonsense, but the same each time."""

from pathlib import Path

import torch

from fashseg.checking import check
from fashseg.composing import compose
from fashseg.config import Train
from fashseg.data.sources import SOURCES
from fashseg.tasks import build_task
from fashseg.trained import save_weights


def write_models(folder: Path) -> list[Path]:
    """A segmenter of facades and a classifier of garments."""
    paths = []
    for data, model in (("synthetic_facade", "segnet"), ("fashion_mnist", "cnn")):
        run = check(Train, compose("train", [f"model={model}", f"data={data}"]))
        torch.manual_seed(0)
        paths.append(folder / f"{model}.safetensors")
        save_weights(paths[-1], build_task(run, SOURCES[data].info), {})
    return paths
