"""``--help``: the same text as Hydra's, sooner; and what only Hydra can tell is left to it."""

from dataclasses import fields
from pathlib import Path

import pytest

from conftest import Command
from fashseg import cli
from fashseg.option_help import SCHEMAS


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--help"],
        ["train", "--help", "model=segnet"],
        ["evaluate", "-h"],
        ["report", "-h"],
        ["compare", "-h"],
        ["export", "-h"],
        ["predict", "-h"],
        ["prepare", "-h"],
        ["demo", "-h"],
    ],
    ids=" ".join,
)
def test_the_text_is_that_of_hydra(words: list[str], run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    own = run(*words)
    assert own.status == 0, own.err
    monkeypatch.setattr(cli, "help_text", lambda _composed: None)
    assert own.out == run(*words).out


@pytest.mark.parametrize("flag", ["--config-dir={}", "hydra.searchpath=[file://{}]"], ids=["flag", "option"])
def test_choices_of_ones_own_are_there(flag: str, run: Command, tmp_path: Path) -> None:
    for name in ("model/mine.yaml", "model/small/mine.yaml", "study/mine.yaml", "hydra/help/mine.yaml", "mine.yaml"):
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / name).touch()
    lines = run("train", "--help", flag.format(tmp_path / "own")).out.splitlines()
    models = next(line.strip() for line in lines if line.strip().startswith("model: "))
    assert "mine" in models.removeprefix("model: ").split(", ")
    assert "cnn" in models.removeprefix("model: ").split(", ")
    assert sum("mine" in line for line in lines) == 3  # of Hydra's own groups nothing is told


def test_another_text_is_put_together_by_hydra(run: Command) -> None:
    outcome = run("train", "--help", "hydra/help=default")
    assert outcome.status == 0
    assert "epochs: 10" in outcome.out  # its $CONFIG
    outcome = run("train", "--help", "hydra.help.template='100 $ a month'")
    assert outcome.status == 2
    assert len(outcome.err.splitlines()) == 2


@pytest.mark.parametrize("verb", SCHEMAS)
def test_every_option_is_told_with_its_value_and_meaning(verb: str, run: Command) -> None:
    text = run(verb, "--help").out
    lines, in_a_row = text.splitlines(), " ".join(text.split())
    for item in fields(SCHEMAS[verb]):
        if "help" not in item.metadata:
            continue  # a group, whose options are told one by one
        name = "model" if item.name == "weights" else item.name
        assert any(line.startswith(f"{name}=") for line in lines), name
        assert " ".join(item.metadata["help"].split()) in in_a_row, name


def test_options_are_told_of_the_choices_that_were_made(run: Command) -> None:
    text = run("train", "--help", "model=unet", "optimizer=sgd", "epochs=77", "notes=$a").out
    assert "model.decoder_convs=" in text
    assert "model.hidden=" not in text
    assert "optimizer.momentum=" in text
    assert "epochs=77 " in text
    assert "notes=$a" in text
    assert "model.name" not in text


def test_values_do_not_command_the_terminal(run: Command) -> None:
    outcome = run("train", "--help", "notes='\x1b[31m red'", f"data.root={'x' * 5000}")
    assert outcome.status == 0
    assert "\x1b" not in outcome.out
    assert max(map(len, outcome.out.splitlines())) < 200
