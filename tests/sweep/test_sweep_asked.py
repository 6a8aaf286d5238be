"""What a search asks for is checked before anything starts; spaces come from the command line and from conf/sweep."""

import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import Command, assert_two_lines
from fashseg.checking import option_paths
from fashseg.composing import compose, conf_dir, parse
from fashseg.config import Train
from fashseg.errors import UserError
from fashseg.sweep.asked import asked_search
from fashseg.sweep.options import check_options
from fashseg.sweep.outer import left_to_jobs, without_space
from fashseg.sweep.search import Search
from fashseg.sweep.space import dimension

SEARCH = "hydra/sweeper=optuna"
LR = "optimizer.lr=tag(log,interval(1e-4,1e-2))"


def asked(*words: str, choices: Path | None = None) -> Search:
    overrides = parse(words)
    more = [f"hydra.searchpath=[file://{choices}]"] if choices else []
    composed = compose("train", [*without_space(overrides, option_paths(Train)), *more], with_hydra=True)
    return asked_search(overrides, composed, lambda some: compose("train", [*some, *more]))


def space(*words: str) -> dict[str, dict[str, Any]]:
    return {path: found.as_record() for path, found in asked(SEARCH, *words).space.items()}


def test_spaces_of_the_command_line() -> None:
    assert space(LR, "optimizer=adam,sgd", "batch_size=choice(32,64)", "epochs=range(2,10,2)") == {
        "optimizer.lr": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True, "step": None},
        "optimizer": {"kind": "choice", "choices": ["adam", "sgd"]},
        "batch_size": {"kind": "choice", "choices": ["32", "64"]},
        "epochs": {"kind": "int", "low": 2, "high": 8, "log": False, "step": 2},
    }


def test_an_interval_of_a_whole_number_gives_whole_numbers() -> None:
    found = space(
        "model.hidden=interval(8,64)", "batch_size=tag(log,int(interval(8,64)))", "optimizer.lr=interval(1,2)"
    )
    assert found["model.hidden"] == {"kind": "int", "low": 8, "high": 64, "log": False, "step": None}
    assert found["batch_size"] == {"kind": "int", "low": 8, "high": 64, "log": True, "step": None}
    assert found["optimizer.lr"] == {"kind": "float", "low": 1.0, "high": 2.0, "log": False, "step": None}


@pytest.mark.parametrize("name", [path.stem for path in sorted((conf_dir() / "sweep").glob("*.yaml"))])
def test_every_file_of_conf_is_a_search(name: str) -> None:
    found = asked(f"sweep={name}")
    assert len(found.space) >= 3
    assert f"model={name}" in found.fixed
    assert all(plan.model.name == name and not plan.page for plan in found.plans)


def test_the_command_line_goes_before_a_file() -> None:
    found = asked("sweep=cnn", "optimizer.lr=1e-3", "batch_size=16,32", "page=true", "hydra.sweeper.n_trials=7")
    assert set(found.space) == {"batch_size", "model.hidden", "loss.label_smoothing"}
    assert found.space["batch_size"].choices == ("16", "32")
    assert found.fixed == ["model=cnn", "optimizer.lr=1e-3", "page=true"]
    assert found.options.n_trials == 7


def test_an_option_of_the_searched_choices_may_be_fixed() -> None:
    found = asked(SEARCH, "model=choice(resnet,wide_resnet)", "model.squeeze=16")
    assert found.fixed[0] == "model.squeeze=16"
    assert {plan.model.name: getattr(plan.model, "squeeze", None) for plan in found.plans} == {
        "resnet": 16,
        "wide_resnet": 16,
    }


@pytest.mark.parametrize("value", ["16", "", "null", "'a, b'", "[1,{a: 2}]", "${seed}"])
def test_an_option_that_is_left_to_the_jobs_keeps_its_value(value: str) -> None:
    word = f"model.squeeze={value}"
    assert left_to_jobs(parse(["epochs=1,2", word]), option_paths(Train)) == ["epochs=1,2", word]
    _, option = parse(left_to_jobs(parse(["model=resnet,vgg", word]), option_paths(Train)))
    (text,) = option.sweep_string_iterator() if option.is_sweep_override() else [value]
    assert parse([f"{option.key_or_group}={text}"])[0].value() == parse([word])[0].value()
    compose("train", [] if option.is_sweep_override() else [str(option.input_line)])  # as Hydra does, with model=cnn


