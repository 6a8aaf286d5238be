import threading
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from fashseg.figures import style


@style.house_style()
def _chart():
    figure = style.new_figure(4, 3)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=style.COLOURS["val"], label="validation")
    axes.set_title("a title")
    return figure


def _contrast(one, other):
    """WCAG 2: the ratio of relative luminances."""

    def luminance(colour):
        parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", sorted({*style.COLOURS.values(), *style.SERIES}))
def test_colours_of_series_are_seen_on_white_and_in_the_dark(colour):
    assert _contrast(colour, "#FFFFFF") >= 3
    assert _contrast(colour, "#14181D") >= 3


@pytest.mark.parametrize("neutral", [style.INK, style.MUTED])
def test_text_is_read_on_white_and_in_the_dark(neutral):
    assert _contrast(neutral, "#FFFFFF") >= 4.5
    assert _contrast(style.DARK[neutral], "#14181D") >= 4.5


def test_series_differ_without_colour():
    looks = [style.look(place) for place in range(8)]
    for part in ("colour", "line_style", "marker", "hatch"):
        assert len({str(getattr(look, part)) for look in looks}) == 8
    assert style.look(8) == style.look(0)


def test_svg_is_one_document_with_text_as_text():
    drawn = style.svg(_chart())
    root = ElementTree.fromstring(drawn)
    assert drawn.startswith("<svg")
    assert root.get("width") == "288pt"
    assert root.get("height") == "216pt"
    assert "a title" in {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert "system-ui,sans-serif" in drawn
    assert "http" not in drawn.replace("http://www.w3.org/", "")


def test_svg_follows_the_dark_mode_of_the_reader():
    drawn = style.svg(_chart())
    rules = drawn[drawn.index("<style>") : drawn.index("</style>")]
    assert "@media screen and (prefers-color-scheme:dark)" in rules
    content = drawn[drawn.index("</style>") :]
    for neutral in (style.INK, style.MUTED, style.GRID):
        used = [kind for kind in ("fill", "stroke") if f"{kind}: {neutral.lower()}" in content]
        assert used
        for kind in used:
            wanted = f'[style*="{kind}: {neutral.lower()}"]{{{kind}:{style.DARK[neutral].lower()} !important}}'
            assert wanted in rules


def test_svg_has_no_ground_of_its_own():
    assert "fill: #ffffff" not in style.svg(_chart())


def test_equal_figures_have_equal_bytes():
    first = _chart()
    assert len({style.svg(first), style.svg(first), *(style.svg(_chart()) for _ in range(8))}) == 1
    assert style.png(_chart()) == style.png(_chart())


def test_pixels_are_on_white_at_the_resolution_asked_for():
    pixels = style.pixels(_chart(), dpi=50)
    assert pixels.shape == (150, 200, 3)
    assert pixels.dtype == np.uint8
    assert pixels[0, 0].tolist() == [255, 255, 255]
    vermilion = np.abs(pixels.astype(int) - [0xD5, 0x5E, 0x00]).max(2) < 8
    assert vermilion.sum() > 50
    assert style.png(_chart(), dpi=50).startswith(b"\x89PNG")


def test_nothing_is_left_changed():
    before = dict(matplotlib.rcParams)
    style.svg(_chart())
    style.pixels(_chart())
    assert dict(matplotlib.rcParams) == before


def test_settings_of_the_reader_do_not_matter():
    wanted = style.svg(_chart())
    with matplotlib.rc_context({"font.size": 30, "axes.grid": False}):
        assert style.svg(_chart()) == wanted


def test_threads_draw_the_same():
    wanted, before, drawn = style.svg(_chart()), dict(matplotlib.rcParams), []
    threads = [threading.Thread(target=lambda: drawn.append(style.svg(_chart()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn == [wanted] * 4
    assert dict(matplotlib.rcParams) == before


@style.house_style()
def test_a_shared_legend_has_each_name_once():
    figure = style.new_figure(4, 4)
    for axes in figure.subplots(2, 1):
        axes.plot([1], [1], label="one")
        axes.plot([1], [1], label="_hidden")
    style.shared_legend(figure)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["one"]
