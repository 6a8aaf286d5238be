"""Pictures as they are read: nobody's pixels are changed, and little is done beside decoding them."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashseg.predicting.painting import lay_over, palette_image
from fashseg.predicting.pictures import as_picture, decode_picture, read_picture


def test_what_is_done_to_a_picture_is_not_done_to_whose_it_was() -> None:
    """Laying a mask over it is done in its place."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    kept = pixels.copy()
    painted = palette_image(np.zeros((40, 60), np.uint8), ["#FF0000"])
    image = Image.fromarray(kept)
    for given in (pixels, image):
        laid = lay_over(as_picture(given).image, painted)
        assert (np.asarray(laid) != kept).any()
        assert (pixels == kept).all()
        assert (np.asarray(image) == kept).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_upright_and_its_own_image_stays(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6)).save(tmp_path / "x.png", exif=exif)
    with Image.open(tmp_path / "x.png") as image:
        upright = as_picture(image)
        assert image.size == (6, 4)
        again = as_picture(image)
    assert upright.size == again.size == ((4, 6) if orientation < 5 else (6, 4))
    read = read_picture(tmp_path / "x.png")
    assert (np.asarray(read.image) == np.asarray(upright.image)).all()
    assert (np.asarray(decode_picture((tmp_path / "x.png").read_bytes()).image) == np.asarray(again.image)).all()


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.mark.alone
def test_reading_costs_little_more_than_decoding(tmp_path: Path) -> None:
    """The best of several turns each: 1.4 times a bare loop on a busy machine."""
    paths = [tmp_path / f"{number}.png" for number in range(300)]
    rng = np.random.default_rng(0)
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (28, 28), np.uint8)).save(path)

    def bare() -> None:
        for path in paths:
            with Image.open(path) as image:
                image.load()

    turns = [(seconds(bare), seconds(lambda: [read_picture(path, 512) for path in paths])) for _ in range(9)]
    plain, ours = (min(side) for side in zip(*turns, strict=True))
    print(f"{ours / plain:.2f} times a bare loop")
    assert ours < 1.9 * plain
