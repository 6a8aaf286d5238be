"""How the cost of the project's training grows with the number of images and with the batch, for ``cnn``.

    python -m bench.growth [--quick]

Images are noise. Counted are the steps alone, by processor time: what comes once an epoch is not of an image.
"""

import argparse
from collections.abc import Sequence

from bench.children import Child, run_module
from bench.tables import count, megabytes, table

VAL_IMAGES = 100
IMAGES = (1_000, 10_000, 100_000, 1_000_000)
BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
BATCH_SIZE = 64


def train(images: int, batch_size: int, steps: int, epochs: int, threads: int, *options: str) -> Child:
    """A training on so many images, of which so many steps an epoch are taken at most."""
    words = [f"data.train_images={images + VAL_IMAGES}", f"data.val_share={VAL_IMAGES / (images + VAL_IMAGES)}"]
    words += [f"batch_size={batch_size}", f"trainer.limit_batches={steps}", f"epochs={epochs}", *options]
    return run_module("bench.generated", *words, threads=threads)


def microseconds(child: Child) -> float:
    """Processor time of the steps by image."""
    images: int = child.result["images"] * len(child.result["epoch_seconds"])
    return float(child.result["step_cpu_seconds"]) / images * 1e6


def by_images(sizes: Sequence[int], threads: int, trained: int = 25_600) -> str:
    """The same number of training images out of ever larger sets, kept in memory and read from disk."""
    rows = []
    for images in sizes:
        row: list[str] = [f"{images:,}"]
        for resident in ("true", "false"):
            an_epoch = min(images, trained // 2)
            epochs = -(-trained // an_epoch)
            child = train(images, BATCH_SIZE, an_epoch // BATCH_SIZE, epochs, threads, f"data.resident={resident}")
            row += [f"{count(microseconds(child))} µs", megabytes(child.peak_bytes)]
        rows.append(row)
    header = ("training images", "in memory: an image", "peak memory", "on disk: an image", "peak memory")
    return table(header, rows)


def by_batch(sizes: Sequence[int], threads: int, most: int = 20_480) -> str:
    """Ever larger batches; small ones of fewer images, for they take long."""
    rows = []
    first: int | None = None
    for size in sizes:
        steps = max(2, min(most // size, 500))
        child = train(size * steps, size, steps, 2, threads)
        first = first or child.peak_bytes
        by_image = f"{(child.peak_bytes - first) / (size - sizes[0]) / 1e3:,.0f} kB" if size > sizes[0] else ""
        rows.append((f"{size:,}", f"{count(microseconds(child))} µs", megabytes(child.peak_bytes), by_image))
    return table(("batch", "an image", "peak memory", "above the first, by image of the batch"), rows)


def compare_growth(quick: bool, threads: int = 1) -> list[str]:
    """Both tables; quick ones have two sizes."""
    if quick:
        return [by_images(IMAGES[1::2], threads, 6_400), by_batch((16, 1024), threads, 4_096)]
    return [by_images(IMAGES, threads), by_batch(BATCHES, threads)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    print(*compare_growth(options.quick, options.threads), sep="\n\n")


if __name__ == "__main__":
    main()
