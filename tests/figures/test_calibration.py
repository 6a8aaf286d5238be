import numpy as np
import pytest

from fashseg.figures import style
from fashseg.figures.calibration import reliability

NAN = np.nan
COUNTS = np.array([0, 10, 0, 30, 160])
CONFIDENCE = np.array([NAN, 0.3, NAN, 0.7, 0.95])
ACCURACY = np.array([NAN, 0.2, NAN, 0.6, 0.97])


def test_bars_are_the_accuracy_of_the_bins_that_hold_samples():
    upper, _ = reliability(COUNTS, CONFIDENCE, ACCURACY, 0.031).axes
    bars = upper.patches
    assert [bar.get_height() for bar in bars] == [0.2, 0.6, 0.97]
    assert [bar.get_x() for bar in bars] == pytest.approx([0.2, 0.6, 0.8])
    assert {round(bar.get_width(), 6) for bar in bars} == {0.2}


def test_diagonal_and_points_at_the_mean_confidence():
    figure = reliability(COUNTS, CONFIDENCE, ACCURACY, 0.031)
    upper, _ = figure.axes
    diagonal, points = upper.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    assert diagonal.get_linestyle() == "--"
    assert points.get_xydata().tolist() == [[0.3, 0.2], [0.7, 0.6], [0.95, 0.97]]
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {
        "accuracy",
        "perfectly calibrated",
        "accuracy at the mean confidence",
    }


def test_below_is_the_share_of_samples():
    upper, lower = reliability(COUNTS, CONFIDENCE, ACCURACY, 0.031).axes
    assert [bar.get_height() for bar in lower.patches] == pytest.approx([0, 0.05, 0, 0.15, 0.8])
    assert lower.get_xlim() == upper.get_xlim() == (0, 1)
    assert lower.get_ylabel() == "samples"
    assert upper.get_ylabel() == "accuracy"
    assert "confidence" in lower.get_xlabel()
    assert upper.yaxis.get_major_formatter()(0.4) == "40%"


@pytest.mark.parametrize(("error", "title"), [(0.0312, "3.1%"), (NAN, "absent")])
def test_the_error_is_in_the_title(error, title):
    upper, _ = reliability(COUNTS, CONFIDENCE, ACCURACY, error).axes
    assert upper.get_title("left") == f"expected calibration error {title}"


def test_no_samples():
    empty = np.full(5, NAN)
    upper, lower = reliability(np.zeros(5), empty, empty, NAN).axes
    assert len(upper.patches) == 0
    assert {bar.get_height() for bar in lower.patches} == {0}
    assert style.png(upper.figure)
