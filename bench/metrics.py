"""What the metrics cost: average precision against scikit-learn, and how its cost grows.

    python -m bench.metrics [--quick] [--threads 1] [--rounds 3]

Logits are noise around the truth. scikit-learn is given the scores as they are ranked, class by class; ours takes the
logits batch by batch, and its time is of everything: the softmax, the counting, and reading the result. Memory is the
most that the process holds beyond what it held before, with one batch of logits and labels. Imports no torch on top:
see children.py.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench.children import run_module
from bench.ratios import Ratio, paired, take_turns
from bench.tables import count, megabytes, table

Row = dict[str, Any]

AGAINST = "average precision against scikit-learn"
BY_CLASSES = "cost over classes"
BY_IMAGES = "cost over images"
LABELS = "predicted labels against argmax"
RANKINGS = ("logits", "softmax")
SIDE = 256  # pixels
BATCH = 8
CLASSES = 5
TEST_IMAGES = 114  # of the facades
LOGITS_AT_MOST = 2**29  # bytes of a batch of logits


def measure(quick: bool = False, threads: int = 1, rounds: int = 3) -> list[Row]:
    """All measurements, each in a process of its own.

    Returns:
        Rows with a ``name``: of `AGAINST`, for each ranking the ratios of wall and processor time, and ``extra_bytes``;
        of `LABELS` the ratios; of `BY_CLASSES` and `BY_IMAGES` the ``size``, nanoseconds of processor time by score
        for the counting, microseconds by class for reading the result, and ``extra_bytes``.
    """
    images, classes = (14, (2, 150)) if quick else (TEST_IMAGES, (2, 5, 12, 40, 150))
    sizes = (10, 100) if quick else (10, 30, 100, 300, 1000)
    rows = [_child(threads, AGAINST, ranking, images, rounds) for ranking in RANKINGS]
    rows.append(_child(threads, LABELS, "logits", 4, rounds))
    rows += [_child(threads, BY_CLASSES, ranking, size, rounds) for ranking in RANKINGS for size in classes]
    rows += [_child(threads, BY_IMAGES, ranking, size, rounds) for ranking in RANKINGS for size in sizes]
    return rows


def _child(threads: int, *words: object) -> Row:
    return run_module("bench.metrics", "--child", *map(str, words), threads=threads).result


def tables(rows: list[Row]) -> str:
    """The rows as tables in Markdown."""
    against = [
        (row["ranking"], _ratio(row, "cpu"), _ratio(row, "wall"), f"{row['difference']:.0e}", _extra(row))
        for row in rows
        if row["name"] == AGAINST
    ]
    parts = [table((AGAINST, "times as fast, processor", "wall", "largest difference", "memory"), against)]
    labels = [("(4, 5, 256, 256)", _ratio(row, "cpu"), _ratio(row, "wall")) for row in rows if row["name"] == LABELS]
    parts.append(table((LABELS, "times as fast, processor", "wall"), labels))
    for name in (BY_CLASSES, BY_IMAGES):
        growth = [
            (
                f"{row['size']:,}, {row['ranking']}",
                f"{row['nanoseconds_by_score']:.2f} ns",
                f"{count(row['microseconds_by_class'])} µs",
                f"{row['total_by_score']:.2f} ns",
                _extra(row),
                megabytes(row["extra_bytes"] / row["classes"]),
            )
            for row in rows
            if row["name"] == name
        ]
        header = (name, "counting a score", "reading a class", "both, a score", "memory", "by class")
        parts.append(table(header, growth))
    return "\n\n".join(parts)


def _ratio(row: Row, clock: str) -> Ratio:
    return Ratio(tuple(row[clock]))


def _extra(row: Row) -> str:
    return megabytes(row["extra_bytes"])


# What follows runs in the children.


def _made(images: int, classes: int, seed: int = 0) -> tuple[Any, Any]:
    """Logits (N, C, S, S) that tell something of labels (N, S, S) of unequal shares."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    targets = (torch.rand(images, SIDE, SIDE, generator=generator) ** 2 * classes).long()
    logits = torch.randn(images, classes, SIDE, SIDE, generator=generator)
    for image, truth in zip(logits, targets, strict=True):
        image.scatter_add_(0, truth[None], torch.ones(1, SIDE, SIDE))
    return logits, targets


