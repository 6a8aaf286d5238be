"""Fashion-MNIST: its four files are fetched where they are missing, and verified."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

from fashseg import config as cfg
from fashseg.data import fashion_mnist
from fashseg.data.sources import SOURCES
from fashseg.files import in_full
from fashseg.prepare.account import account
from fashseg.text import counted
from fashseg.verb_options import Prepare


def prepare(options: Prepare) -> Iterator[str]:
    """Fetch, verify, and say where it is."""
    given = cast("cfg.FashionMNIST", options.data)
    data = replace(given, mirrors=[*options.mirrors, *given.mirrors])
    folder = in_full("data.root", data.root).absolute() / fashion_mnist.FOLDER
    lacking = [name for name in fashion_mnist.FILES if not _is_there(folder / name)]
    yield f"Fashion-MNIST in {folder}: " + (
        f"{counted(len(lacking), 'file')} to fetch: {', '.join(lacking)}" if lacking else "all files are there"
    )
    source = SOURCES["fashion_mnist"]
    arrays = source.read(data)
    yield f"complete: {counted(len(fashion_mnist.FILES), 'file')}, each with its published MD5"
    yield from account(source.info, *arrays)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
