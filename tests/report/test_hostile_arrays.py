"""Arrays that somebody made to do harm take no memory, and the page is made without them."""

import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from conftest import Command, page_of
from fashseg.report.reading import read_arrays
from fashseg.untrusted import RefusedError


def archive(shape: tuple[int, ...], dtype: str = "<f8", content: bytes = b"", size: int | None = None) -> bytes:
    """An .npz file of one array whose header says what it likes."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": dtype, "fortran_order": False, "shape": shape})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("confusion.npy", header.getvalue() + content)
    data = file.getvalue()
    if size is not None:  # in the directory at the end
        place = data.rindex(b"PK\x01\x02")
        data = data[: place + 24] + size.to_bytes(4, "little") + data[place + 28 :]
    return data


NPZ_BOMBS = {
    "a header of terabytes": (archive((2**40,)), "has the shape"),
    "a header of a gigabyte": (archive((2**26,)), "bytes"),
    "nothing, many times": (archive((2**40, 0)), "has the shape"),
    "no bytes each": (archive((2**40,), "|V0"), "has the shape"),
    "many dimensions": (archive((1,) * 30, content=bytes(8)), "has the shape"),
    "negative": (archive((-1,), content=bytes(8)), "confusion"),
    "objects": (archive((1,), "|O", b"cos\nsystem\n(S'true'\ntR."), "objects"),
    "zeros that unpack to a gigabyte": (archive((2**30,), "|u1", bytes(2**30)), "would take"),
    "a size that is not true": (archive((2**20,), "|u1", bytes(2**20), size=2**31), "would take"),
    "no header": (b"PK\x05\x06" + bytes(18), "confusion"),
}


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(("content", "why"), NPZ_BOMBS.values(), ids=NPZ_BOMBS.keys())
def test_arrays_of_any_size_take_no_memory(
    trained_once: Callable[[str], Path], tmp_path: Path, run: Command, content: bytes, why: str
) -> None:
    import tracemalloc

    classifier = Path(shutil.copytree(trained_once("cnn"), tmp_path / "r"))
    (classifier / "checkpoints" / "best.ckpt").unlink()
    path = classifier / "evidence" / "test.npz"
    path.write_bytes(content)
    if why != "confusion":
        tracemalloc.start()
        try:
            with pytest.raises(RefusedError, match=why):
                read_arrays(path)
            assert tracemalloc.get_traced_memory()[1] < 2**25
        finally:
            tracemalloc.stop()
    assert run("report", "run=r").status == 0
    assert "test.npz" in page_of(classifier)
