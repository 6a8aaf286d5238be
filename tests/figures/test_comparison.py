import math

import numpy as np
import pytest
from matplotlib.colors import to_hex

from fashseg.figures import style
from fashseg.figures.comparison import differences, overlaid_curves
from fashseg.figures.parallel import parallel_coordinates

COLUMNS = [("val_loss", "validation loss"), ("val_accuracy", "validation accuracy")]


def _runs(count, epochs=5):
    rows = [{"epoch": float(e), "val_loss": 1 / e, "val_accuracy": 1 - 0.5 / e} for e in range(1, epochs + 1)]
    return {f"run {i}": rows for i in range(count)}


def _legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_panel_for_each_column_and_a_line_for_each_run():
    figure = overlaid_curves(_runs(3), COLUMNS)
    assert [axes.get_title("left") for axes in figure.axes] == ["validation loss", "validation accuracy"]
    assert [len(axes.lines) for axes in figure.axes] == [3, 3]
    assert _legend(figure) == ["run 0", "run 1", "run 2"]
    assert figure.axes[1].get_xlabel() == "epoch"
    assert figure.axes[0].lines[0].get_ydata()[:2].tolist() == [1, 0.5]


def test_eight_runs_are_told_apart_without_colour():
    lines = overlaid_curves(_runs(8), COLUMNS).axes[0].lines
    assert len({line.get_color() for line in lines}) == 8
    assert len({line.get_marker() for line in lines}) == 8


def test_of_more_the_first_stands_out():
    figure = overlaid_curves(_runs(20), COLUMNS)
    lines = figure.axes[0].lines
    assert len(lines) == 20
    assert {line.get_color() for line in lines[1:]} == {style.MUTED}
    assert lines[0].get_color() == style.SERIES[0]
    assert lines[0].get_zorder() > lines[1].get_zorder()
    assert lines[0].get_linewidth() > lines[1].get_linewidth()
    assert _legend(figure) == ["run 0", "other runs"]


def test_runs_without_a_column_have_no_line():
    runs = _runs(2) | {"broken": [{"epoch": 1.0, "val_loss": None}]}
    assert [len(axes.lines) for axes in overlaid_curves(runs, COLUMNS).axes] == [2, 2]


AXES = {
    "lr": [0.0001, 0.01, 0.001],
    "optimizer": ["sgd", "adam", "adam"],
    "batch": [32, 64, 128],
    "flip": [True, False, True],
}
SCORES = [0.8, 0.9, math.nan]


def _places(figure):
    return [line.get_xdata().tolist() for line in figure.axes[0].lines if len(line.get_xdata()) == 5]


def test_runs_go_through_their_values():
    first, second, third = _places(parallel_coordinates(AXES, SCORES, "accuracy"))
    assert first == [0, 1, 0, 1, 0]
    assert second == pytest.approx([1, 0, 1 / 3, 0, 1])
    assert third[:4] == pytest.approx([0.5, 0, 1, 1])
    assert math.isnan(third[4])


def test_axes_are_named_and_the_score_is_last():
    axes = parallel_coordinates(AXES, SCORES, "accuracy").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["lr", "optimizer", "batch", "flip", "accuracy"]
    assert axes.yaxis_inverted()
    written = [text.get_text() for text in axes.texts]
    assert written == ["0.0001", "0.001", "0.01", "adam", "sgd", "32", "64", "128", "False", "True", "0.8", "0.9"]


def test_values_that_lie_close_are_not_written_over_each_other():
    axes = parallel_coordinates({"lr": [0.1, 0.11, 0.5, 1.0]}, [0.1, 0.9, 0.95, 1.0], "accuracy").axes[0]
    assert [text.get_text() for text in axes.texts] == ["0.1", "0.5", "1", "0.1", "0.9", "1"]


def test_numbers_are_logarithmic_only_where_they_span_much_and_are_above_0():
    axes = {"near": [1, 10, 50], "zero": [0, 1, 1000], "far": [1, 10, 100]}
    middle = _scaled_middle(axes)
    assert middle == pytest.approx([9 / 49, 0.001, 0.5])


def _scaled_middle(axes):
    lines = parallel_coordinates(axes, [0.1, 0.2, 0.3], "x").axes[0].lines
    return [line.get_xdata().tolist() for line in lines if len(line.get_xdata()) == 4][1][:3]


def test_the_best_run_is_thick_and_named_and_one_without_score_is_dotted():
    figure = parallel_coordinates(AXES, SCORES, "accuracy")
    runs = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 5]
    assert runs[1].get_linewidth() > 2 * runs[0].get_linewidth()
    assert _legend(figure) == ["best run"]
    assert runs[2].get_linestyle() == ":"
    assert runs[2].get_color() == style.MUTED
    assert to_hex(runs[1].get_color()) == "#fee838"  # the bright end of cividis


def test_one_value_and_no_score():
    figure = parallel_coordinates({"lr": [0.1, 0.1], "word": [None, "a"]}, [math.nan, math.nan], "accuracy")
    assert _places_of(figure, 3) == pytest.approx(np.array([[0.5, 0, math.nan], [0.5, 1, math.nan]]), nan_ok=True)
    assert style.svg(figure).startswith("<svg")


def _places_of(figure, axes):
    return [line.get_xdata().tolist() for line in figure.axes[0].lines if len(line.get_xdata()) == axes]


def test_options_must_have_a_value_for_each_run():
    with pytest.raises(ValueError, match="values of lr"):
        parallel_coordinates({"lr": [1]}, [0.1, 0.2], "x")


DIFFERENCES = (
    ["coat", "bag", "shirt", "dress"],
    [0.02, -0.01, np.nan, -0.05],
    [0.01, -0.03, np.nan, -0.07],
    [0.03, 0.01, np.nan, -0.03],
)


def test_each_class_has_a_point_and_an_interval():
    axes = differences(*DIFFERENCES, "run A less run B").axes[0]
    intervals = [collection.get_segments()[0][:, 0].tolist() for collection in axes.collections]
    assert intervals == [[0.01, 0.03], [-0.03, 0.01], [-0.07, -0.03]]
    points = [line.get_xydata()[0].tolist() for line in axes.lines if len(line.get_xdata()) == 1]
    assert points == [[0.02, 0], [-0.01, 1], [-0.05, 3]]
    assert axes.get_xlabel() == "run A less run B"
    assert [text.get_text() for text in axes.texts] == ["absent"]


def test_what_cannot_be_noise_is_told_by_marker_weight_and_colour():
    figure = differences(*DIFFERENCES, "x")
    certain, noise, _ = (line for line in figure.axes[0].lines if len(line.get_xdata()) == 1)
    assert certain.get_marker() != noise.get_marker()
    assert noise.get_markerfacecolor() == "none"
    assert certain.get_color() != noise.get_color()
    assert [label.get_fontweight() for label in figure.axes[0].get_yticklabels()] == [
        "bold",
        "normal",
        "normal",
        "bold",
    ]
    assert _legend(figure) == ["interval without 0", "interval with 0: may be noise"]


def test_zero_is_in_the_middle():
    low, high = differences(*DIFFERENCES, "x").axes[0].get_xlim()
    assert low == -high
    assert high > 0.07
