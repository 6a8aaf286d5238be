"""The pictures of a search."""

import math

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from fashseg.figures import style
from fashseg.figures.importance import importances
from fashseg.figures.parallel import parallel_coordinates
from fashseg.figures.pareto import pareto_front
from fashseg.figures.search_curves import search_curves
from fashseg.figures.search_history import search_history
from fashseg.figures.slices import Axis, slices
from fashseg.figures.worth_seeing import score_limits, short_number

VALUES = [0.80, 0.90, 0.85, 0.70, math.nan, 0.95, 0.10]
STATES = ["finished", "finished", "finished", "pruned", "failed", "finished", "finished"]


def _named(axes, name):
    handles, labels = axes.get_legend_handles_labels()
    return handles[labels.index(name)]


def _legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_best_so_far_goes_over_finished_trials_alone():
    values = [0.8, 0.99, 0.85, 0.82, 0.1]
    states = ["finished", "pruned", "finished", "finished", "pruned"]
    figure = search_history(range(5), values, states, "score", spent=[3, 4, 9, 7, 10])
    over_trials, over_spent = figure.axes
    assert _named(over_trials, "best so far").get_xydata().tolist() == [[0, 0.8], [2, 0.85], [3, 0.85], [4, 0.85]]
    assert over_spent.lines[0].get_xydata().tolist() == [[3, 0.8], [7, 0.82], [9, 0.85], [10, 0.85]]
    assert over_spent.get_xlabel() == "epochs of all trials"


def test_less_may_be_better():
    figure = search_history(range(3), [0.5, 0.7, 0.2], ["finished"] * 3, "loss", maximise=False)
    assert _named(figure.axes[0], "best so far").get_ydata().tolist() == [0.5, 0.5, 0.2]


def test_each_state_has_its_mark_and_what_is_off_the_axis_is_at_its_edge():
    values, states = [*VALUES, 0.84, 0.86, 0.87, 0.83], [*STATES, *["finished"] * 4]
    figure = search_history(range(len(values)), values, states, "score")
    axes = figure.axes[0]
    assert {"finished", "pruned: its last score", "failed", "finished, worse than shown"} < set(_legend(figure))
    assert _named(axes, "finished, worse than shown").get_offsets().tolist() == [[6, axes.get_ylim()[0]]]
    assert axes.get_ylim()[0] > 0.1
    assert _named(axes, "failed").get_offsets()[0][0] == 4


def test_all_values_are_shown_unless_they_would_hide_the_others():
    assert score_limits([0.1, 0.2, 0.3, 0.4])[0] < 0.1
    low, high = score_limits([0.1, 0.9, 0.91, 0.92, 0.93, 0.94])
    assert 0.8 < low < 0.9
    assert high > 0.94
    assert score_limits([9, 1.0, 1.1, 1.2, 1.3, 1.05], maximise=False)[1] < 3
    assert score_limits([]) == (0, 1)
    for same in ([0.5], [0.0, 0.0]):
        low, high = score_limits(same)
        assert low < same[0] < high


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0001, "1e-4"), (1e-5, "1e-5"), (0.01, "0.01"), (120000, "120,000"), (2.5e7, "2.5e7"), (0, "0")],
)
def test_numbers_at_ticks_are_short(value, text):
    assert short_number(value) == text


def test_curves_of_pruned_trials_end_with_a_cross_and_the_best_is_thick():
    curves = [{1: 0.5, 2: 0.8}, {1: 0.4}, {1: 0.6, 2: 0.7}, {}]
    axes = search_curves(curves, ["finished", "pruned", "finished", "failed"], "accuracy").axes[0]
    assert [len(_named(axes, name).get_segments()) for name in ("finished", "pruned")] == [2, 1]
    best = _named(axes, "best at its end")
    assert best.get_ydata().tolist() == [0.5, 0.8]
    assert best.get_linewidth() > 2
    assert [1, 0.4] in [point for c in axes.collections if len(c.get_offsets()) for point in c.get_offsets().tolist()]


