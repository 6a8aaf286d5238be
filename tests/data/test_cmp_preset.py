"""The preset of the whole photographs trains: on drawn ones, and on those that are at hand."""

from pathlib import Path

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
    small = ("model.widths=[4,4,4]", "trainer.limit_batches=2", "batch_size=2", "data.val_share=0.4")
    words = (*small, "data.classes=12", f"data.root={tmp_path}", "trainer.accelerator=cpu")
    outcome = run("train", *PRESET, *words)
    assert outcome.status == 0, outcome.err
    results = results_of(tmp_path / "run")
    assert results["data"] == "cmp_facade"
    assert len(results["test"]["iou"]) == 13, "twelve classes and their mean"


@real_data("cmp_facade/base")
def test_it_trains_on_the_buildings_at_hand(run: Command, tmp_path: Path) -> None:
    words = ("trainer.limit_batches=2", "batch_size=2", "eval_batch_size=2", f"data.root={REAL_DATA}")
    outcome = run("train", *PRESET, *words, "trainer.accelerator=cpu")
    assert outcome.status == 0, outcome.err
    assert results_of(tmp_path / "run")["images"]["train"] > 50
    assert float(table(tmp_path / "run")[0]["train_loss_running"]) > 0
