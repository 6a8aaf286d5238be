"""A training of the project on noise, as many images as one likes: see project.py.

    python -m bench.generated data.train_images=1000000 [any option of fashseg.train]

Takes the place of ``data=synthetic_fashion``, whose drawing would take longer than the training, with a cache of its
own.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bench.clock import print_result
from bench.project import train
from fashseg import config as cfg
from fashseg.data.info import Arrays
from fashseg.data.sources import SOURCES

PIECE = 10_000


def noise(images: int, seed: int) -> Iterator[Arrays]:
    """Images of 28×28 and labels, in pieces."""
    generator = np.random.default_rng(seed)
    for first in range(0, images, PIECE):
        count = min(PIECE, images - first)
        pixels = np.frombuffer(generator.bytes(count * 28**2), np.uint8).reshape(count, 1, 28, 28)
        yield Arrays(pixels, generator.integers(10, size=count, dtype=np.uint8))


def pieces(options: cfg.Synthetic) -> tuple[Iterator[Arrays], Iterator[Arrays]]:
    """Training and test set."""
    return noise(options.train_images, 0), noise(options.test_images, 1)


def read(options: cfg.Synthetic) -> tuple[Arrays, Arrays]:
    """Both at once."""
    train_set, test_set = (_joined(part, size) for part, size in zip(pieces(options), _sizes(options), strict=True))
    return train_set, test_set


def _sizes(options: cfg.Synthetic) -> tuple[int, int]:
    return options.train_images, options.test_images


def _joined(parts: Iterator[Arrays], images: int) -> Arrays:
    whole = Arrays(np.empty((images, 1, 28, 28), np.uint8), np.empty(images, np.uint8))
    first = 0
    for part in parts:  # one after the other: the pieces take no memory beside the whole
        for source, target in zip(part, whole, strict=True):
            target[first : first + len(source)] = source
        first += len(part.images)
    return whole


def main() -> None:
    """Train and print."""
    SOURCES["synthetic_fashion"] = replace(SOURCES["synthetic_fashion"], read=read, pieces=pieces)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["FASHSEG_CACHE"] = cache
        words = ["model=cnn", "data=synthetic_fashion", "data.test_images=100", "eval_train=false", "page=false"]
        print_result(**train([*words, *sys.argv[1:]]))


if __name__ == "__main__":
    main()
