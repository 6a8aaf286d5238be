"""Texts of the user in config.yaml: what they say comes back, whatever it looks like."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from conftest import TINY_CNN, Command, assert_two_lines, results_of
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.config import Train
from fashseg.errors import UserError
from fashseg.run import RunFolder

# As they are typed, and as they are meant.
NOTES = {r"a \${seed}": "a ${seed}", r"\${oc.env:HOME} \${x} \\\${seed} \\ \${": r"${oc.env:HOME} ${x} \${seed} \\ ${"}


@pytest.mark.parametrize(("typed", "meant"), NOTES.items())
def test_notes_that_look_like_references_are_kept(run: Command, tmp_path: Path, typed: str, meant: str) -> None:
    folder = RunFolder(tmp_path / "r")

    def kept() -> set[Any]:
        return {folder.read_results()["notes"], folder.read_config().notes, folder.read_options()["notes"]}

    words = [word for word in TINY_CNN if not word.startswith("epochs")]
    outcome = run("train", *words, "epochs=1", f"notes='{typed}'", "hydra.run.dir=r")
    assert outcome.status == 0, outcome.err
    assert kept() == {meant}
    assert f"notes='{typed}'" in results_of(folder.path)["overrides"]
    outcome = run("evaluate", "run=r", "split=val")
    assert outcome.status == 0, outcome.err
    outcome = run("train", "resume=r", "epochs=2")
    assert outcome.status == 0, outcome.err
    assert kept() == {meant}
    outcome = run("train", "resume=r", "epochs=3", f"notes='x {typed}'")
    assert outcome.status == 0, outcome.err
    assert kept() == {f"x {meant}"}


def test_a_folder_of_data_may_be_called_anything(run: Command, tmp_path: Path) -> None:
    outcome = run("train", "model=cnn", "data.download=false", r"data.root='a \${seed}'")
    assert_two_lines(outcome, str(tmp_path / "a ${seed}" / "FashionMNIST"))


TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="\0", codec="utf-8")), st.text("\\${}: .ax'\"\n\x85\u2028#", max_size=20)
)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(TEXTS)
def test_any_text_that_config_yaml_can_hold_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = RunFolder(tmp_path_factory.getbasetemp())
    # With what OmegaConf needs to take it for text, checked here.
    values = OmegaConf.create({"notes": "", "in": {"list": [""]}})
    values.notes = values["in"].list[0] = re.sub(r"(\\*)\$\{", r"\1\1\\${", text)
    assert values.notes == text
    folder.write_config(values)
    again = folder.read_config()
    assert again.notes == again["in"].list[0] == text
    assert folder.read_options()["notes"] == text
    folder.write_config(again)
    assert folder.read_config().notes == text, "resume writes what it has read"


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "\udcff"])
@pytest.mark.parametrize("option", ["notes", "data.root", "resume", "data.mirrors"])
def test_what_config_yaml_cannot_hold_is_refused(text: str, option: str) -> None:
    composed = compose("train", ["model=cnn"])
    OmegaConf.update(composed, option, [text] if option == "data.mirrors" else text)
    with pytest.raises(UserError, match="no text in UTF-8") as error:
        check(Train, composed)
    assert str(error.value).startswith(f"error: {option}=a" if text != "\udcff" else f"error: {option}=")
    assert len(str(error.value).encode().splitlines()) == 2


@pytest.mark.parametrize("text", ["a\0b", "\udcff"])
def test_it_is_refused_before_anything_is_written(run: Command, tmp_path: Path, text: str) -> None:
    assert_two_lines(run("train", *TINY_CNN, f"notes='{text}'", "hydra.run.dir=r"), "notes=", "UTF-8")
    assert not list(tmp_path.iterdir())
