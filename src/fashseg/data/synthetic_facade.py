"""Building fronts drawn by code, with a label for every pixel: a data set that needs neither files nor a network."""

import numpy as np
import numpy.typing as npt
from numpy.random import Generator
from PIL import Image, ImageFilter

from fashseg.data._facade_building import draw_street
from fashseg.data._facade_scene import MARGIN, OTHERS, Scene
from fashseg.data.info import Arrays, UInt8Array

Float32Array = npt.NDArray[np.float32]

SIDE = 256
"""Height and width of an image, in pixels."""
_SCALE = 1.5


def draw_facades(count: int, seed: int, first: int = 0) -> Arrays:
    """Draws street fronts in random colours, light and perspective, and their label masks.

    Image and mask i depend on ``seed`` and i alone, so a larger set begins with the smaller one. Pillars and balconies
    are each in about half of the images.

    Args:
        count: how many images, N.
        seed: 0 or more.
        first: number of the first image; the ones before it are not drawn.

    Returns:
        images of shape (N, 3, 256, 256) and masks of label values from 0 to 4 of shape (N, 256, 256), both uint8.
    """
    images, masks = np.zeros((count, 3, SIDE, SIDE), np.uint8), np.zeros((count, SIDE, SIDE), np.uint8)
    for index in range(count):
        rng = np.random.default_rng((seed, first + index))
        scene = Scene(SIDE, _SCALE)
        draw_street(scene, rng)
        picture, mask = _seen_by_camera(scene, rng)
        images[index], masks[index] = _developed(picture, rng).transpose(2, 0, 1), np.asarray(mask)
    return Arrays(images, masks)


def _seen_by_camera(scene: Scene, rng: Generator) -> tuple[Image.Image, Image.Image]:
    """The view, turned and in perspective; mask and image by the same map. What lies beyond the canvas is others."""
    corners = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]], np.float64)
    turn, shear = rng.normal(0, 0.015, 2)
    about = corners - SIDE / 2
    moved = corners + np.stack([-turn * about[:, 1] + shear * about[:, 1], turn * about[:, 0]], 1)
    moved += rng.normal(0, 6, (4, 2))
    coefficients = _homography(corners, (moved + MARGIN) * _SCALE)
    size, method = (SIDE, SIDE), Image.Transform.PERSPECTIVE
    border = tuple([int(rng.choice([0, 0, 128, 255]))] * 3)
    picture = scene.image.transform(size, method, coefficients, Image.Resampling.BILINEAR, fillcolor=border)
    return picture, scene.mask.transform(size, method, coefficients, Image.Resampling.NEAREST, fillcolor=OTHERS)


def _homography(target: npt.NDArray[np.float64], source: npt.NDArray[np.float64]) -> list[float]:
    """The eight numbers, as Pillow takes them, that map four target points to four source points; both (4, 2)."""
    rows, values = [], []
    for (x, y), (u, v) in zip(target, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(value) for value in np.linalg.solve(np.array(rows), np.array(values))]


def _developed(picture: Image.Image, rng: Generator) -> UInt8Array:
    """Light, shadow, tint, blur and noise, (256, 256, 3)."""
    if rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.9)))
    west, east, above, below = rng.uniform(0.88, 1.12, 4)
    light = np.outer(np.linspace(above, below, SIDE), np.linspace(west, east, SIDE))
    if rng.random() < 0.3:
        # The shadow of the houses across the street.
        edge = rng.uniform(0.3, 1.0) * SIDE + rng.normal(0, 0.35) * np.arange(SIDE)
        dark = np.clip((np.arange(SIDE)[:, None] - edge) / rng.uniform(2, 12), 0, 1)
        light *= 1 - rng.uniform(0.2, 0.5) * dark
    tint = rng.normal(1, 0.04, 3) * rng.uniform(0.85, 1.15)
    lit = np.asarray(picture, np.float32) * light.astype(np.float32)[..., None] * tint.astype(np.float32)
    pixels: Float32Array = lit + _noise(rng, 1, 1) + _noise(rng, 4, 3)
    return np.rint(pixels).clip(0, 255).astype(np.uint8)


def _noise(rng: Generator, block: int, channels: int) -> Float32Array:
    """Grain in squares of ``block`` pixels: fine grey, or coarse colour as JPEG's chroma leaves it."""
    cells = SIDE // block
    grain = rng.uniform(0.5, 3.5) * rng.standard_normal((cells, cells, channels), np.float32)
    return np.repeat(np.repeat(grain, block, 0), block, 1).astype(np.float32)
