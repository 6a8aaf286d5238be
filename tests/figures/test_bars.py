import math

import pytest
from matplotlib.colors import to_hex

from fashseg.figures import style
from fashseg.figures.bars import class_bars, class_shares

SCORES = {
    "validation": {"window": 0.7, "pillar": None, "balcony": math.nan},
    "test": {"window": 0.65, "pillar": 0.1, "balcony": 0.3},
    "published": {"window": 0.727, "pillar": 0.109},
}


def _texts(axes):
    return [text.get_text() for text in axes.texts]


def test_each_score_is_a_bar_with_its_number():
    axes = class_bars(SCORES, "average precision").axes[0]
    validation, test, published = axes.containers
    assert [bar.get_width() for bar in test] == [0.65, 0.1, 0.3]
    assert _texts(axes) == ["0.700", "absent", "absent", "0.650", "0.100", "0.300", "0.727", "0.109", "absent"]
    assert validation[1].get_width() == 0
    assert published[0].get_width() == 0.727
    assert axes.get_xlim() == (0, 1)
    assert axes.get_xlabel() == "average precision"


def test_classes_are_read_from_above_and_series_in_the_order_of_the_legend():
    figure = class_bars(SCORES, "accuracy")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["window", "pillar", "balcony"]
    assert axes.yaxis_inverted()
    centres = [bars[0].get_y() + bars[0].get_height() / 2 for bars in axes.containers]
    assert centres == sorted(centres)
    assert centres[1] == pytest.approx(0)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["validation", "test", "published"]


def test_series_differ_by_filling_as_well_as_by_colour():
    series = {name: {"a": 0.5} for name in ("training", "validation", "test", "published", "predicted, test")}
    bars = [container[0] for container in class_bars(series, "x").axes[0].containers]
    assert to_hex(bars[1].get_edgecolor()) == style.COLOURS["val"].lower()
    assert to_hex(bars[2].get_facecolor()) == style.COLOURS["test"].lower()
    assert len({(bar.get_hatch(), bar.get_facecolor()[3]) for bar in bars}) == 5
    assert len({to_hex(bar.get_edgecolor()) for bar in bars}) == 5


def test_two_series_that_say_the_same_and_unknown_ones_get_looks_of_their_own():
    series = {name: {"a": 0.5} for name in ("published", "published validation", "elsewhere")}
    bars = [container[0] for container in class_bars(series, "x").axes[0].containers]
    assert len({to_hex(bar.get_edgecolor()) for bar in bars}) == 3
    assert len({bar.get_hatch() for bar in bars}) == 3


def test_hatching_reaches_the_svg():
    drawn = style.svg(class_bars({"validation": {"a": 0.5}}, "x"))
    assert "<pattern" in drawn
    assert "fill-opacity" not in drawn


def test_shares_are_percent_of_an_axis_that_they_fill():
    shares = {"truth, training": {"a": 0.36, "b": 0.028}, "predicted, test": {"a": 0.4, "b": 0.0}}
    axes = class_shares(shares).axes[0]
    assert _texts(axes) == ["36.0%", "2.8%", "40.0%", "0.0%"]
    assert axes.get_xlim() == (0, pytest.approx(0.408))
    assert axes.get_xlabel() == "share"
    assert axes.xaxis.get_major_formatter()(0.2) == "20%"


def test_shares_of_nothing():
    axes = class_shares({"truth, test": {"a": 0.0}}).axes[0]
    assert axes.get_xlim() == (0, 1)


def test_more_classes_are_a_taller_chart():
    few, many = (class_bars({"test": {str(i): 0.5 for i in range(n)}}, "x") for n in (2, 12))
    assert many.get_figheight() > few.get_figheight() + 2
    assert many.get_figwidth() == few.get_figwidth() <= 7
