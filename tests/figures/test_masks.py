import numpy as np
import pytest
from matplotlib.colors import to_hex

from fashseg.figures import style
from fashseg.figures.masks import Triptych, colorize, error_map, overlay, triptychs

PALETTE = ("#000000", "#0080FF", "#80FF80")
NAMES = ("others", "facade", "pillar")
TRUTH = np.array([[0, 1], [2, 2]], dtype=np.uint8)
IMAGE = np.zeros((3, 2, 2), dtype=np.uint8)
IMAGE[:, 0, 0] = 100, 150, 200


def test_labels_have_their_colours():
    pixels = colorize(TRUTH, PALETTE)
    assert pixels.dtype == np.uint8
    assert pixels.tolist() == [[[0, 0, 0], [0, 128, 255]], [[128, 255, 128], [128, 255, 128]]]


@pytest.mark.parametrize("label", [-1, 3, 255])
def test_a_label_without_colour_is_refused(label):
    with pytest.raises(ValueError, match="3 colours"):
        colorize(np.array([[label]]), PALETTE)


@pytest.mark.parametrize(("opacity", "wanted"), [(0, [100, 150, 200]), (0.5, [50, 75, 100]), (1, [0, 0, 0])])
def test_overlay_mixes_image_and_colour(opacity, wanted):
    pixels = overlay(IMAGE, TRUTH, PALETTE, opacity)
    assert pixels.dtype == np.uint8
    assert pixels[0, 0].tolist() == wanted


def test_overlay_wants_a_share():
    with pytest.raises(ValueError, match="opacity"):
        overlay(IMAGE, TRUTH, PALETTE, 1.5)


def test_errors_have_one_colour_and_right_pixels_are_pale_and_grey():
    image = np.random.default_rng(0).integers(0, 256, (3, 2, 2)).astype(np.uint8)
    pixels = error_map(image, np.array([[0, 1], [2, 0]], dtype=np.uint8), TRUTH)
    assert pixels.shape == (2, 2, 3)
    assert "#{:02X}{:02X}{:02X}".format(*pixels[1, 1]) == style.COLOURS["error"]
    right = pixels[[0, 0, 1], [0, 1, 0]]
    assert (right == right[:, :1]).all()
    assert right.min() >= 150


def test_errors_are_darker_than_the_darkest_right_pixel():
    pixels = error_map(np.zeros((3, 1, 2), dtype=np.uint8), np.array([[0, 1]]), np.array([[0, 0]]))
    assert pixels[0, 0].tolist() == [150, 150, 150]
    assert pixels[0, 1] @ [0.2126, 0.7152, 0.0722] < 120


def test_brightness_of_right_pixels_is_that_of_the_image():
    white = np.full((3, 2, 2), 255, dtype=np.uint8)
    assert error_map(white, TRUTH, TRUTH).min() == 255


@pytest.mark.parametrize(
    "make", [lambda mask: overlay(IMAGE, mask, PALETTE), lambda mask: error_map(IMAGE, mask, TRUTH)]
)
def test_masks_must_be_of_the_size_of_the_image(make):
    with pytest.raises(ValueError, match="size of its image"):
        make(np.zeros((2, 3), dtype=np.uint8))


def _items(count=2):
    image = np.full((3, 8, 8), 90, dtype=np.uint8)
    truth = np.full((8, 8), 1, dtype=np.uint8)
    return [Triptych(image, np.full((8, 8), 2, dtype=np.uint8), truth, f"image {i}") for i in range(count)]


def test_rows_are_original_prediction_truth_and_errors():
    figure = triptychs(_items(), NAMES, PALETTE)
    axes = figure.axes[0]
    panels = [np.asarray(image.get_array())[0, 0].tolist() for image in axes.images]
    magenta = [0xC0, 0x28, 0x8C]
    assert panels == [[90, 90, 90], [128, 255, 128], [0, 128, 255], magenta] * 2
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["original", "prediction", "ground truth", "errors", "image 0", "image 1"]


def test_panels_are_drawn_where_their_frames_are():
    figure = triptychs(_items(1), NAMES, PALETTE)
    pixels = style.pixels(figure)
    found = []
    for frame in figure.axes[0].patches:
        across, up = figure.axes[0].transData.transform(frame.get_center())
        found.append(pixels[pixels.shape[0] - round(up), round(across)].tolist())
    assert found == [[90, 90, 90], [128, 255, 128], [0, 128, 255], [0xC0, 0x28, 0x8C]]


def test_the_legend_names_each_colour():
    legend = triptychs(_items(), NAMES, PALETTE).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [*NAMES, "wrong"]
    colours = [to_hex(patch.get_facecolor()).upper() for patch in legend.get_patches()]
    assert colours == [*PALETTE, style.COLOURS["error"]]


def test_size_follows_the_images():
    wide = Triptych(np.zeros((3, 4, 8), np.uint8), np.zeros((4, 8), np.uint8), np.zeros((4, 8), np.uint8), "wide")
    assert triptychs([wide], NAMES, PALETTE).get_figheight() < triptychs(_items(1), NAMES, PALETTE).get_figheight()
    assert triptychs(_items(), NAMES, PALETTE).get_figwidth() <= 7
