"""The program beside an ONNX file: ten lines that run it with onnxruntime, NumPy and Pillow alone."""

import shlex
from typing import Any

from fashseg.export.plan import FIRST_LINE, KEY
from fashseg.text import printable

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def example(file: str, facts: dict[str, Any]) -> str | None:
    """Its text; None where Pillow knows no such pictures.

    Args:
        file: name of the ONNX file, in the folder of the program.
        facts: what the file says of its model.
    """
    mode = _MODES.get(facts["input"]["shape"][1])
    if mode is None:
        return None
    segments = facts["task"] == "segmentation"
    lines = [
        "import json, pathlib, sys, numpy, onnxruntime",
        f"from PIL import Image{'' if segments else ', ImageOps'}",
        f"session = onnxruntime.InferenceSession(pathlib.Path(__file__).with_name({file!r}))",
        f'facts = json.loads(session.get_modelmeta().custom_metadata_map["{KEY}"])',
        f'picture = Image.open(sys.argv[1]).convert("{mode}")',
        *(_segmenting(facts) if segments else _classifying(facts)),
    ]
    words = "PICTURE MASK.png" if segments else "PICTURE"
    return "\n".join([f"{FIRST_LINE}: python {_program(file)} {words}", *lines, ""])


def _program(file: str) -> str:
    """As a word in a comment, whatever is in the name of the file."""
    return shlex.quote(printable(" ".join(f"run_{file.removesuffix('.onnx')}.py".split())))


def _segmenting(facts: dict[str, Any]) -> list[str]:
    preprocessing, step = facts["preprocessing"], facts["input"]["size_divisor"]
    height, width = preprocessing["size"]
    factor = {
        "scale": f"{preprocessing['short_side']} / min(picture.size)",
        "cover": f"max({width} / picture.width, {height} / picture.height)",
        "contain": f"min({width} / picture.width, {height} / picture.height)",
    }
    if preprocessing["fit"] in factor:
        scale = factor[preprocessing["fit"]]
        size = f"[max(1, round({scale} * side / {step})) * {step} for side in picture.size]"
    else:
        size = f"({width}, {height})"
    palette = ['mask.putpalette(bytes.fromhex("".join(facts["palette"]).replace("#", "")))']
    return [
        f"pixels = numpy.asarray(picture.resize({size}), numpy.float32)",
        f'logits = session.run(None, {{"{facts["input"]["name"]}": {_batch(facts)}}})[0][0]',
        "mask = Image.fromarray(logits.argmax(0).astype(numpy.uint8))",
        *(palette if facts["palette"] else []),
        "mask.resize(picture.size, Image.Resampling.NEAREST).save(sys.argv[2])",
    ]


def _classifying(facts: dict[str, Any]) -> list[str]:
    height, width = facts["preprocessing"]["size"]
    size = f"({width}, {height})"
    fill = tuple(round(value) for value in facts["preprocessing"]["mean"])
    color = fill if len(fill) > 1 else fill[0]
    fitted = {
        "stretch": f"picture.resize({size})",
        "cover": f"ImageOps.fit(picture, {size})",
        "contain": f"ImageOps.pad(picture, {size}, color={color})",
        # As the training images are: light, on black.
        "garment": f"ImageOps.pad(ImageOps.invert(picture) if picture.getpixel((0, 0)) > 127 else picture, {size})",
    }
    prepared = fitted.get(facts["preprocessing"]["fit"], f"picture.resize({size})")
    return [
        f"pixels = numpy.asarray({prepared}, numpy.float32)",
        f'logits = session.run(None, {{"{facts["input"]["name"]}": {_batch(facts)}}})[0][0]',
        "odds = numpy.exp(logits - logits.max())",
        "for label in odds.argsort()[:-4:-1]:",
        '    print(facts["class_names"][label], round(float(odds[label] / odds.sum()), 3))',
    ]


def _batch(facts: dict[str, Any]) -> str:
    """``pixels`` with channels first, as a batch of one."""
    return "pixels[None, None]" if facts["input"]["shape"][1] == 1 else "pixels.transpose(2, 0, 1)[None]"
