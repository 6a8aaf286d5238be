"""``prepare data=facade`` and ``data=cmp_facade``, as they are used."""

from pathlib import Path

import pytest

from conftest import REAL_DATA, Command, assert_two_lines, results_of, table, weights
from data.cmp_like import TEST, crops_of, write_archive, write_buildings
from data.tiny import one_byte_more, real_data, tree
from fashseg.data import cmp_archive
from fashseg.data.cmp_archive import NAME
from fashseg.data.cmp_base import FOLDER
from fashseg.prepare.facade import build
from fashseg.verb_options import Prepare

TRAINING = ("model=segnet", "trainer.accelerator=cpu", "page=false", "logger=none", "data.partial=true", "batch_size=4")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cmp_archive, "MIRRORS", ())


def test_a_set_is_built_from_an_archive(tmp_path: Path) -> None:
    write_buildings(tmp_path / "source")
    (tmp_path / "root").mkdir()
    write_archive(tmp_path / "root" / NAME, tmp_path / "source" / FOLDER)
    lines = list(build(tmp_path / "root", crops_of(), Prepare()))
    assert f"building {len(crops_of())} images of 3 photographs" in lines
    assert len(list((tmp_path / "root/facade").glob("*/*.jpg"))) == len(crops_of())
    again = list(build(tmp_path / "root", crops_of(), Prepare(rebuild=True)))
    assert "PSNR inf dB" in again[-1]
    assert "100.00% of the labels equal" in again[-1]


def test_only_what_was_asked_for_is_built_of_a_part(run: Command, tmp_path: Path) -> None:
    write_buildings(tmp_path / "data")
    before = tree(tmp_path)
    outcome = run("prepare", "data=facade")
    assert outcome.out == f"downloading {NAME}\n"
    assert_two_lines(outcome._replace(out=""), "lacks 366 of 369 buildings", "cmp_b0001, cmp_b0002", "partial=true")
    assert tree(tmp_path) == before
    outcome = run("prepare", "data=facade", "partial=true")
    assert outcome.status == 0, outcome.err
    assert "366 buildings of 369 are missing: cmp_b0001" in outcome.out
    assert f"building {len(crops_of())} images of 3 photographs" in outcome.out
    assert run("prepare", "data=facade", "partial=true").status == 0, "and verified from then on"
    assert_two_lines(run("prepare", "data=facade"), "each of the 1,020 pairs", "data.partial=true")
    assert_two_lines(run("train", "model=segnet", "trainer.accelerator=cpu", "hydra.run.dir=r"), "data.partial=true")


def test_a_damaged_set_is_told_and_never_replaced_unasked(run: Command, tmp_path: Path) -> None:
    write_buildings(tmp_path / "data")
    assert run("prepare", "data=facade", "partial=true").status == 0
    (image, *_) = sorted((tmp_path / "data/facade/train").glob("*.jpg"))
    one_byte_more(image)
    before = tree(tmp_path)
    assert_two_lines(run("prepare", "data=facade", "partial=true"), str(image), "is not the expected file")
    assert tree(tmp_path) == before
    outcome = run("prepare", "data=facade", "partial=true", "rebuild=true")
    assert outcome.status == 0
    assert "100.00% of the labels equal" in outcome.out
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"cmp_facade", "facade"}


def test_buildings_of_one_side_only_make_no_set(run: Command, tmp_path: Path) -> None:
    write_buildings(tmp_path / "data", [TEST])
    assert_two_lines(run("prepare", "data=facade", "partial=true")._replace(out=""), "no image of train")
    assert not (tmp_path / "data/facade").exists()


def test_a_run_on_a_part_says_so(run: Command, tmp_path: Path) -> None:
    write_buildings(tmp_path / "data")
    assert run("prepare", "data=facade", "partial=true").status == 0
    outcome = run("train", *TRAINING, "data=facade", "epochs=1", "data.val_share=0.4", "hydra.run.dir=r")
    assert outcome.status == 0, outcome.err
    assert "of a part of the data set" in outcome.out
    assert "published" not in outcome.out
    assert results_of(tmp_path / "r")["partial"] is True
    assert_two_lines(run("train", *TRAINING, "data=facade", "data.split=published"), "needs all 906 training images")


def test_photographs_are_checked_and_counted(run: Command, tmp_path: Path) -> None:
    write_buildings(tmp_path / "data")
    outcome = run("prepare", "data=cmp_facade", "partial=true", "data.classes=12")
    assert outcome.status == 0, outcome.err
    assert "3 photographs with labels, 2 of them to train on" in outcome.out
    assert "molding" in outcome.out
    assert_two_lines(run("prepare", "data=cmp_facade", "data.classes=7"), "data.classes=7", "5, 12")


def test_windows_are_drawn_anew_and_come_again_after_a_stop(run: Command, tmp_path: Path) -> None:
    """Two epochs at once, and one epoch and another after it: the same weights, bit for bit."""
    write_buildings(tmp_path / "data")
    words = [*TRAINING, "data=cmp_facade", "data.val_share=0.4", "augment=flip", "eval_train=false"]
    for name, epochs in (("whole", 2), ("first", 1)):
        assert run("train", *words, f"hydra.run.dir={name}", f"epochs={epochs}").status == 0
    assert run("train", "resume=first", "epochs=2").status == 0
    expected, found = weights(tmp_path / "whole"), weights(tmp_path / "first")
    assert all(found[key].equal(value) for key, value in expected.items())
    assert table(tmp_path / "first") == table(tmp_path / "whole")


@real_data("cmp_facade/base")
def test_the_thirteen_buildings_at_hand_come_close_to_the_originals(run: Command, tmp_path: Path) -> None:
    assert REAL_DATA
    root = tmp_path / "data"
    root.mkdir()
    (root / "cmp_facade").symlink_to(Path(REAL_DATA, "cmp_facade").absolute())
    (root / "facade").symlink_to(Path(REAL_DATA, "facade").absolute())
    outcome = run("prepare", "data=facade", "partial=true", "rebuild=true")
    assert outcome.status == 0, outcome.err
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("compared with 36 images")]
    assert "100.00% of the labels equal" in line
    assert float(line.partition("PSNR ")[2].partition(" ")[0]) > 45
    assert (root / "facade.before").is_symlink(), "the originals are kept"
