"""What an export writes and where, looked at before torch is imported."""

import contextlib
import json
import os
import re
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from fashseg.data.reading import read_at_most
from fashseg.errors import UserError
from fashseg.extras import require
from fashseg.files import in_full
from fashseg.run import RunFolder
from fashseg.verb_options import Export
from fashseg.which_model import require_model

SUFFIXES = {"onnx": ".onnx", "torch": ".pt2", "safetensors": ".safetensors"}
KEY = "fashseg"
"""Where the files keep what is known of their model."""

FIRST_LINE = "# An example of fashseg.export"
_ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
_MOST_BYTES = 4 << 30


@dataclass(frozen=True)
class Plan:
    """Files to write.

    Attributes:
        files: path by format.
        example: path of the program that shows how the ONNX file is used; None without such a file.
    """

    files: dict[str, Path]
    example: Path | None


def make_plan(options: Export) -> Plan:
    """Look at everything that can be known without torch.

    Raises:
        UserError: an option is wrong, a package, the model or a folder is missing, or a file is in the way.
    """
    formats = list(SUFFIXES) if options.format == "all" else [options.format]
    if options.numbers != "float32" and "safetensors" not in formats:
        raise UserError(
            f"numbers={options.numbers} is for weights alone; format={options.format} computes in float32.",
            "Leave it out, or choose format=safetensors.",
        )
    found = require_model(run=options.run, model=options.weights, checkpoint=options.checkpoint)
    name, folder = _of_run(found) if isinstance(found, RunFolder) else (found.stem, Path())
    if "onnx" in formats:
        _require_packages()
    files = _paths(options, formats, name, folder)
    example = files["onnx"].with_name(f"run_{files['onnx'].stem}.py") if "onnx" in files else None
    for path in filter(None, (*files.values(), example)):
        _require_free(path, found)
    return Plan(files, example)


def _of_run(run: RunFolder) -> tuple[str, Path]:
    """Name of the model and the folder of its exports."""
    name = str(run.read_results().get("model", ""))
    return name if re.fullmatch(r"\w[\w.-]{0,99}", name) else "model", run.path / "export"


def _require_packages() -> None:
    require("format=onnx", _ONNX_PACKAGES, "export", "choose format=torch or format=safetensors")


def _paths(options: Export, formats: list[str], name: str, folder: Path) -> dict[str, Path]:
    if not options.output:
        return {kind: folder / f"{name}{SUFFIXES[kind]}" for kind in formats}
    output = in_full("output", options.output)
    try:
        if output.is_dir():
            return {kind: output / f"{name}{SUFFIXES[kind]}" for kind in formats}
        there = output.parent.is_dir()
    except (OSError, ValueError) as error:
        raise UserError(f"output={options.output} is no path: {error}.", "Choose another one.") from error
    if not output.suffix or len(formats) > 1:
        what = "" if len(formats) == 1 else f"format={options.format} writes several files, and "
        raise UserError(f"{what}output={options.output} is no folder that is there.", "Make it first, or name another.")
    if output.suffix != SUFFIXES[formats[0]]:
        raise UserError(
            f"output={options.output} has another suffix than format={formats[0]}, whose files end in "
            f"{SUFFIXES[formats[0]]}.",
            f"Write output={output.with_suffix(SUFFIXES[formats[0]])}, or name a folder.",
        )
    if not there:
        raise UserError(f"output={options.output}: the folder {output.parent} does not exist.", "Make it first.")
    return {formats[0]: output}


def _require_free(path: Path, model: RunFolder | Path) -> None:
    """The folder can be written to, and nothing is in the way but an export of before."""
    folder = path.parent
    try:
        # RUN/export is made where there is something to write.
        with tempfile.TemporaryFile(dir=folder if os.path.lexists(folder) else folder.parent):
            pass
    except OSError as error:
        raise UserError(
            f"{folder} can't be written to: {error.strerror}.", "Choose another folder by output=FOLDER."
        ) from error
    try:
        if not os.path.lexists(path):
            return
        if isinstance(model, Path) and path.exists() and path.samefile(model):
            raise UserError(f"{path} is the model itself.", "Choose another place by output=FILE.")
        own = path.is_file() and _is_export(path)
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}.", "Choose another place by output=FILE.") from error
    if not own:
        raise UserError(
            f"{path} is there already, and is no export of fashseg that may be replaced.",
            "Move it away, or choose another place by output=FILE.",
        )


def _is_export(path: Path) -> bool:
    """Whether a file says that fashseg has exported it."""
    if path.suffix == ".py":
        return read_at_most(path, 1 << 20).startswith(FIRST_LINE.encode())
    if path.suffix == ".pt2":
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as parts:
            return any(name.endswith(f"/{KEY}.json") for name in parts.namelist())
        return False
    content = read_at_most(path, _MOST_BYTES)
    if path.suffix == ".onnx":
        return KEY.encode() in content
    header = content[8 : 8 + int.from_bytes(content[:8], "little")]
    with contextlib.suppress(ValueError, TypeError, AttributeError, RecursionError):
        return "exported" in json.loads(header)["__metadata__"]["about"]
    return False
