"""An export from the model to the files that are kept."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from fashseg.errors import RunError
from fashseg.export.comparing import Agreement, compare
from fashseg.export.example import example
from fashseg.export.facts import about_weights, describe
from fashseg.export.images import comparison_images
from fashseg.export.plan import Plan
from fashseg.export.program import trace
from fashseg.export.writing import LOADERS, onnx_file, torch_file
from fashseg.files import replacing, write_atomically
from fashseg.packing import Numbers
from fashseg.trained import Trained, save_weights
from fashseg.verb_options import Export


@dataclass(frozen=True)
class Exported:
    """What has been written.

    Attributes:
        images: what it was compared on, for a reader.
        agreements: by format.
        program: text of the example; None where there is none.
    """

    images: str
    agreements: dict[str, Agreement]
    program: str | None


def export(trained: Trained, plan: Plan, options: Export) -> Exported:
    """Write, read again, compare; only files that agree get their names.

    Raises:
        RunError: the network can't be written that way, a file disagrees, or can't be written at all.
    """
    facts = describe(trained)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_folder(next(iter(plan.files.values())).parent))
        parts = {kind: stack.enter_context(_written(path)) for kind, path in plan.files.items()}
        _write(trained, parts, facts, options)
        images, words = comparison_images(trained.info, options.run, options.root)
        functions = {kind: LOADERS[kind](path) for kind, path in parts.items()}
        agreements = compare(trained.network, functions, images, facts["input"]["size_divisor"])
        for kind, agreement in agreements.items():
            if wrong := agreement.wrong(options.numbers if kind == "safetensors" else "float32"):
                raise RunError(
                    f"format={kind} computes something else than the model: {wrong} ({words}).",
                    "Nothing is written. A network that is random when it is used, for one, can't be exported.",
                )
    program = None
    if plan.example is not None:
        program = example(plan.files["onnx"].name, facts)
        if program is not None:
            with _telling(plan.example):
                write_atomically(plan.example, program)
    return Exported(words, agreements, program)


def _write(trained: Trained, parts: dict[str, Path], facts: dict[str, object], options: Export) -> None:
    traced = trace(trained.network) if {"onnx", "torch"} & set(parts) else None
    for kind, path in parts.items():
        with _telling(path):
            if kind == "safetensors":
                about = about_weights(trained, facts, options.run is not None)
                save_weights(path, trained.network, about, numbers=cast(Numbers, options.numbers))
            else:
                assert traced is not None
                path.write_bytes((onnx_file if kind == "onnx" else torch_file)(traced, facts))


@contextlib.contextmanager
def _folder(path: Path) -> Iterator[None]:
    """Made where there is none, and taken back where nothing comes of it."""
    if path.is_dir():
        yield
        return
    with _telling(path):
        path.mkdir()
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            path.rmdir()
        raise


@contextlib.contextmanager
def _written(path: Path) -> Iterator[Path]:
    with _telling(path), replacing(path) as part:
        yield part


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{path} can't be written: {error.strerror or error}.", "Choose another place by output=FOLDER."
        ) from error
