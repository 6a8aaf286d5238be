"""Runs of the same options on other images: pictures of one's own are all called alike, and folders change."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from fashseg.compare.differing import key
from fashseg.compare.runs import Run

_Images = tuple[str, int]


def other_images(runs: Sequence[Run], compared: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What to call the images of each run, by its name, where some of the same options had others; else nothing.

    Test images, and the number of all others, are the same whatever the seed and the fold.

    Args:
        runs: of one task and of data sets of one name.
        compared: the options that make each of them another experiment, by its name.
    """
    found = {run.name: images for run in runs if run.options and (images := _images(run))}
    alike: dict[Any, set[_Images]] = defaultdict(set)
    for name, images in found.items():
        alike[tuple((path, key(value)) for path, value in sorted(compared[name].items()))].add(images)
    if all(len(several) == 1 for several in alike.values()):
        return {}
    called: dict[_Images, str] = {}
    for run in runs:
        if run.name in found:
            called.setdefault(found[run.name], _called(run))
    plain = list(called.values())
    return {
        name: called[images]
        if plain.count(called[images]) == 1
        else f"{called[images]} ({images[0][:6]}, {images[1]:,} images)"
        for name, images in found.items()
    }


def _images(run: Run) -> _Images | None:
    """Fingerprint of the test images, and the number of the others; None where it is not known."""
    test, counts = run.entry("fingerprints", "test"), [run.entry("images", part) for part in ("train", "val")]
    known = isinstance(test, str) and all(type(count) is int and count >= 0 for count in counts)
    return (test, sum(counts)) if known and not (run.options or {}).get("trainer.overfit_batches") else None


def _called(run: Run) -> str:
    options = run.options or {}
    place = str(options.get("data.url") or options.get("data.root") or "")
    return PurePosixPath(place).name or str(run.results.get("data"))
