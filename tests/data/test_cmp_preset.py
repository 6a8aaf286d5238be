"""The preset of the whole photographs trains: on drawn ones, and on those that are at hand."""

from pathlib import Path

import pytest

from conftest import REAL_DATA, Command, results_of, table
from data.cmp_like import write_buildings
from data.tiny import real_data
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.config import CMPFacade, Train, UNet

PRESET = ("experiment=facade_cmp", "data.partial=true", "epochs=1", "logger=none", "page=false", "hydra.run.dir=run")


def test_it_is_for_the_photographs_unless_other_data_are_named() -> None:
    preset = check(Train, compose("train", ["experiment=facade_cmp"]))
    assert isinstance(preset.data, CMPFacade)
    assert isinstance(preset.model, UNet)
    assert (preset.data.split, preset.data.classes, preset.data.partial) == ("building", 5, False)
    assert compose("train", ["experiment=facade_cmp", "data=facade"]).data.name == "facade"


def test_it_trains_on_buildings_that_are_drawn(run: Command, tmp_path: Path) -> None:
    write_buildings(tmp_path)
    small = ("model.widths=[4,4,4,4,4]", "trainer.limit_batches=2", "batch_size=2", "data.val_share=0.4")
    outcome = run("train", *PRESET, *small, f"data.root={tmp_path}", "trainer.accelerator=cpu")
    assert outcome.status == 0, outcome.err
    assert results_of(tmp_path / "run")["data"] == "cmp_facade"


@real_data("cmp_facade/base")
@pytest.mark.parametrize("classes", [5, 12])
def test_it_trains_on_the_buildings_at_hand(run: Command, tmp_path: Path, classes: int) -> None:
    words = ("trainer.limit_batches=2", "batch_size=2", f"data.classes={classes}", f"data.root={REAL_DATA}")
    if classes == 12:
        words += ("model.widths=[4,4,4,4,4]",)
    outcome = run("train", *PRESET, *words, "trainer.accelerator=cpu")
    assert outcome.status == 0, outcome.err
    results = results_of(tmp_path / "run")
    assert results["images"]["train"] > 50
    assert len(results["test"]["iou"]) == classes + 1
    assert float(table(tmp_path / "run")[0]["train_loss_running"]) > 0
