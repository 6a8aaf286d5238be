"""Reads kept evidence, NumPy archives that anybody may have written: never by pickle, and of bounded size and shape."""

import io
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from fashseg.untrusted import RefusedError, read_bytes

Arrays = dict[str, npt.NDArray[Any]]

MOST_BYTES = 2**29  # of all arrays of a file, unpacked
MOST_DIMENSIONS = 8
MOST_CLASSES = 256  # labels are kept in a byte
MOST_FILTERS = 4096
MOST_TABLED = 2**25  # images times classes, a table of which is resampled

# Axes of the arrays in `fashseg.report.evidence`, by task: N images, C classes, S shown images, B bins, F filters. A
# letter is the same number in all arrays; numbers are exact. ``calibration`` and what is missing costs its own section
# alone.
AXES = {
    "classification": {
        "probabilities": "NC",
        "predicted": "N",
        "targets": "N",
        "confusion": "CC",
        "class_scores": "C",
        "histogram": "C2B",
        "average_precision": "C",
        "shown": "S",
        "images": "SDHW",
    },
    "segmentation": {
        "histograms": "NC2B",
        "confusion": "NCC",
        "losses": "N",
        "class_scores": "C",
        "shown": "S",
        "images": "SDHW",
        "predictions": "SHW",
        "targets": "SHW",
        "ignored": "SHW",
    },
    "filters": {"filters": "FDHW"},
}
LABELS = ("predicted", "targets", "predictions")
COUNTS = ("confusion", "histogram", "histograms", "shown", "ignored")


def read_evidence(path: Path, kind: str) -> Arrays:
    """What a model said about the images of a part, or with ``filters`` for the task those, see `report.evidence`.

    Raises:
        OSError: it is missing or can't be read.
        RefusedError: besides what `read_arrays` refuses, arrays that do not fit each other.
    """
    arrays = read_arrays(path)
    sizes: dict[str, int] = {}
    for name, axes in AXES[kind].items():
        if name not in arrays:
            continue
        array = arrays[name]
        if array.ndim != len(axes) or array.dtype.kind not in ("iu" if name in (*LABELS, *COUNTS) else "iuf"):
            raise RefusedError(f"its array {name} has the shape {array.shape} of {array.dtype}, not {'×'.join(axes)}")
        for axis, length in zip(axes, array.shape, strict=True):
            if length != (int(axis) if axis.isdigit() else sizes.setdefault(axis, length)):
                raise RefusedError(f"its array {name} has the shape {array.shape}, which does not fit the others")
    classes = sizes.get("C", 0)
    if sizes.get("F", 0) > MOST_FILTERS:
        raise RefusedError(f"it is of {sizes['F']:,} filters")
    if classes > MOST_CLASSES or sizes.get("N", 0) * (classes + 1) > MOST_TABLED:
        raise RefusedError(f"it is of {sizes.get('N', 0):,} images and {classes:,} classes")
    _refuse_values(arrays, classes)
    return arrays


def _refuse_values(arrays: Arrays, classes: int) -> None:
    for name in LABELS:
        labels = arrays.get(name)
        if labels is not None and labels.size and not (labels.min() >= 0 and labels.max() < classes):
            raise RefusedError(f"its array {name} holds labels outside 0 to {classes - 1}")
    for name in COUNTS:
        counts = arrays.get(name)
        if counts is not None and counts.size and not (counts.min() >= 0 and counts.max() < 2**53):
            raise RefusedError(f"its array {name} holds numbers that are no counts")


def read_arrays(path: Path) -> Arrays:
    """The arrays of a NumPy archive (.npz), never by pickle.

    Raises:
        OSError: it is missing or can't be read.
        RefusedError: it is damaged, or no such archive; an array holds objects, or has another size than its header
            says; or all of them would take too much memory, which is found out before any is taken.
    """
    content = io.BytesIO(read_bytes(path, MOST_BYTES))
    try:
        with zipfile.ZipFile(content) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if total > MOST_BYTES:
                raise RefusedError(f"its arrays would take {total:,} bytes")
            if len({member.filename for member in members}) < len(members):
                raise RefusedError("it holds two arrays of one name")
            return {member.filename.removesuffix(".npy"): _read_array(archive, member) for member in members}
    except (RefusedError, OSError):
        raise
    except Exception as error:  # on damaged archives zipfile, zlib and NumPy raise nearly anything
        raise RefusedError(f"{type(error).__name__}: {' '.join(str(error).split())}") from error


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> npt.NDArray[Any]:
    with archive.open(member) as file:
        content = file.read()  # zipfile stops at the size that was summed up, and checks the CRC-32
    stream = io.BytesIO(content)
    shape, dtype = _header(stream)
    if dtype.hasobject:
        raise RefusedError(f"its array {member.filename} holds objects")
    # What an array without elements would take once it is summed up or joined.
    reach = math.prod(max(1, length) for length in shape) * dtype.itemsize
    if not dtype.itemsize or len(shape) > MOST_DIMENSIONS or reach > MOST_BYTES:
        raise RefusedError(f"its array {member.filename} has the shape {shape} of {dtype}")
    size = math.prod(shape) * dtype.itemsize
    if stream.tell() + size != len(content):
        raise RefusedError(f"its array {member.filename} has {len(content) - stream.tell():,} bytes, and not {size:,}")
    stream.seek(0)
    array: npt.NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return array


def _header(stream: BinaryIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    readers: dict[tuple[int, int], Callable[..., Any]] = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise RefusedError(f"it holds an array of format {version}")
    shape, _fortran, dtype = readers[version](stream)
    return shape, dtype
