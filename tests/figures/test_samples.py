import numpy as np
import pytest
from matplotlib.colors import to_hex

from fashseg.figures import style
from fashseg.figures.samples import Sample, picture, sample_sheet

GREY = np.full((1, 28, 28), 200, dtype=np.uint8)
RIGHT = Sample(GREY, "coat", "coat", 0.987)
WRONG = Sample(GREY, "coat", "Ankle boot", 0.5)


def test_grey_becomes_three_equal_channels():
    image = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    pixels = picture(image)
    assert pixels.shape == (2, 3, 3)
    assert pixels.dtype == np.uint8
    assert pixels[1, 2].tolist() == [5, 5, 5]


def test_colour_channels_go_last():
    image = np.zeros((3, 2, 2), dtype=np.uint8)
    image[:, 0, 1] = 10, 20, 30
    assert picture(image)[0, 1].tolist() == [10, 20, 30]


@pytest.mark.parametrize("shape", [(2, 4, 4), (4, 4), (4, 4, 3)])
def test_other_shapes_are_no_images(shape):
    with pytest.raises(ValueError, match="is not"):
        picture(np.zeros(shape, dtype=np.uint8))


def test_each_image_has_name_probability_and_mark():
    axes = sample_sheet([("coat", [RIGHT, WRONG])]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["coat", "✓ coat", "0.99", "✗ Ankle boot", "0.50"]
    assert len(axes.images) == 2


def test_right_and_wrong_differ_in_colour_and_frame():
    axes = sample_sheet([("coat", [RIGHT, WRONG])]).axes[0]
    right, wrong = axes.patches
    assert to_hex(right.get_edgecolor()) == style.COLOURS["right"].lower()
    assert to_hex(wrong.get_edgecolor()) == style.COLOURS["wrong"].lower()
    assert wrong.get_linewidth() > right.get_linewidth()


def test_the_image_is_drawn_where_its_frame_is():
    figure = sample_sheet([("coat", [WRONG])])
    pixels = style.pixels(figure)
    frame = figure.axes[0].patches[0]
    across, up = figure.axes[0].transData.transform(frame.get_center())
    assert pixels[pixels.shape[0] - round(up), round(across)].tolist() == [200, 200, 200]
    left, _ = figure.axes[0].transData.transform(frame.get_xy())
    edge = pixels[pixels.shape[0] - round(up), round(left)].astype(int)
    assert np.abs(edge - [0xD5, 0x5E, 0x00]).max() < 40


def test_long_rows_go_on_below_and_the_page_is_no_wider():
    one, two = sample_sheet([("coat", [RIGHT] * 6)]), sample_sheet([("coat", [RIGHT] * 8)])
    assert one.get_figwidth() == two.get_figwidth() <= 7
    assert two.get_figheight() > one.get_figheight() + 1
    assert len({patch.get_y() for patch in two.axes[0].patches}) == 2


def test_rows_do_not_overlap():
    axes = sample_sheet([("coat", [RIGHT]), ("bag", [WRONG])]).axes[0]
    first, second = axes.patches
    assert second.get_y() > first.get_y() + first.get_height() + 0.5


def test_nothing_to_show():
    assert style.png(sample_sheet([]))
    assert len(sample_sheet([("coat", [])]).axes[0].images) == 0