def test_default_name_follows_from_what_is_searched_and_fixed_alone() -> None:
    name = asked(SEARCH, LR, "epochs=3").default_name()
    assert name.startswith("cnn_")
    same = ("hydra.sweeper.n_trials=50", "data.root=elsewhere", "notes=x", "hydra.sweeper.max_failure_rate=1")
    assert asked(SEARCH, "epochs=3", LR, *same).default_name() == name
    for words in (["epochs=4"], ["epochs=3", "hydra.sweeper.seed=1"]):
        assert asked(SEARCH, LR, *words).default_name() != name


def test_pictures_of_one_s_own_in_another_folder_are_another_study() -> None:
    words = (SEARCH, LR, "data=image_folder")
    one, other = (asked(*words, f"data.root={root}").default_name() for root in ("dogs", "cats"))
    assert one != other
    assert asked(*words, f"data.root={Path('dogs').absolute()}").default_name() == one


def test_a_preset_of_the_same_name_and_other_content_is_another_study(tmp_path: Path) -> None:
    names = []
    for size in (8, 512, 8):
        folder = tmp_path / str(len(names)) / "experiment"
        folder.mkdir(parents=True)
        (folder / "best.yaml").write_text(f"# @package _global_\nbatch_size: {size}\n", encoding="utf-8")
        names.append(asked(SEARCH, LR, "experiment=best", choices=folder.parent).default_name())
    assert names[0] != names[1]
    assert names[0] == names[2], "wherever it is"


WRONG = [
    ([SEARCH, "optimzer.lr=interval(1,2)"], ["optimzer.lr", "Did you mean optimizer.lr?"]),
    ([SEARCH, "loss.label_smoothing=interval(0,1)"], ["label_smoothing=1.0 is out of range", "less than 1"]),
    ([SEARCH, "optimizer.lr=interval(-0.1,1)"], ["optimizer.lr=-0.1 is out of range", "interval(-0.1,1)"]),
    ([SEARCH, "batch_size=interval(8.5,64)"], ["batch_size takes whole numbers, and 8.5 is none"]),
    ([SEARCH, "trainer.precision=interval(1,2)"], ["takes text, which no interval holds"]),
    ([SEARCH, "optimizer=adam,sdg"], ["optimizer=sdg is not a choice", "adamw, sgd"]),
    ([SEARCH, "trainer.precision=64,65"], ["trainer.precision=65 is not one of"]),
    ([SEARCH, "optimizer=adam,sgd", "optimizer.momentum=interval(0,0.9)"], ["optimizer=adam", "optimizer=sgd alone"]),
    ([SEARCH, "optimizer.momentum=interval(0,0.9)"], ["optimizer=adam has no option optimizer.momentum", "sgd"]),
    ([SEARCH], ["no space to search"]),
    ([SEARCH, "resume=x", LR], ["resume="]),
    ([SEARCH, LR, "hydra.sweeper.ntrials=3"], ["ntrials", "Did you mean hydra.sweeper.n_trials?"]),
    ([SEARCH, LR, "hydra.sweeper.sampler=grid"], ["sampler=grid needs values that can be counted"]),
    ([SEARCH, LR, "hydra.sweeper.params.epochs=3"], ["is for files of conf/sweep", "epochs=..."]),
    ([SEARCH, LR, "hydra.sweeper.study_name=a/b"], ["study_name=a/b is no name of a folder"]),
    ([LR], ["is a space to search", "hydra/sweeper=optuna"]),
]


