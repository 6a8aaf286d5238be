"""A plugin as a user writes it: a network, data and a loss, with their choices."""

import sys
from pathlib import Path

from fashseg import plugins, register

PLUGIN = """
from dataclasses import dataclass

from fashseg.register import Data, Loss, Model, option, register_data, register_loss, register_model


@dataclass
class Line(Model):
    scale: float = option(1.0, "of the logits", gt=0)


@dataclass
class Dots(Data):
    images: int = 60


@dataclass
class Power(Loss):
    power: float = 1.0


def line(options, shape, classes):
    from .network import Net

    return Net(shape, classes, options.scale)


def describe(options):
    from fashseg.data.info import DataInfo

    return DataInfo("dots", "classification", ("dark", "light"), (1, 4, 4), (127.0,), (80.0,))


def read(options):
    import numpy as np

    labels = np.arange(options.images) % 2
    images = np.broadcast_to(np.uint8(200) * labels[:, None, None, None].astype(np.uint8), (len(labels), 1, 4, 4))
    return (images, labels), (images[:9], labels[:9])


def power(options, ignore):
    from torch.nn.functional import cross_entropy

    return lambda logits, targets: cross_entropy(logits, targets) ** options.power


register_model("line", Line, line, task="classification")
register_data("dots", Dots, task="classification", describe=describe, read=read)
register_loss("power", Power, power)
"""
NETWORK = """
from torch import nn


class Net(nn.Sequential):
    def __init__(self, shape, classes, scale):
        super().__init__(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], classes))
"""
MODEL = "# @package _global_\ndefaults:\n  - override /data@_global_.data: dots\nmodel:\n  name: line\n  scale: 1.0\n"
DATA = (
    "name: dots\nimages: 60\nroot: data\nsplit: random\nval_share: 0.2\nsplit_seed: 0\nresident: auto\nworkers: null\n"
)
LOSS = "name: power\npower: 1.0\n"
USE = "plugins=[own/plugin.py]"
"""The option that reads it."""

QUICK = ("epochs=2", "batch_size=16", "page=false", "logger=none", "trainer.accelerator=cpu")
"""Options of a short run."""


def write_plugin(folder: Path) -> Path:
    """Write it; returns the folder."""
    files = {"plugin.py": PLUGIN, "network.py": NETWORK, "conf/model/line.yaml": MODEL, "conf/data/dots.yaml": DATA}
    for name, content in {**files, "conf/loss/power.yaml": LOSS}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def as_in_a_new_process() -> None:
    """Forget what plugins have registered."""
    register.forget(list(register.OWN))
    plugins._folders.clear()
    for name in list(sys.modules):
        if name.startswith("fashseg_plugins_of_") or name.partition(".")[0] in ("own", "own_dots"):
            del sys.modules[name]


def change(path: Path, old: str, new: str) -> None:
    """Put a text in the place of another one, which is there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
