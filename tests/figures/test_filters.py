import numpy as np
import pytest

from fashseg.figures import style
from fashseg.figures.filters import filters


def _weights(count=32, channels=1, size=3, seed=0):
    return np.random.default_rng(seed).normal(size=(count, channels, size, size))


def _tiles(axes):
    return [np.asarray(image.get_array()) for image in axes.images]


def test_before_is_beside_after():
    before, after, scale = filters(_weights(), _weights(seed=1)).axes
    assert before.get_title("left") == "before training"
    assert after.get_title("left") == "after training"
    assert len(before.images) == len(after.images) == 32
    assert scale.get_xlabel() == "weight"
    extents = [[image.get_extent() for image in axes.images] for axes in (before, after)]
    assert extents[0] == extents[1]


def test_alone_they_claim_no_moment():
    alone, _ = filters(None, _weights()).axes
    assert alone.get_title("left") == ""


def test_both_are_on_one_scale_with_zero_in_the_middle():
    small, large = np.full((2, 1, 3, 3), 0.25), np.zeros((2, 1, 3, 3))
    large[0, 0, 0] = [-1, 0, 1]
    before, after, scale = filters(small, large).axes
    assert np.allclose(_tiles(before)[0], 0.625)
    assert _tiles(after)[0][0, :, 0].tolist() == [0, 0.5, 1]
    assert [label.get_text() for label in scale.get_xticklabels()] == ["−1", "0", "1"]


def test_grey_weights_are_grey_pixels_where_they_are_drawn():
    weights = np.zeros((1, 1, 2, 2))
    weights[0, 0] = [[-1, 1], [0, 0.5]]
    figure = filters(None, weights)
    pixels = style.pixels(figure)
    for (x, y), wanted in {(0.5, 0.5): 0, (1.5, 0.5): 255, (0.5, 1.5): 128, (1.5, 1.5): 191}.items():
        across, up = figure.axes[0].transData.transform((x, y))
        assert np.abs(pixels[pixels.shape[0] - round(up), round(across)].astype(int) - wanted).max() <= 1


def test_three_channels_are_red_green_and_blue():
    weights = np.zeros((1, 3, 1, 2))
    weights[0, 0, 0, 0], weights[0, 2, 0, 1] = 2, -2
    figure = filters(None, weights)
    assert _tiles(figure.axes[0])[0].tolist() == [[[1, 0.5, 0.5], [0.5, 0.5, 0]]]
    assert "red, green and blue" in figure.axes[-1].get_xlabel()


def test_each_filter_is_framed():
    axes = filters(None, _weights(8)).axes[0]
    assert len(axes.patches) == 8


@pytest.mark.parametrize(("count", "blocks", "across"), [(32, 2, 4), (32, 1, 8), (16, 1, 4), (64, 2, 8), (7, 1, 3)])
def test_lines_are_full_where_that_is_near_a_square(count, blocks, across):
    before = _weights(count) if blocks == 2 else None
    axes = filters(before, _weights(count)).axes[0]
    assert len({image.get_extent()[0] for image in axes.images}) == across


def test_svg_keeps_the_pixels_sharp():
    drawn = style.svg(filters(None, _weights(4)))
    assert drawn.count("<image") >= 4
    assert "image-rendering:pixelated" in drawn.replace(" ", "")


def test_weights_of_zero():
    assert np.allclose(_tiles(filters(None, np.zeros((2, 1, 3, 3))).axes[0])[0], 0.5)


@pytest.mark.parametrize("shape", [(4, 2, 3, 3), (4, 3, 3), (4, 64, 1, 1)])
def test_other_channels_cannot_be_drawn(shape):
    with pytest.raises(ValueError, match="are not"):
        filters(None, np.zeros(shape))


def test_before_and_after_must_be_the_same_filters():
    with pytest.raises(ValueError, match="before"):
        filters(_weights(8), _weights(16))
