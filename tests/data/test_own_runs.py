"""Runs on folders of one's own, from the command line to the page."""

import shutil
from pathlib import Path

import pytest

from conftest import Command, assert_two_lines, page_of, results_of
from data.own_folders import LABELME, write_classes, write_labelme, write_masks
from fashseg import config as cfg
from fashseg.models import build_model

QUICK = ("trainer.accelerator=cpu", "hydra.run.dir=run", "callbacks.progress=none")


@pytest.mark.usefixtures("undrawn")
def test_three_classes_of_forty_images(run: Command, tmp_path: Path) -> None:
    root = write_classes(tmp_path / "shapes", each=40)
    words = ("data=image_folder", f"data.root={root}", "batch_size=16", "optimizer.lr=0.003")
    outcome = run("train", "model=cnn", *words, "epochs=12", *QUICK, "page=false")
    assert outcome.status == 0, outcome.err
    assert "all images have 24×24 pixels, and keep them" in outcome.out
    assert "3 classes: bar, disc, ring" in outcome.out
    results = results_of(tmp_path / "run")
    assert results["images"] == {"train": 92, "val": 10, "test": 18}
    assert results["test"]["accuracy"] > 0.7
    assert run("evaluate", "run=run").status == 0
    assert run("report", "run=run").status == 0
    assert "24×24, grey, 3 classes; mean" in page_of(tmp_path / "run")
    _another_folder(run, tmp_path, root)


def _another_folder(run: Command, tmp_path: Path, root: Path) -> None:
    """What evaluate and resume say when the folder has changed."""
    before = (tmp_path / "run" / "evaluate_test_best.json").read_bytes()
    extra = root / "disc" / "more.png"
    shutil.copy(root / "bar" / "bar_0000.png", extra)
    assert_two_lines(run("train", "resume=run", "epochs=13", *QUICK[2:]), "images; when the run was begun")
    extra.unlink()
    (root / "star").mkdir()
    shutil.copy(root / "bar" / "bar_0000.png", root / "star")
    for words in (("evaluate", "run=run"), ("train", "resume=run", "epochs=13")):
        assert_two_lines(run(*words), "has the classes bar, disc, ring, star", "trained on bar, disc, ring.")
    shutil.rmtree(root / "star")
    assert run("evaluate", "run=run").status == 0
    assert (tmp_path / "run" / "evaluate_test_best.json").read_bytes() == before


def test_nine_classes_in_masks_of_colours(run: Command, tmp_path: Path) -> None:
    root = write_labelme(tmp_path / "rooms", count=18)
    words = ["data=mask_folder", f"data.root={root}", "data.images=JPEGImages", "data.masks=SegmentationClassPNG"]
    outcome = run("train", "model=segnet", *words, "data.ignore=255", "augment=flip_shift", "epochs=3", *QUICK)
    assert outcome.status == 0, outcome.err
    results = results_of(tmp_path / "run")
    assert set(results["test"]["iou"]) == {*LABELME, "mean"}
    pixels = results["images"]["test"] * 22 * 32  # of 24 rows two count for nothing
    assert sum(map(sum, results["test"]["confusion_matrix"])) == pixels
    page = page_of(tmp_path / "run")
    assert "not counted" in page
    assert "pixels of value 255 count for nothing" in page
    assert run("evaluate", "run=run").status == 0
    assert run("compare", "run").status == 0


def test_a_run_needs_a_folder_and_a_size_that_its_network_takes(run: Command, tmp_path: Path) -> None:
    assert_two_lines(run("train", "data=image_folder"), "data.root is missing", "data.root=my_pictures")
    assert_two_lines(run("train", "data=image_folder", f"data.root={tmp_path / 'x'}", *QUICK), "does not exist")
    root = write_classes(tmp_path / "c", each=4)
    words = ("train", "model=cnn", "data=image_folder", f"data.root={root}", *QUICK)
    assert_two_lines(run(*words, "data.size=8"), "cnn needs images of at least 10×10 pixels", "data.size")
    erased = run(*words, "augment=garment", "augment.erase=24")
    assert_two_lines(erased, "augment.erase=24", "smaller side is 24", "augment.erase=6")
    assert not (tmp_path / "run").exists()
    masks = write_masks(tmp_path / "m", 8, 3)
    words = ("train", "model=segnet", "data=mask_folder", f"data.root={masks}", *QUICK)
    assert_two_lines(run(*words, "data.size=7"), "must be even", "data.size=8x8")
    with pytest.raises(ValueError, match="multiples of 2"):
        build_model(cfg.SegNet("segnet"), (3, 8, 7), 2)
