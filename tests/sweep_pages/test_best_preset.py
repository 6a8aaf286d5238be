"""The best trial of a search as a preset: run by its name, it comes to the options of the trial."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from conftest import Command
from fashseg.composing import compose
from fashseg.run import RunFolder, flat_options
from fashseg.sweep.preset import preset_command, write_preset
from own_plugin import USE, as_in_a_new_process, write_plugin
from sweep_pages.made_studies import made_study

NOT_OF_THE_RUN = (
    "plugins",
    "notes",
    "page",
    "debug",
    "resume",
    "data.root",
    "data.download",
    "data.mirrors",
    "logger.",
)


def finished_trial(folder: Path, fixed: list[str], params: dict[str, str], **changes: Any) -> dict[str, Any]:
    """A search in a folder whose trial 0 has run by these words, as train keeps its options."""
    study = made_study(0, overrides=fixed, **changes)
    study["trials"][0]["params"] = params
    words = [*fixed, *(f"{name}={value}" for name, value in params.items())]
    run = RunFolder(folder / "0")
    run.path.mkdir(parents=True)
    run.write_config(compose("train", [word for word in words if not word.startswith("hydra")]))
    return study


def options_of_preset(run: Command, command: str) -> dict[str, Any]:
    """What the command of the preset comes to, by Hydra's own command line."""
    start, *words = shlex.split(command.removeprefix("python -m fashseg."))
    assert start == "train"
    outcome = run("train", *words, "--cfg", "job", "--resolve")
    assert outcome.status == 0, outcome.err
    options = flat_options(OmegaConf.to_container(OmegaConf.create(outcome.out), resolve=False))
    return {path: value for path, value in options.items() if not path.startswith(NOT_OF_THE_RUN)}


def options_of_trial(folder: Path) -> dict[str, Any]:
    options = RunFolder(folder).read_options()
    return {path: value for path, value in options.items() if not path.startswith(NOT_OF_THE_RUN)}


