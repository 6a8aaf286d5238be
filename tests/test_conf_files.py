"""Every file in conf/ composes, is what the dataclasses say, builds, and takes a step."""

from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from conftest import TINY_CNN, TINY_SEGNET, Command, results_of
from fashseg.checking import check, option_paths
from fashseg.composing import compose, conf_dir
from fashseg.config import CHOICES, TASKS, Train
from fashseg.data.sources import SOURCES
from fashseg.losses import BUILDERS as LOSSES
from fashseg.models import BUILDERS
from fashseg.tasks import build_task
from fashseg.verb_options import Compare, Demo, Evaluate, Export, Predict, Prepare, Report

GROUPS = ("model", "data", "optimizer", "scheduler", "augment", "loss", "trainer", "logger", "callbacks", "experiment")
OWN = ("image_folder", "mask_folder", "streaming")  # of which nothing is known before there is a folder
# Where a step as it stands takes half a minute, or is taken in a test of its own.
SMALLER = {
    "wide_resnet": ["model.width=1"],
    "fashion_best": ["model.widths=[8,16]", "model.blocks=[1,1]"],
    "facade_best": ["model.widths=[4,8]"],
    "facade_cmp": ["model.widths=[4,4]"],
    "distill": ["loss.teacher=fashion"],
}
FILES = [(group, path.stem) for group in GROUPS for path in sorted((conf_dir() / group).glob("*.yaml"))]


@pytest.mark.parametrize(("group", "name"), FILES)
def test_every_choice_composes_builds_and_takes_a_step(group: str, name: str, run: Command, tmp_path: Path) -> None:
    if name in OWN:
        return  # trained in tests/data/test_own_runs.py and tests/streaming
    segments = name in (
        "segnet",
        "smp",
        "unet",
        "photo",
        "dice",
        "lovasz",
        "facade",
        "cmp_facade",
        "synthetic_facade",
        "report_segnet",
        "segnet_best",
        "facade_small",
        "facade_best",
        "facade_cmp",
    )
    words = [word for word in (TINY_SEGNET if segments else TINY_CNN) if not word.startswith("epochs")]
    if group == "data":
        run_checked = check(Train, compose("train", [f"data={name}", *(["model=segnet"] if segments else [])]))
        assert build_task(run_checked, SOURCES[name].info).info.name == name
        if not name.startswith("synthetic"):
            return  # read in tests/data
    # A preset has its own model.
    words = [word for word in words if not word.startswith("model=" if group == "experiment" else f"{group}=")]
    words += ["hydra.run.dir=run", f"{group}={name}", "trainer.limit_batches=1", "epochs=1", *SMALLER.get(name, [])]
    words += ["trainer.compile=auto"]  # compiling takes half a minute, and has its own test
    if group == "trainer":
        words = [word for word in words if not word.startswith("trainer.accelerator")]
    if name == "gpu" and not torch.cuda.is_available():
        outcome = run("train", *words)
        assert outcome.status == 2
        assert "finds no such device" in outcome.err
        return
    words += ["data.split=random", *(["callbacks.convergence.min_epochs=1"] if name == "report_segnet" else [])]
    outcome = run("train", *words)
    assert outcome.status == 0, outcome.err
    assert results_of(tmp_path / "run")["status"] == "finished"


def test_yaml_and_dataclasses_have_the_same_options() -> None:
    for group, kinds in CHOICES.items():
        files = {path.stem for path in (conf_dir() / group).glob("*.yaml")}
        assert files == set(kinds), group
        for name in kinds:
            pair = (
                [] if group != "data" else [f"model={'cnn' if TASKS['data'][name] == 'classification' else 'segnet'}"]
            )
            composed = compose("train", [*pair, f"{group}={name}"])
            shown = {f"{group}.{key}" for key in composed[group]}
            known = {path for path in option_paths(Train, {group: name}) if path.startswith(f"{group}.")}
            assert shown == known, f"{group}={name}"


def test_every_option_without_a_group_of_choices_is_shown() -> None:
    for schema, name in (
        (Train, "train"),
        (Evaluate, "evaluate"),
        (Export, "export"),
        (Predict, "predict"),
        (Report, "report"),
        (Compare, "compare"),
        (Prepare, "prepare"),
        (Demo, "demo"),
    ):
        composed = compose(name, [])
        for path, choices in option_paths(schema).items():
            if not choices:
                OmegaConf.select(composed, path, throw_on_missing=True)
                parent = OmegaConf.select(composed, path.rpartition(".")[0]) if "." in path else composed
                assert path.rpartition(".")[2] in parent, path


def test_tables_name_the_same_models_and_data_sets() -> None:
    assert set(BUILDERS) == set(CHOICES["model"]) == set(TASKS["model"])
    assert set(LOSSES) == set(CHOICES["loss"])
    assert set(SOURCES) == set(CHOICES["data"]) == set(TASKS["data"])
    assert {name: source.info.task for name, source in SOURCES.items()} == TASKS["data"]


def test_an_explicit_data_set_wins_over_the_models_also_under_a_preset() -> None:
    composed = compose("train", ["experiment=report_segnet", "data=synthetic_facade"])
    assert composed.data.name == "synthetic_facade"
    assert compose("train", ["model=segnet"]).data.name == "facade"
    assert compose("train", ["experiment=report_segnet"]).data.split == "published"
    assert compose("train", ["experiment=debug", "model=segnet"]).data.name == "facade"
