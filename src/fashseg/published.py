"""Figures of the report that is being reproduced: *Classification and Segmentation* (CS194-26, spring 2020).

For each data set the score, by class name and over all (``all``), on validation and test images. The report's
classifier was validated on a random part of the training images; its segmenter has test figures only.
"""

from typing import NamedTuple

from fashseg.data.fashion_mnist import CLASS_NAMES


class Published(NamedTuple):
    """One set of published figures; shares of 1, None where there is none."""

    val: dict[str, float]
    test: dict[str, float]


_GARMENTS = (*CLASS_NAMES, "all")

PUBLISHED: dict[str, Published] = {
    # Accuracy.
    "fashion_mnist": Published(
        val=dict(zip(_GARMENTS, (0.83, 0.98, 0.88, 0.87, 0.80, 0.97, 0.74, 0.97, 0.98, 0.93, 0.90), strict=True)),
        test=dict(zip(_GARMENTS, (0.84, 0.98, 0.85, 0.87, 0.82, 0.97, 0.73, 0.98, 0.97, 0.93, 0.90), strict=True)),
    ),
    # Average precision by raw logits over the pixels of all 114 test images.
    "facade": Published(
        val={},
        test={
            "others": 0.654,
            "facade": 0.738,
            "pillar": 0.109,
            "window": 0.727,
            "balcony": 0.307,
            "all": 0.507,
        },
    ),
}
