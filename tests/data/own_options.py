"""Options of folders of one's own, and the error that they come to."""

from pathlib import Path

import pytest

from fashseg.config import ImageFolder, MaskFolder
from fashseg.data.source import split_indices
from fashseg.data.sources import open_source
from fashseg.data.stored import load
from fashseg.errors import UserError


def classes(root: Path, **options: object) -> ImageFolder:
    """The options of a folder of classes."""
    return ImageFolder(name="image_folder", root=str(root), **options)  # type: ignore[arg-type]


def masks(root: Path, **options: object) -> MaskFolder:
    """The options of a folder of masks."""
    return MaskFolder(name="mask_folder", root=str(root), **options)  # type: ignore[arg-type]


def refusal(options: ImageFolder | MaskFolder) -> str:
    """The error of a data set that is opened, read and split."""

    def use() -> None:
        source = open_source(options)
        split_indices(source, options, len(load(source, options).train.images))

    with pytest.raises(UserError) as caught:
        use()
    return str(caught.value)


def one(root: Path) -> Path:
    """The first file below a folder."""
    return min(path for path in root.rglob("*") if path.is_file())
