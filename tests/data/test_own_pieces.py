"""Pictures of one's own that do not fit in memory once decoded."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from data.own_folders import write_classes
from data.own_options import classes
from fashseg.data.folders.decoding import Plan, decode_sets
from fashseg.data.folders.items import Item
from fashseg.data.info import Arrays
from fashseg.data.sources import open_source
from fashseg.data.stored import load
from fashseg.errors import UserError


@pytest.mark.parametrize("fit", ["stretch", "cover", "contain"])
def test_they_are_decoded_some_at_a_time(fit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def counted(plan: Plan, train: Sequence[Item], test: Sequence[Item]) -> tuple[Arrays, Arrays]:
        sizes.append(len(train) + len(test))
        return decode_sets(plan, train, test)

    import fashseg.data.folders.source  # noqa: F401  # which reads all at once by the function that it finds now

    monkeypatch.setattr("fashseg.data.folders.decoding._PIECE", 4)
    monkeypatch.setattr("fashseg.data.folders.decoding.decode_sets", counted)
    root = write_classes(tmp_path / "c", each=6)
    loaded = []
    for resident in (False, True):
        monkeypatch.setenv("FASHSEG_CACHE", str(tmp_path / str(resident)))
        options = classes(root, fit=fit, resident=resident)
        loaded.append(load(open_source(options), options))
    rows = torch.arange(len(loaded[0].train.images))
    for one, other in zip(loaded[0].train, loaded[1].train, strict=True):
        assert torch.equal(one.index_select(0, rows), other.index_select(0, rows))
    assert max(sizes, default=0) == (0 if fit == "contain" else 4), "a border has the mean of all images"


def test_one_that_can_not_be_read_is_named_and_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASHSEG_CACHE", str(tmp_path / "cache"))
    root = write_classes(tmp_path / "c", each=6)
    options = classes(root, resident=False, size=24, channels=1)
    picture = root / "bar" / "bar_0003.png"
    picture.write_bytes(picture.read_bytes()[:200])
    with pytest.raises(UserError, match=r"bar_0003\.png"):
        load(open_source(options), options)
    assert not list((tmp_path / "cache").glob("*.arrays*"))
