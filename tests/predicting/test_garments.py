"""Photographs of garments are brought to what Fashion-MNIST looks like, and it is told how."""

import numpy as np
import pytest
from PIL import Image

from fashseg.data.info import DataInfo, UInt8Array
from fashseg.data.synthetic_fashion import draw_garments
from fashseg.predicting.fitting import fit
from fashseg.predicting.garment import Done, Wishes
from fashseg.predicting.pictures import Picture, as_picture

INFO = DataInfo("x", "classification", ("a", "b"), (1, 28, 28), (0.0,), (1.0,), fit="garment")
GARMENTS: UInt8Array = draw_garments(12, 0).images[:, 0]


def fitted(picture: Picture, **wishes: bool) -> tuple[UInt8Array, Done]:
    image, done = fit(picture, INFO, Wishes(**wishes))
    assert image.shape == (1, 28, 28)
    return image[0], done


def photograph(garment: UInt8Array, *, dark: bool, noise: float = 0, background: float = 1) -> UInt8Array:
    """Enlarged ten times, off the middle of 400×500 pixels; ``background`` scales the light that there is."""
    large = np.asarray(Image.fromarray(255 - garment if dark else garment).resize((280, 280), Image.Resampling.BICUBIC))
    canvas = np.full((400, 500), 255.0 if dark else 0.0)
    canvas[100:380, 30:310] = large
    canvas = canvas * background if dark else 255 - (255 - canvas) * background
    return np.clip(canvas + np.random.default_rng(0).normal(0, noise, canvas.shape), 0, 255).round().astype(np.uint8)


def filled(garment: UInt8Array) -> UInt8Array:
    """The garment cut out and brought to 28 pixels: what is to be expected."""
    rows, columns = np.flatnonzero((garment > 13).any(1)), np.flatnonzero((garment > 13).any(0))
    cut = Image.fromarray(garment[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    factor = 28 / max(cut.size)
    small = cut.resize((round(cut.width * factor), round(cut.height * factor)), Image.Resampling.BICUBIC)
    canvas = Image.new("L", (28, 28))
    canvas.paste(small, ((28 - small.width) // 2, (28 - small.height) // 2))
    return np.asarray(canvas)


@pytest.mark.parametrize("dark", [True, False], ids=["dark on light", "light on dark"])
@pytest.mark.parametrize(("noise", "background"), [(0, 1), (3, 0.9)], ids=["clean", "photographed"])
def test_garments_are_found_turned_and_cut_out(dark: bool, noise: float, background: float) -> None:
    for garment in GARMENTS:
        image, done = fitted(as_picture(photograph(garment, dark=dark, noise=noise, background=background)))
        assert done == Done(inverted=dark, trimmed=True, why="its background is uniform")
        assert np.corrcoef(image.ravel(), filled(garment).ravel())[0, 1] > 0.9
        assert max(np.ptp(np.flatnonzero((image > 20).any(axis))) for axis in (0, 1)) >= 25


def test_what_is_of_the_kind_already_is_taken_as_it_is() -> None:
    for pixels in (GARMENTS[0], 255 - GARMENTS[0], np.repeat(GARMENTS[0][..., None], 3, 2)):
        image, done = fitted(as_picture(pixels))
        assert done == Done(why="as it is")
        assert (image == (pixels if pixels.ndim == 2 else pixels[..., 0])).all()
    coloured = np.repeat(GARMENTS[0][..., None], 3, 2)
    coloured[14, 14] = (255, 0, 0)
    assert fitted(as_picture(coloured))[1].why != "as it is"


def test_what_is_wished_is_done() -> None:
    picture = as_picture(255 - GARMENTS[0])
    image, done = fitted(picture, invert=True, trim=False)
    assert (image == GARMENTS[0]).all()
    assert (done.inverted, done.trimmed) == (True, False)
    large = as_picture(photograph(GARMENTS[0], dark=True))
    kept, done = fitted(large, invert=False, trim=False)
    assert (done.inverted, done.trimmed) == (False, False)
    assert kept[0, 0] == kept[-1, -1] == 255  # what is added around it is like its border


def test_transparent_parts_are_background() -> None:
    pixels = np.zeros((100, 60, 4), np.uint8)  # black, and transparent but for a grey square
    pixels[30:80, 10:50] = (100, 100, 100, 255)
    image, done = fitted(as_picture(pixels))
    assert (done.inverted, done.trimmed) == (True, True)
    assert (image[:, 5:22] == 155).all()
    assert (image[:, :2] == 0).all()


def test_a_restless_background_stays() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    _, done = fitted(as_picture(pixels))
    assert not done.trimmed
    assert done.why == "its background is not uniform"


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (28, 28), (64, 65), (2000, 1500)], ids=str)
@pytest.mark.parametrize("wishes", [{}, {"trim": True}, {"invert": True, "trim": False}], ids=str)
def test_any_size_will_do(size: tuple[int, int], wishes: dict[str, bool]) -> None:
    for pixels in (np.full(size, 200, np.uint8), np.random.default_rng(0).integers(0, 256, size, np.uint8)):
        fitted(as_picture(pixels), **wishes)


@pytest.mark.parametrize(
    ("way", "corner", "middle"), [("stretch", 50, 250), ("cover", 250, 250), ("contain", 7, 250)], ids=str
)
def test_other_data_is_fitted_as_it_says(way: str, corner: int, middle: int) -> None:
    """A wide picture, its left and right quarters dark."""
    info = DataInfo("x", "classification", ("a", "b"), (3, 32, 32), (7.0,) * 3, (1.0,) * 3, fit=way)
    pixels = np.full((40, 80, 3), 250, np.uint8)
    pixels[:, :20] = pixels[:, 60:] = 50
    image, done = fit(as_picture(pixels), info, Wishes())
    assert done == Done()
    assert image.shape == (3, 32, 32)
    assert abs(int(image[0, 0, 0]) - corner) <= 1 or way == "cover"
    assert image[0, 16, 16] == middle
