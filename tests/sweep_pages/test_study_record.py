"""The record of a search, read as what anybody may have written."""

import contextlib
import copy
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from amounts import amount
from fashseg.sweep.kept_study import Study, read_study
from fashseg.sweep.parsing import parse
from fashseg.untrusted import RefusedError
from fuzz.mutations import changed_tree
from sweep_pages.made_studies import made_study, write_study


def test_what_a_sweeper_writes_is_read(tmp_path: Path) -> None:
    content = made_study(40, objectives=2)
    study = read_study(write_study(tmp_path, content))
    assert (study.name, study.n_trials, study.objectives) == ("cnn-1a2b3c", 40, ("score", "parameters"))
    assert (study.maximises(0), study.maximises(1)) == (True, False)
    assert study.done == 40
    assert study.count("lost") == 1
    rate = study.space["optimizer.lr"]
    assert (rate.kind, rate.low, rate.high, rate.log) == ("float", 1e-4, 1e-1, True)
    assert study.space["optimizer"].choices == ("adam", "sgd", "adamw")
    for trial, said in zip(study.trials, content["trials"], strict=True):
        assert trial.params == said["params"]
        assert list(trial.values) == (said["values"] or [])
        assert {str(epoch): score for epoch, score in trial.intermediate.items()} == said["intermediate"]
        assert trial.started is not None
        assert trial.started.isoformat() == said["started"]
    assert study.trials[4].replaces == 3


def test_trials_are_ordered_by_number_and_epochs_by_time() -> None:
    content = made_study(12)
    content["trials"].reverse()
    content["trials"][0]["intermediate"] = {"10": 0.3, "9": 0.2, "1": 0.1}
    study = parse(content)
    assert [trial.number for trial in study.trials] == list(range(13))
    assert (study.trials[12].epochs, study.trials[12].last) == (10, 0.3)


def _at(content: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(content)
    *above, leaf = path.split("/")
    node: Any = changed
    for part in above:
        node = node[int(part) if isinstance(node, list) else part]
    node[leaf] = value
    return changed


WRONG = {
    "another version": ("format", 2, "its format is 2"),
    "no name": ("study_name", None, "study_name is None"),
    "a direction too many": ("directions", ["maximize", "minimize"], "directions"),
    "an unknown direction": ("directions", ["up"], "maximize or minimize"),
    "no objectives": ("objectives", [], "objectives"),
    "trials that are none": ("trials", {"0": {}}, "trials is no list"),
    "a trial that is none": ("trials", [1], "trials[0] is no group"),
    "a number as text": ("trials/2/number", "2", "trials[2].number is '2'"),
    "a number twice": ("trials/2/number", 1, "the same number"),
    "an unknown state": ("trials/2/state", "<b>done</b>", "trials[2].state is '<b>done</b>'"),
    "parameters that are numbers": ("trials/2/params", {"optimizer.lr": 0.1}, "trials[2].params.optimizer.lr is 0.1"),
    "too few values": ("trials/2/values", [], "trials[2].values is []"),
    "a value as text": ("trials/2/values", ["0.9"], "trials[2].values is '0.9', no number"),
    "an epoch that is none": ("trials/2/intermediate", {"-1": 0.5}, "trials[2].intermediate has the key '-1'"),
    "a score as text": ("trials/2/intermediate", {"1": "x"}, "trials[2].intermediate.1 is 'x'"),
    "a time that is none": ("trials/2/started", "yesterday", "trials[2].started is 'yesterday', no time"),
    "an empty interval": ("space/optimizer.lr/low", 5, "space.optimizer.lr is no interval"),
    "a logarithm of 0": ("space/optimizer.lr/low", 0, "no logarithmic scale"),
    "an unknown kind": ("space/optimizer/kind", "set", "space.optimizer.kind is 'set'"),
    "words that are none": ("overrides", "epochs=3", "overrides is 'epochs=3', no list of texts"),
    "importance of text": ("importance", {"optimizer.lr": "most"}, "importance.optimizer.lr"),
}


@pytest.mark.parametrize(("path", "value", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(path: str, value: Any, said: str) -> None:
    with pytest.raises(RefusedError) as error:
        parse(_at(made_study(6), path, value))
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_numbers_that_nobody_measures_are_none() -> None:
    content = made_study(6)
    content["trials"][0] |= {"values": [float("nan")], "seconds": 1e300, "intermediate": {"1": float("inf"), "2": 0.5}}
    content["importance"] = {"optimizer.lr": float("nan"), "optimizer": 0.5}
    study = parse(content)
    assert study.trials[0].value() is None
    assert study.trials[0].seconds is None
    assert study.trials[0].intermediate == {2: 0.5}
    assert study.importance == {"optimizer": 0.5}


def test_text_may_be_shown_as_it_is() -> None:
    content = made_study(6, study_name="a\x1b[31m\nb")
    content["trials"][0] |= {"error": "\x1b]0;title\x07"}
    study = parse(content)
    assert study.name == "a\\x1b[31m\\nb"
    assert study.trials[0].error == "\\x1b]0;title\\x07"


def test_what_is_no_file_or_too_much_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_study(tmp_path)
    os.mkfifo(tmp_path / "study.json")
    with pytest.raises(RefusedError, match="no regular file"):
        read_study(tmp_path)
    with pytest.raises(RefusedError, match="more than 20,000"):
        parse({**made_study(2), "trials": [{}] * 20_001})


def test_a_record_with_odd_values_is_read_or_refused() -> None:
    whole = made_study(8, objectives=2)
    read = 0
    for seed in range(amount(300, 5000)):
        content = json.loads(json.dumps(changed_tree(copy.deepcopy(whole), random.Random(seed))))
        with contextlib.suppress(RefusedError):
            read += isinstance(parse(content), Study)
    assert read > 20
