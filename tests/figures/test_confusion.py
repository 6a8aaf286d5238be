import numpy as np
import pytest
from matplotlib import colormaps

from fashseg.figures import style
from fashseg.figures.confusion import confusion_matrix, short

COUNTS = np.array([[90, 10, 0], [1000, 1_000_000, 999_000], [0, 0, 0]])
NAMES = ("coat", "shirt", "bag")


def _texts(figure):
    return {(text.get_position()[0], text.get_position()[1]): text for text in figure.axes[0].texts}


def test_cells_tell_share_of_the_row_and_count():
    texts = {place: text.get_text() for place, text in _texts(confusion_matrix(COUNTS, NAMES)).items()}
    assert texts == {
        (0.5, 0.3): "90%",
        (0.5, 0.72): "90",
        (1.5, 0.3): "10%",
        (1.5, 0.72): "10",
        (2.5, 0.5): "0",
        (0.5, 1.3): "<1%",
        (0.5, 1.72): "1.0k",
        (1.5, 1.3): "50%",
        (1.5, 1.72): "1.0M",
        (2.5, 1.3): "50%",
        (2.5, 1.72): "999k",
    }


def test_axes_are_named_and_rows_are_the_truth_from_above():
    axes, scale = confusion_matrix(COUNTS, NAMES, "pixels").axes
    assert axes.get_xlabel() == "prediction"
    assert axes.get_ylabel() == "truth"
    assert [label.get_text() for label in axes.get_xticklabels()] == list(NAMES)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(NAMES)
    assert axes.yaxis_inverted()
    assert scale.get_xlabel() == "share of the true class's pixels"


def test_colour_is_the_share_and_a_row_without_counts_has_none():
    figure = confusion_matrix(COUNTS, NAMES)
    shares = figure.axes[0].collections[0].get_array()
    assert shares[0].tolist() == pytest.approx([0.9, 0.1, 0])
    assert shares.mask[2].all()
    pixels = style.pixels(figure, dpi=100)
    place = figure.axes[0].transData.transform((0.12, 0.12))  # beside the text of the first cell
    drawn = pixels[pixels.shape[0] - round(place[1]), round(place[0])]
    assert np.abs(drawn - 255 * np.array(colormaps["cividis"](0.9)[:3])).max() < 4


def test_text_is_readable_on_its_cell():
    steps = 20
    for i in range(0, steps + 1, 2):
        matrix = np.array([[i, steps - i], [1, 1]])
        text = confusion_matrix(matrix, ("a", "b")).axes[0].texts[0]
        cell = np.array(colormaps["cividis"](i / steps)[:3])
        linear = np.where(cell <= 0.04045, cell / 12.92, ((cell + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
        contrast = 1.05 / (linear + 0.05) if text.get_color() == "white" else (linear + 0.05) / 0.05
        assert contrast >= 4.5


def test_ten_classes_stay_on_the_page():
    figure = confusion_matrix(np.eye(10, dtype=int), [f"class {i}" for i in range(10)])
    assert figure.get_figwidth() <= 7
    assert min(text.get_fontsize() for text in figure.axes[0].texts) >= 9


@pytest.mark.parametrize(
    ("count", "wanted"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (1249, "1.2k"), (9960, "10k"), (999_499, "999k"), (999_500, "1.0M"),
     (3_400_000, "3.4M"), (12_000_000_000, "12G")],
)  # fmt: skip
def test_short_counts(count, wanted):
    assert short(count) == wanted


def test_counts_must_be_of_the_classes():
    with pytest.raises(ValueError, match="3×3"):
        confusion_matrix(np.eye(2, dtype=int), NAMES)
