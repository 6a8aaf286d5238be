"""Which trials are best, and what a search took."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashseg.sweep.kept_study import Study
from fashseg.sweep.parsing import parse
from fashseg.sweep.ranking import best_of, command_of, cost, front, ranked
from sweep_pages.made_studies import made_study


def study_of(values: list[list[float] | None], directions: list[str]) -> Study:
    content = made_study(0, directions=directions, objectives=0)
    content["objectives"] = ["score", "parameters", "val.loss"][: len(directions)]
    first = content["trials"][0]
    content["trials"] = [
        {**first, "number": number, "state": "finished" if value else "pruned", "values": value}
        for number, value in enumerate(values)
    ]
    return parse(content)


@pytest.mark.parametrize(("direction", "best"), [("maximize", 2), ("minimize", 1)])
def test_the_best_is_the_first_of_the_finished_ones(direction: str, best: int) -> None:
    study = study_of([[0.5], [0.1], [0.9], None, [0.9]], [direction])
    found = best_of(study)
    assert found is not None
    assert found.number == best
    assert len(ranked(study)) == 4


def test_of_trials_as_good_in_the_first_objective_the_best_in_the_next_is_best() -> None:
    study = study_of([[0.5, 9.0], [0.5, 3.0], [0.1, 1.0]], ["maximize", "minimize"])
    assert [trial.number for trial in ranked(study)] == [1, 0, 2]
    assert front(study)[0] == best_of(study)


def test_there_is_no_best_where_none_has_finished() -> None:
    assert best_of(study_of([None, None], ["maximize"])) is None
    assert front(study_of([None], ["maximize", "minimize"])) == []


NUMBERS = st.integers(0, 5).map(float)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), max_size=14))
def test_the_front_is_what_nothing_beats(values: list[list[float]]) -> None:
    directions = ["maximize", "minimize", "maximize"]
    signs = [-1, 1, -1]

    def beats(one: list[float], other: list[float]) -> bool:
        pairs = [(sign * a, sign * b) for sign, a, b in zip(signs, one, other, strict=True)]
        return all(a <= b for a, b in pairs) and one != other

    expected = {tuple(value) for value in values if not any(beats(other, value) for other in values)}
    found = front(study_of([*values], directions))
    assert {trial.values for trial in found} == expected
    assert len(found) == len(expected)
    assert [values.index([*trial.values]) for trial in found] == [trial.number for trial in found], "the earliest"
    firsts = [trial.values[0] or 0.0 for trial in found]
    assert firsts == sorted(firsts, reverse=True)


def test_what_pruning_saved_is_reckoned_from_the_trials_themselves() -> None:
    content = made_study(0)
    first = content["trials"][0]
    pruned: dict[str, Any] = {"state": "pruned", "values": None, "intermediate": {"1": 0.5, "2": 0.6}, "seconds": 20.0}
    content["trials"] = [{**first, "seconds": 100.0}, {**first, **pruned, "number": 1}]
    spent = cost(parse(content), [10, 10], [None, None])
    assert (spent.epochs, spent.planned, spent.seconds, spent.saved) == (12, 20, 120.0, 80.0)
    assert cost(parse(content), [10, 10], [None, 3.0]).saved == 24.0, "a start is not saved"
    assert cost(parse(content), [None, 10], [None, None]).planned == 20, "only the pruned ones have to be known"
    assert cost(parse(content), [10, None], [None, None]).planned is None


@pytest.mark.parametrize(
    ("flag", "shown"),
    [
        ("--config-dir 'my conf'", " --config-dir 'my conf' "),
        ("--config-dir=a/b", " --config-dir a/b "),
        ("'", "train "),
    ],
)
def test_the_command_of_a_trial_has_the_choices_of_the_search(flag: str, shown: str) -> None:
    study = parse(made_study(1, command=f"python -m fashseg.train -m {flag} epochs=1"))
    assert shown in command_of(study, study.trials[0])


def test_the_command_of_a_trial_is_right_for_the_shell() -> None:
    words = [
        "model=cnn",
        "hydra/sweeper=optuna",
        "hydra.sweeper.n_trials=9",
        "page=false",
        "notes='a b'",
        "optimizer.lr=1",
    ]
    study = parse(made_study(1, overrides=words))
    trial = study.trials[0]
    trial.params.clear()
    trial.params.update({"optimizer.lr": "0.5", "model.widths": "[1, 2]"})
    assert command_of(study, trial) == (
        "python -m fashseg.train model=cnn 'notes='\"'\"'a b'\"'\"'' optimizer.lr=0.5 'model.widths=[1, 2]'"
    )
