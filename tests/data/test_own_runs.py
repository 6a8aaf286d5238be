"""Runs on folders of one's own, from the command line to the page."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

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
    _as_many_of_other_names(run, tmp_path, root)
    assert run("evaluate", "run=run").status == 0
    (root / "star").mkdir()
    shutil.copy(root / "bar" / "bar_0000.png", root / "star")
    for words in (("evaluate", "run=run"), ("train", "resume=run", "epochs=13")):
        assert_two_lines(run(*words), "has the classes bar, disc, ring, star", "trained on bar, disc, ring.")
    shutil.rmtree(root / "star")
    assert run("evaluate", "run=run").status == 0
    assert (tmp_path / "run" / "evaluate_test_best.json").read_bytes() == before


def _as_many_of_other_names(run: Command, tmp_path: Path, root: Path) -> None:
    """Images are split by the order of their names: now the test has images that were trained on."""
    results = (tmp_path / "run" / "results.json").read_bytes()
    renamed = {path: path.with_name("a.png") for path in root.glob("*/*39.png")}
    for old, new in renamed.items():
        old.rename(new)
    refused = run("train", "resume=run", "epochs=13", *QUICK[2:])
    assert_two_lines(refused, "gives other train images than when the run was begun", "start a new run")
    assert (tmp_path / "run" / "results.json").read_bytes() == results
    outcome = run("evaluate", "run=run")
    assert "These are not the test images of the run" in " ".join(outcome.out.split())
    assert not json.loads((tmp_path / "run" / "evaluate_test_best.json").read_bytes())["images_of_the_run"]
    evidence = (tmp_path / "run" / "evidence" / "test.npz").read_bytes()
    assert_two_lines(run("report", "run=run", "refresh=true"), "gives other val images than the run had")
    assert (tmp_path / "run" / "evidence" / "test.npz").read_bytes() == evidence
    for old, new in renamed.items():
        new.rename(old)


def test_where_no_pixel_of_the_test_counts_there_is_a_page(run: Command, tmp_path: Path) -> None:
    root = write_masks(tmp_path / "m", 12)
    for i in range(3):
        Image.new("L", (32, 24), 255).save(root / "masks" / f"photo_{i:03d}.png")
    (root / "test.txt").write_text("photo_000\nphoto_001\nphoto_002\n", encoding="utf-8")
    words = ("data=mask_folder", f"data.root={root}", "data.ignore=255", "data.test_list=test.txt", "epochs=1", *QUICK)
    assert run("train", "model=segnet", *words).status == 0
    assert "Traceback" not in (tmp_path / "run" / "run.log").read_text(encoding="utf-8")
    assert (tmp_path / "run" / "evidence" / "test.npz").is_file()


def test_masks_stored_with_loss_are_told(run: Command, tmp_path: Path) -> None:
    root = write_masks(tmp_path / "m", 12)
    for path in (root / "masks").glob("*.png"):
        with Image.open(path) as mask:
            mask.save(path.with_suffix(".jpg"))
        path.unlink()
    outcome = run("train", "model=segnet", "data=mask_folder", f"data.root={root}", "epochs=1", *QUICK, "page=false")
    assert outcome.status == 0, outcome.err
    assert "12 masks are JPEG files, whose loss" in " ".join(outcome.out.split())


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