def test_a_slice_has_the_axis_of_its_option():
    axes = {
        "optimizer.lr": Axis([1e-4, 1e-2, 1e-3, None], log=True),
        "model.features": Axis([8, 16, 32, 64]),
        "optimizer": Axis(["sgd", "adam", "adam", None], order=("sgd", "adam")),
    }
    figure = slices(axes, [0.5, 0.9, 0.8, 0.7], "score", pruned=[False, False, True, False])
    rate, features, optimizer, unused = figure.axes
    assert [panel.get_xscale() for panel in (rate, features)] == ["log", "linear"]
    assert [text.get_text() for text in optimizer.get_xticklabels()] == ["sgd", "adam", "-"]
    assert not unused.get_visible()
    assert _named(features, "best").get_offsets().tolist() == [[16, 0.9]]
    assert _named(features, "pruned").get_offsets()[0][0] == 32
    assert len(_named(rate, "finished").get_offsets()) == 2, "the one without a value is left out"
    assert style.svg(figure).startswith("<svg")


def test_a_slice_needs_a_value_for_each_trial():
    with pytest.raises(ValueError, match="values of lr"):
        slices({"lr": Axis([1])}, [0.1, 0.2], "x")


def test_the_most_important_option_is_first_and_shares_come_to_a_whole():
    axes = importances({"a": 0.2, "b": 0.6, "c": 0.0}).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["b", "a", "c"]
    assert [text.get_text() for text in axes.texts] == ["75%", "25%", "0%"]
    assert not list(importances({}).axes[0].patches)


def test_the_front_is_joined_and_named():
    figure = pareto_front(
        [0.9, 0.8, 0.7],
        [300, 100, 200],
        [True, True, False],
        [7, 8, 9],
        ("score", "parameters"),
        maximise=(True, False),
    )
    axes = figure.axes[0]
    assert _named(axes, "Pareto front").get_xydata().tolist() == [[100, 0.8], [300, 0.9]]
    assert _named(axes, "another is better").get_offsets().tolist() == [[200, 0.7]]
    assert sorted(text.get_text() for text in axes.texts) == ["7", "8"]
    assert axes.get_xlabel() == "parameters (less is better)"


def test_parallel_coordinates_where_less_is_better():
    figure = parallel_coordinates({"lr": [1, 2, 4]}, [0.5, 0.1, 0.3], "loss", maximise=False, logarithmic=["lr"])
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2 and line.get_linewidth() > 1]
    assert max(lines, key=lambda line: line.get_linewidth()).get_xdata()[0] == 0.5, "2 is the middle of 1 and 4"


def test_many_trials_are_small_files():
    random = np.random.default_rng(0)
    scores = random.random(1000)
    rate = Axis((10 ** random.uniform(-4, -1, 1000)).tolist(), log=True)
    pictures = [
        slices({"lr": rate, "features": Axis(random.integers(1, 99, 1000).tolist())}, scores, "score"),
        search_history(range(1000), scores, ["finished"] * 1000, "score"),
        search_curves([{1: 0.1, 2: score} for score in scores[:500]], ["finished"] * 500, "score"),
        parallel_coordinates({"lr": rate.values[:500]}, scores[:500], "score"),
    ]
    for picture in pictures:
        assert len(style.svg(picture)) < 400_000


def test_nothing_is_drawn_of_nothing():
    for figure in (
        search_history([], [], [], "score"),
        search_history([0], [math.nan], ["failed"], "score"),
        search_curves([{}], ["failed"], "score"),
        slices({}, [], "score"),
        slices({"a": Axis([None, "x"])}, [math.nan, math.nan], "score"),
        pareto_front([], [], [], [], ("a", "b")),
    ):
        assert style.svg(figure).startswith("<svg")


def test_one_epoch_that_was_finished_is_no_cross():
    figure = search_curves([{1: 0.5}, {1: 0.4}], ["finished", "pruned"], "score")
    finished, pruned = (points for points in figure.axes[0].collections if isinstance(points, PathCollection))
    assert len(finished.get_paths()[0]) > len(pruned.get_paths()[0]), "a disc has more corners than a cross"
