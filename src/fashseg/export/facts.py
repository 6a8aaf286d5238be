"""What a file says of its model, so that nobody has to ask."""

from typing import Any

from fashseg import __version__
from fashseg.export.program import INPUT, OUTPUT
from fashseg.models import divisor
from fashseg.trained import Trained

_CHANNELS = {1: "grey", 3: "RGB", 4: "RGBA"}
# Of a run's results, what tells of the weights; the rest tells of the machine.
_OF_A_RUN = ("data", "seed", "epochs_run", "parameters", "fingerprints", "val", "test")


def describe(trained: Trained) -> dict[str, Any]:
    """Plain values, to be written as JSON: classes, palette, preprocessing, input, output."""
    info = trained.info
    channels, height, width = info.shape
    segments = info.task == "segmentation"
    sides = ["height", "width"] if segments else [height, width]
    return {
        "name": trained.name,
        "task": info.task,
        "class_names": list(info.class_names),
        "palette": list(info.palette),
        "ignore": info.ignore,
        "input": {
            "name": INPUT,
            "shape": ["batch", channels, *sides],
            "type": "float32",
            "values": [0, 255],
            "channels": _CHANNELS.get(channels, f"{channels} channels"),
            "size_divisor": divisor(trained.network.model) if segments else None,
        },
        "output": {
            "name": OUTPUT,
            "shape": ["batch", len(info.class_names), *(sides if segments else [])],
            "type": "float32",
            "meaning": f"one logit a class{' and pixel' * segments}; the label is the index of the largest",
        },
        "preprocessing": {
            "mean": list(info.mean),
            "std": list(info.std),
            "normalisation": "inside: give pixel values of 0 to 255 as they are",
            "fit": info.fit,
            "short_side": info.short_side,
            "size": [height, width],
        },
        "data": info.name,
        "synthetic": info.synthetic,
        "license": _license(trained),
        "fashseg": __version__,
    }


def about_weights(trained: Trained, facts: dict[str, Any], of_a_run: bool) -> dict[str, Any]:
    """What a file of weights says beside its network: there, nothing is inside that normalises."""
    known = {key: value for key, value in trained.about.items() if not of_a_run or key in _OF_A_RUN}
    outside = "outside: the network takes (pixel values of 0 to 255 - mean) / std, channel by channel"
    return {**known, "exported": {**facts, "preprocessing": {**facts["preprocessing"], "normalisation": outside}}}


def _license(trained: Trained) -> str | None:
    found = trained.about.get("license", trained.about.get("licence"))
    return found if isinstance(found, str) else None
