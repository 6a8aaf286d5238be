"""Garments drawn by code, in the manner of Fashion-MNIST: a data set that needs neither files nor a network."""

import numpy as np
import numpy.typing as npt
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

from fashseg.data._garment_pen import Pen
from fashseg.data._garment_shapes import SHAPES
from fashseg.data.fashion_mnist import CLASS_NAMES
from fashseg.data.info import Arrays, UInt8Array

Float32Array = npt.NDArray[np.float32]

SIDE = 28
"""Height and width of an image, in pixels."""
_OVERSAMPLING = 4
_ROWS: Float32Array
_COLUMNS: Float32Array
_ROWS, _COLUMNS = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j].astype(np.float32)


def draw_garments(count: int, seed: int, first: int = 0) -> Arrays:
    """Draws light garments on black.

    Image and label i depend on ``seed`` and i alone, so a larger set begins with the smaller one. Each ten in a row
    hold every class once, in random order.

    Args:
        count: how many images, N.
        seed: 0 or more.
        first: number of the first image; the ones before it are not drawn.

    Returns:
        images of shape (N, 1, 28, 28) and label values from 0 to 9 of shape (N,), both uint8.
    """
    images, labels = np.zeros((count, 1, SIDE, SIDE), np.uint8), _labels(count, seed, first)
    for index, label in enumerate(labels):
        images[index, 0] = _garment(int(label), np.random.default_rng((seed, first + index)))
    return Arrays(images, labels)


def _labels(count: int, seed: int, first: int) -> UInt8Array:
    classes = len(CLASS_NAMES)
    numbers = range(first // classes, -(-(first + count) // classes))
    # The trailing 1 keeps this stream apart from the images'.
    blocks = [np.random.default_rng((seed, block, 1)).permutation(classes) for block in numbers]
    return np.array(blocks, np.uint8).ravel()[first % classes :][:count]


def _garment(label: int, rng: Generator) -> UInt8Array:
    canvas = Image.new("L", (_OVERSAMPLING * SIDE, _OVERSAMPLING * SIDE))
    pen = Pen(ImageDraw.Draw(canvas), canvas.width, 255 * rng.uniform(0.3, 1.0) ** 0.7, rng)
    SHAPES[label](pen, rng)
    small = canvas.reduce(_OVERSAMPLING)
    if rng.random() < 0.4:
        small = small.filter(ImageFilter.BoxBlur(rng.uniform(0.1, 0.45)))
    noise = 1 + rng.uniform(0.01, 0.1) * rng.standard_normal((SIDE, SIDE), np.float32)
    pixels = np.asarray(small, np.float32) * _cloth(rng, pen.turn) * noise
    return np.rint(pixels).clip(0, 255).astype(np.uint8)


def _cloth(rng: Generator, turn: float) -> Float32Array:
    """Factors around 1, (28, 28): shading, and on most garments stripes, checks, bands or blotches."""
    across, down = _COLUMNS - turn * _ROWS, _ROWS + turn * _COLUMNS
    tilt_across, tilt_down, droop = rng.normal(0, 0.12), rng.normal(0, 0.12), rng.uniform(0, 0.25)
    shade = (1 + tilt_across * across + tilt_down * down - droop * across**2).astype(np.float32)
    kind, depth = rng.random(), rng.uniform(0.1, 0.55)
    if kind < 0.14:
        return shade * (1 - depth * _stripes(rng, down))
    if kind < 0.22:
        return shade * (1 - depth * _stripes(rng, across))
    if kind < 0.32:
        return shade * (1 - 0.7 * depth * (_stripes(rng, across) + _stripes(rng, down)))
    if kind < 0.4:
        start = rng.uniform(-0.7, 0.5)
        band = (down > start) & (down < start + rng.uniform(0.15, 0.5))
        return shade * (1 - depth * band.astype(np.float32))
    if kind < 0.58:
        cells = int(rng.integers(3, 14))
        blotches = Image.fromarray(rng.random((cells, cells), np.float32)).resize(
            (SIDE, SIDE), Image.Resampling.BILINEAR
        )
        return shade * (1.25 * depth + 1 - 2 * depth * np.asarray(blotches, np.float32))
    return shade


def _stripes(rng: Generator, along: Float32Array) -> Float32Array:
    """Values from 0 to 1 that alternate along a coordinate."""
    wave: Float32Array = rng.uniform(1, 3) * np.sin(rng.uniform(8, 34) * along + rng.uniform(0, 6.3))
    return (0.5 + wave).clip(0, 1)
