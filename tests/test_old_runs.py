"""Run folders of before there was a choice of losses or of trackers: they load, are scored and gone on with."""

import shutil
from collections.abc import Callable
from pathlib import Path

import torch
import yaml

from conftest import Command, results_of
from fashseg.run import RunFolder
from fashseg.tasks import task_class
from fashseg.trained import load_trained


def make_old(folder: Path) -> None:
    path = folder / "config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    del config["loss"], config["plugins"]
    config["logger"] = {"tensorboard": False, "pictures_every": None}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    for name in ("best", "last"):
        checkpoint = folder / "checkpoints" / f"{name}.ckpt"
        content = torch.load(checkpoint, weights_only=True)
        del content["hyper_parameters"]["options"]["loss"]
        torch.save(content, checkpoint)


def test_a_run_of_before_losses_were_a_choice(
    run: Command, trained_once: Callable[[str], Path], tmp_path: Path
) -> None:
    finished = Path(shutil.copytree(trained_once("cnn"), tmp_path / "r"))
    before = results_of(finished)
    assert before["loss"] == "cross_entropy"
    make_old(finished)
    assert run("evaluate", "run=r").status == 0
    assert RunFolder(finished).read_options()["loss.label_smoothing"] == 0.0, "it compares with a run of today"
    best = finished / "checkpoints" / "best.ckpt"
    task = task_class(before["task"]).load_from_checkpoint(best, weights_only=True)
    assert task.loss.label_smoothing == 0.0
    assert load_trained(run=str(finished)).name == before["model"]
    refused = run("train", "resume=r", "epochs=3", "loss=focal")
    assert refused.status == 2
    assert "was started with loss=cross_entropy" in refused.err
    gone_on = run("train", "resume=r", "epochs=3", "page=false")
    assert gone_on.status == 0, gone_on.err
    assert results_of(finished)["epochs_run"] == 3
