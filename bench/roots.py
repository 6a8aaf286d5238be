"""Where the data sets are, and a copy of that folder for torchvision."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.children import run_command


def find_root(named: Path | None = None) -> Path:
    """The data root: as named, else ``$FASHSEG_DATA``, else ``data``.

    Raises:
        SystemExit: it lacks the facades, which are no public download.
    """
    root = (named or Path(os.environ.get("FASHSEG_DATA", "data"))).absolute()
    if not (root / "facade" / "train").is_dir():
        way_out = "Set FASHSEG_DATA to the folder that holds FashionMNIST and facade."
        sys.exit(f"error: {root} lacks facade/train.\n       {way_out}")
    return root


@contextmanager
def yardstick_root(root: Path) -> Iterator[Path]:
    """A temporary data root of links, in which torchvision has unpacked Fashion-MNIST: it does so beside the files."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        raw = copy / "FashionMNIST" / "raw"
        raw.mkdir(parents=True)
        for file in (root / "FashionMNIST" / "raw").glob("*ubyte*"):
            (raw / file.name).symlink_to(file)
        (copy / "facade").symlink_to(root / "facade")
        unpack = f"from torchvision.datasets import FashionMNIST; FashionMNIST({folder!r}, download=True)"
        run_command([sys.executable, "-c", unpack])
        yield copy