TRIED = {
    "numbers as they are typed, defaults too": (
        ["model=cnn"],
        {"optimizer.lr": "1e-3", "epochs": "7", "optimizer.weight_decay": ".5", "optimizer": "adam"},
    ),
    "choices of groups": (
        ["model=cnn", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=3"],
        {"optimizer": "sgd", "scheduler": "one_cycle", "augment": "flip", "loss": "focal"},
    ),
    "the other model brings its data": ([], {"model": "segnet", "optimizer.lr": "3e-05"}),
    "other data than the model's": (["data=mask_folder", "data.root=/a b"], {"model": "unet", "model.widths": "[4,8]"}),
    "a preset below": (
        ["experiment=small_best", "augment.erase=4"],
        {"model.blocks": "[1,2,1]", "optimizer.lr": "0.2"},
    ),
    "a preset on another one": (["experiment=speedrun_gpu", "trainer.accelerator=cpu"], {"batch_size": "32"}),
    "arguments of a library": (
        ["model=timm", "data=synthetic_fashion", "++model.options.patch_size=4"],
        {"++model.options.drop_rate": "0.1"},
    ),
    "the data of a preset": (
        ["experiment=report_segnet", "data=synthetic_facade", "data.split=random"],
        {"epochs": "31"},
    ),
    "nothing, texts and seeds": (
        ["model=vgg", "model.stem=4", "model.hidden=null", r"notes='a \${seed} #1'", "seed=5", "data.split_seed=2"],
        {"trainer.precision": "'32'", "eval_train": "false", "trainer.gradient_clip": "1e-3", "on_nan": "skip"},
    ),
    "a text that looks like a reference": (
        ["data=image_folder", "data.root=x", "logger=none", r"data.label_column='a\${x} - \"ü\": {1}'"],
        {"seed": "1"},
    ),
}


@pytest.mark.parametrize(("fixed", "params"), TRIED.values(), ids=TRIED)
def test_the_preset_comes_to_the_options_of_the_trial(
    run: Command, tmp_path: Path, fixed: list[str], params: dict[str, str]
) -> None:
    folder = tmp_path / "outputs" / "a study"
    study = finished_trial(folder, fixed, params)
    said = write_preset(folder, study)
    assert said[0] == "best trial: 0, score 0.9126 on validation; as a preset:", said
    assert said[1] == "  python -m fashseg.train --config-dir 'outputs/a study/conf' experiment=best"
    assert options_of_preset(run, said[1].strip()) == options_of_trial(folder / "0")
    named = [name.lstrip("+") for name in params if "." in name]
    content = OmegaConf.load(folder / "conf" / "experiment" / "best.yaml")
    for name in named:
        assert OmegaConf.select(content, name, default="missing") != "missing", "what was searched stands in it"
    assert "logger" not in content
    assert "notes" not in content


def test_seeds_are_left_to_follow(tmp_path: Path) -> None:
    study = finished_trial(tmp_path, ["model=cnn", "seed=5"], {"batch_size": "32"})
    write_preset(tmp_path, study)
    words = [f"hydra.searchpath=[file://{tmp_path / 'conf'}]", "experiment=best", "seed=7"]
    assert compose("train", words).data.split_seed == 7


def test_a_plugin_s_choices_are_kept_and_its_code_is_named_again(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plugin(tmp_path / "own")
    monkeypatch.chdir(tmp_path)
    try:
        assert run("train", USE, "model=line", "--cfg", "job").status == 0  # reads the plugin, as a search does
        fixed = ["model=line", "loss=power", USE]
        study = finished_trial(tmp_path / "s", fixed, {"model.scale": "1e-3", "data.images": "40"})
        said = write_preset(Path("s"), study)
        assert said[1] == f"  python -m fashseg.train --config-dir s/conf experiment=best '{USE}'"
        as_in_a_new_process()
        assert options_of_preset(run, said[1].strip()) == options_of_trial(tmp_path / "s" / "0")
    finally:
        as_in_a_new_process()


def test_the_header_says_where_it_comes_from(tmp_path: Path) -> None:
    study = finished_trial(
        tmp_path, ["model=cnn"], {"optimizer.lr": "1e-4"}, command="python -m fashseg.train -m\n  evil: 1"
    )
    results = {"status": "finished", "epochs_run": 3, "train_seconds": 75, "versions": {"torch": "2.15.0"}}
    RunFolder(tmp_path / "0").write_results(**results, machine={"processor": "EPYC\n\x1b[31m", "gpus": []})
    write_preset(tmp_path, study)
    text = (tmp_path / "conf" / "experiment" / "best.yaml").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0] == "# @package _global_"
    header = " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))
    for part in (
        "trial 0 of cnn-1a2b3c",
        "Score 0.9126 on validation",
        "3 epochs, 1:15 of training on EPYC",
        "PyTorch 2.15.0",
        "tpe, pruner median",
        "fashseg.train -m\\n  evil: 1",
    ):
        assert part in header, part
    assert "\x1b" not in text
    assert "evil" not in OmegaConf.load(tmp_path / "conf" / "experiment" / "best.yaml")


def test_several_objectives_have_a_preset_each(run: Command, tmp_path: Path) -> None:
    study = made_study(2, objectives=2)
    first = study["trials"][0]
    study["trials"] = []
    for number, (score, parameters) in enumerate([(0.8, 10), (0.9, 20), (0.7, 30)]):
        trial = {**first, "number": number, "folder": str(number), "state": "finished", "values": [score, parameters]}
        study["trials"].append({**trial, "params": {"optimizer.lr": f"0.00{number + 1}"}})
        run_folder = RunFolder(tmp_path / str(number))
        run_folder.path.mkdir()
        run_folder.write_config(compose("train", ["model=cnn", f"optimizer.lr=0.00{number + 1}"]))
    stale = tmp_path / "conf" / "experiment" / "front_2.yaml"
    own = tmp_path / "conf" / "experiment" / "front_9.yaml"
    stale.parent.mkdir(parents=True)
    stale.write_text("# @package _global_\n# Out of a search: trial 2\n", encoding="utf-8")
    own.write_text("# @package _global_\n# mine\n", encoding="utf-8")
    study["overrides"] = ["model=cnn"]
    said = write_preset(tmp_path, study)
    assert said[0] == "best trial in score: 1, score 0.9000 and parameters 20.0000 on validation; as a preset:"
    assert said[2].startswith("on the Pareto front: trial 0")
    assert sorted(path.name for path in stale.parent.iterdir()) == ["best.yaml", "front_0.yaml", "front_9.yaml"]
    assert options_of_preset(run, said[3].strip())["optimizer.lr"] == 0.001


def test_without_the_trial_s_folder_the_command_tells(run: Command, tmp_path: Path) -> None:
    study = made_study(0, overrides=["experiment=speedrun"])
    study["trials"][0] |= {"params": {"optimizer.lr": "1e-4"}, "folder": "/elsewhere/0"}
    said = write_preset(tmp_path, study)
    options = options_of_preset(run, said[1].strip())
    assert (options["optimizer.lr"], options["model.widths"], options["epochs"]) == (1e-4, [32], 1)


def _broken(study: dict[str, Any]) -> dict[str, Any]:
    return {**study, "trials": 1}


def _nothing_finished(study: dict[str, Any]) -> dict[str, Any]:
    return {**study, "trials": []}


def _no_such_choice(study: dict[str, Any]) -> dict[str, Any]:
    trial = {**study["trials"][0], "folder": None, "params": {"optimizer": "mine"}}
    return {**study, "trials": [trial]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_broken, "study.json can't be read"),
        (_nothing_finished, "no trial has finished"),
        (_no_such_choice, "no preset of trial 0 was written: optimizer=mine is not a choice"),
    ],
)
def test_what_goes_wrong_is_a_line(tmp_path: Path, change: Any, said: str) -> None:
    (line,) = write_preset(tmp_path, change(made_study(0)))
    assert said in line
    assert not (tmp_path / "conf").exists()


def test_a_folder_that_can_t_be_written_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("", encoding="utf-8")
    study = finished_trial(tmp_path, ["model=cnn"], {"optimizer.lr": "1e-4"})
    (line,) = write_preset(tmp_path, study)
    assert "can't be written" in line


def test_the_command_is_right_for_the_shell() -> None:
    assert shlex.split(preset_command("it's here", ["plugins=[a b.py]"])) == [
        *("python", "-m", "fashseg.train", "--config-dir", "it's here/conf", "experiment=best", "plugins=[a b.py]")
    ]
