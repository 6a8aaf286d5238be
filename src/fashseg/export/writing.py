"""The formats: how a file of each is written, and how it is read again as those who use it would."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from fashseg.errors import RunError
from fashseg.export.plan import KEY
from fashseg.export.program import INPUT, OUTPUT
from fashseg.export.quiet import quiet
from fashseg.trained import read_weights

# The oldest that torch.onnx writes, so that most programs read it: ONNX Runtime 1.15.0 did where it was tried.
OPSET = 18
_IR_VERSION = 8  # of the file itself; the one that goes with the opset
_AXES = ("batch", "", "height", "width")

Function = Callable[[Tensor], Tensor]


def onnx_file(program: ExportedProgram, facts: dict[str, Any]) -> bytes:
    """An ONNX file with everything in it.

    Raises:
        RunError: a part of the network has no counterpart in ONNX.
    """
    import onnx

    try:
        with quiet():
            exported = torch.onnx.export(
                program,
                (),
                input_names=[INPUT],
                output_names=[OUTPUT],
                opset_version=OPSET,
                external_data=False,
                verbose=False,
                dynamo=True,
            )
            assert exported is not None
            model = exported.model_proto
        _tidy(model)
        onnx.helper.set_model_props(model, {KEY: json.dumps(facts)})
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # whatever torch and onnxscript come upon
        reason = (str(error).strip() or type(error).__name__).partition("\n")[0]
        raise RunError(f"the network can't be written as ONNX: {reason}", "Choose format=torch.") from error
    content: bytes = model.SerializeToString()
    return content


def _tidy(model: Any) -> None:
    """Leave out where each step comes from, which names folders of this machine, and call axes what they are."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        for axis, name in zip(value.type.tensor_type.shape.dim, _AXES, strict=False):
            if axis.dim_param:
                axis.dim_param = name
    model.ir_version = _IR_VERSION


def torch_file(program: ExportedProgram, facts: dict[str, Any]) -> bytes:
    """A file for torch.export.load."""
    buffer = io.BytesIO()
    with quiet():
        torch.export.save(program, buffer, extra_files={f"{KEY}.json": json.dumps(facts)})
    return buffer.getvalue()


def load_onnx(path: Path) -> Function:
    """What onnxruntime computes on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run([OUTPUT], {INPUT: images.numpy()})[0])


def load_torch(path: Path) -> Function:
    """What the program computes."""
    with quiet(), path.open("rb") as file:
        module = torch.export.load(file).module()
    return lambda images: module(images)


def load_weights(path: Path) -> Function:
    """What fashseg computes with the weights."""
    network = read_weights(path).network
    return lambda images: network(images)


LOADERS: dict[str, Callable[[Path], Function]] = {
    "onnx": load_onnx,
    "torch": load_torch,
    "safetensors": load_weights,
}