@pytest.mark.parametrize(("words", "parts"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_what_is_wrong_is_said_in_two_lines(words: list[str], parts: list[str], run: Command, tmp_path: Path) -> None:
    assert_two_lines(run("train", "-m", "data=synthetic_fashion", *words), *parts)
    assert not list(tmp_path.glob("outputs/sweep/*/0"))


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("epochs=interval(5,1)", "epochs=interval(5,1) is empty: 5 is more than 1. Write the smaller end first."),
        ("epochs=interval(5,5)", "holds one value only"),
        ("epochs=interval(1,inf)", "no finite number"),
        ("epochs=tag(log,interval(0,1))", "on a log scale both ends must be greater than 0, and 0 is not"),
        ("epochs=tag(lgo,interval(1,2))", "tag lgo means nothing here"),
        ("epochs=range(5,5)", "gives no values"),
        ("epochs=tag(log,range(2,9,2))", "log goes with steps of 1 alone"),
        ("epochs=range(1,20000)", "more than 10,000 values"),
        ("optimizer=adam,adam", "names adam twice"),
    ],
)
def test_a_space_that_nothing_can_be_drawn_from_is_refused(line: str, part: str) -> None:
    with pytest.raises(UserError) as refused:
        dimension(parse([line])[0])
    assert part in f"{refused.value.what} {refused.value.way_out}"


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"n_trials": 0}, "hydra.sweeper.n_trials=0 is out of range"),
        ({"n_trials": "many"}, "n_trials=many has the wrong type: it must be a whole number or null"),
        ({"n_trials": None}, "n_trials=null is for sampler=grid"),
        ({"sampler": "tpee"}, "sampler=tpee is not one of tpe, random, qmc, cmaes, grid"),
        (
            {"objectives": ["test.accuracy"]},
            "test images, which decide nothing. Choose one of validation: score, or val.acc",
        ),
        ({"objectives": ["scores"]}, "scores is nothing that a run writes to results.json. Did you mean score?"),
        ({"objectives": ["score", "parameters"]}, "pruner=median goes by one objective"),
        ({"objectives": ["val.ece"], "pruner": "none"}, "whether more or less of val.ece is good is not known"),
        ({"objectives": ["score", "val.loss"], "pruner": "none", "sampler": "cmaes"}, "cmaes takes one objective"),
        ({"direction": "up"}, "direction=up must be maximize or minimize"),
        ({"direction": ["maximize", "minimize"]}, "for each of 1 objectives"),
    ],
)
def test_options_of_the_search_are_checked(options: dict[str, Any], part: str) -> None:
    with pytest.raises(UserError) as refused:
        check_options(options)
    assert part in f"{refused.value.what} {refused.value.way_out}"


def test_a_search_is_for_many_runs_and_for_train() -> None:
    from fashseg import evaluate, train

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train"])
        assert train.main(["sweep=cnn"]) == 2
        assert evaluate.main(["-m", SEARCH, "run=x", "split=val,test"]) == 2


def test_a_file_that_sets_options_by_itself_is_refused(run: Command, tmp_path: Path) -> None:
    (tmp_path / "conf" / "sweep").mkdir(parents=True)
    (tmp_path / "conf" / "sweep" / "mine.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /hydra/sweeper: optuna\nepochs: 3\n"
        "hydra:\n  sweeper:\n    params:\n      optimizer.lr: interval(1e-4,1e-2)\n"
    )
    outcome = run("train", "-m", "--config-dir=conf", "sweep=mine")
    assert_two_lines(outcome, "the file sets epochs", "epochs: 3")


def test_a_folder_of_another_search_is_refused(run: Command, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "study.json").write_text('{"study_name": "other"}')
    outcome = run("train", "-m", SEARCH, LR, "hydra.sweep.dir=s", "hydra.sweeper.study_name=mine")
    assert_two_lines(outcome, "s holds the search other, and this one is mine")
    (tmp_path / "t" / "0").mkdir(parents=True)
    assert_two_lines(run("train", "-m", SEARCH, LR, "hydra.sweep.dir=t"), "holds something else than a search")


def test_without_optuna_it_says_what_to_install(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "optuna" else found(name, *more)
    )
    assert_two_lines(run("train", "-m", SEARCH, LR), "needs optuna", "pip install 'fashseg[sweep]'")


def test_directions_follow_from_objectives() -> None:
    found = check_options({"objectives": ["score", "val.loss", "parameters"], "pruner": "none"})
    assert found.directions == ["maximize", "minimize", "minimize"]
