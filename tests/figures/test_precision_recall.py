import numpy as np
import pytest

from fashseg.figures import style
from fashseg.figures.precision_recall import precision_recall

RECALL, PRECISION = np.array([0.0, 0.5, 1.0]), np.array([1.0, 1.0, 0.5])
NOTHING = np.array([np.nan])
CURVES = {"window": (RECALL, PRECISION), "pillar": (NOTHING, NOTHING), "door": (RECALL, PRECISION)}
AVERAGE = {"window": 0.75, "door": 0.75}
CHANCE = {"window": 0.25, "door": 0.1}


def test_each_class_is_a_panel_with_its_average_precision():
    figure = precision_recall(CURVES, AVERAGE, CHANCE)
    assert [axes.get_title("left") for axes in figure.axes] == ["window", "pillar", "door"]
    assert [axes.get_title("right") for axes in figure.axes] == ["AP 0.750", "absent", "AP 0.750"]
    assert figure.get_supxlabel() == "recall"
    assert figure.get_supylabel() == "precision"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["network", "chance"]


def test_the_curve_is_steps_and_chance_is_dotted():
    panel = precision_recall(CURVES, AVERAGE, CHANCE).axes[0]
    curve, chance = panel.lines
    assert curve.get_xydata().tolist() == [[0, 1], [0.5, 1], [1, 0.5]]
    assert curve.get_drawstyle() == "steps-pre"
    assert set(chance.get_ydata()) == {0.25}
    assert chance.get_linestyle() == ":"


def test_the_area_is_the_average_precision():
    area = precision_recall(CURVES, AVERAGE, CHANCE).axes[0].collections[0].get_paths()[0]
    x, y = area.vertices[:-1].T
    shoelace = abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
    assert shoelace == pytest.approx(0.75)


def test_an_absent_class_has_no_chance_line_even_in_the_first_panel():
    figure = precision_recall(dict(reversed(CURVES.items())) | {"door": (NOTHING, NOTHING)}, {"window": 0.75}, CHANCE)
    pillar = figure.axes[1]
    assert pillar.get_title("left") == "pillar"
    assert len(pillar.lines) == 1
    assert np.isnan(pillar.lines[0].get_xdata()).all()


def test_panels_share_a_range_and_the_lowest_of_each_column_have_numbers():
    figure = precision_recall(CURVES, AVERAGE, CHANCE)
    style.svg(figure)
    assert {axes.get_xlim() for axes in figure.axes} == {(0, 1)}
    assert {axes.get_ylim() for axes in figure.axes} == {(0, 1.02)}
    numbered = [axes.xaxis.get_tick_params()["labelbottom"] for axes in figure.axes]
    assert numbered == [False, True, True]


def test_long_curves_are_thinned_to_what_can_be_seen():
    recall = np.linspace(0, 1, 5000)
    precision = 1 - 0.6 * recall**2
    panel = precision_recall({"a": (recall, precision)}, {"a": 0.8}, {"a": 0.4}).axes[0]
    x, y = panel.lines[0].get_data()
    assert len(x) < 250
    assert (x[0], x[-1]) == (0, 1)
    assert np.abs(np.interp(recall, x, y) - precision).max() < 0.01
    assert np.diff(x).max() < 0.01


def test_ten_classes_are_a_small_file():
    rng = np.random.default_rng(0)
    recall = np.linspace(0, 1, 1000)
    curves = {f"class {i}": (recall, 1 - 0.5 * recall + 0.01 * rng.random(1000)) for i in range(10)}
    assert len(style.svg(precision_recall(curves, {}, {}))) < 400_000


def test_no_classes():
    assert precision_recall({}, {}, {}).axes == []