def _times(work: Callable[[], object]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def _ratios(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> Row:
    """Theirs by ours."""
    found = take_turns({"ours": lambda: _times(ours), "theirs": lambda: _times(theirs)}, rounds)
    by_clock = {
        clock: {name: [times[clock] for times in all_times] for name, all_times in found.items()}
        for clock in ("wall", "cpu")
    }
    return {clock: list(paired(sides["theirs"], sides["ours"]).values) for clock, sides in by_clock.items()}


def _against(ranking: Any, images: int, rounds: int) -> Row:
    """Both on the same scores, and whether they agree."""
    from sklearn.metrics import average_precision_score

    from fashseg.metrics.average_precision import HistogramAveragePrecision

    logits, targets = _made(images, CLASSES)
    scores = logits.softmax(1) if ranking == "softmax" else logits
    by_class = [((targets == c).flatten().numpy(), scores[:, c].flatten().numpy()) for c in range(CLASSES)]
    results: dict[str, list[float]] = {}

    def ours() -> None:
        metric = HistogramAveragePrecision(CLASSES, ranking)
        for start in range(0, images, BATCH):
            metric.update(logits[start : start + BATCH], targets[start : start + BATCH])
        results["ours"] = metric.compute().tolist()

    def theirs() -> None:
        results["theirs"] = [float(average_precision_score(hits, some)) for hits, some in by_class]

    row = _ratios(ours, theirs, rounds)
    row["difference"] = max(abs(a - b) for a, b in zip(results["ours"], results["theirs"], strict=True))
    return row


def _labels(images: int, rounds: int) -> Row:
    """The predicted class of each pixel of a training batch."""
    from fashseg.metrics.prediction import predicted_labels

    logits, _ = _made(images, CLASSES)
    return _ratios(lambda: predicted_labels(logits), lambda: logits.argmax(1), 3 * rounds)


def _growth(ranking: Any, images: int, classes: int, rounds: int) -> Row:
    """Time and memory of so many images, which are one batch again and again."""
    from fashseg.metrics.average_precision import HistogramAveragePrecision

    batch = max(1, min(BATCH, images, LOGITS_AT_MOST // (4 * classes * SIDE**2)))
    warm_up = HistogramAveragePrecision(2, ranking, bins=1024)
    warm_up.update(*_made(1, 2))
    warm_up.compute()
    logits, targets = _made(batch, classes)
    before = _memory("VmRSS")
    _forget_peak()
    counting, reading, extra = [], [], 0
    for _ in range(rounds):
        metric = HistogramAveragePrecision(classes, ranking)
        counting.append(_times(partial(_count, metric, logits, targets, images))["cpu"])
        reading.append(_times(metric.compute)["cpu"])
        if len(reading) == 1:  # later rounds hold what the C library keeps of this one, too
            extra = _memory("VmHWM") - before
    scores = images * classes * SIDE**2
    return {
        "classes": classes,
        "nanoseconds_by_score": min(counting) / scores * 1e9,
        "microseconds_by_class": min(reading) / classes * 1e6,
        "total_by_score": (min(counting) + min(reading)) / scores * 1e9,
        "extra_bytes": extra,
    }


def _count(metric: Any, logits: Any, targets: Any, images: int) -> None:
    """So many images, out of the same batch again and again."""
    for first in range(0, images, len(logits)):
        some = min(len(logits), images - first)
        metric.update(logits[:some], targets[:some])


def _memory(kind: str) -> int:
    """Bytes that this process holds (VmRSS), or the most it held (VmHWM); 0 where the system is not Linux."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    lines = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
    return int(lines[kind].split()[0]) * 1024


def _forget_peak() -> None:
    file = Path("/proc/self/clear_refs")
    if file.exists():
        file.write_text("5", encoding="ascii")


def _run_child(name: str, ranking: str, size: int, rounds: int) -> Row:
    row: Row = {"name": name, "ranking": ranking, "size": size}
    if name == AGAINST:
        # Memory on its own: the measurement holds all logits and what scikit-learn takes.
        return (
            row
            | {"extra_bytes": _growth(ranking, 2 * BATCH, CLASSES, 1)["extra_bytes"]}
            | _against(ranking, size, rounds)
        )
    if name == LABELS:
        return row | _labels(size, rounds)
    images, classes = (size, CLASSES) if name == BY_IMAGES else (2 * BATCH, size)
    return row | _growth(ranking, images, classes, rounds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, ranking, size, rounds = options.child
        print(json.dumps(_run_child(name, ranking, int(size), int(rounds))))
    else:
        print(tables(measure(options.quick, options.threads, options.rounds)))


if __name__ == "__main__":
    main()
