"""A page with every block, drawn from a seed: like that of a run, with more text and wider tables."""

import io

import numpy as np
from PIL import Image

from fashseg.figures.style import house_style, new_figure, svg
from fashseg.pages.blocks import (
    Cell,
    Code,
    Facts,
    Figure,
    Folded,
    Gallery,
    Legend,
    Page,
    Picture,
    Section,
    Table,
    Text,
)

NAMES = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
COLOURS = ("#AA0000", "#FFFF00", "#00AAFF", "#0000AA", "#55FFAA", "#FF5500", "#AAFF55", "#00FFFF", "#0055FF", "#FF0000")


def png(pixels: np.ndarray) -> bytes:
    """A file of uint8 pixels (H, W) or (H, W, 3)."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


@house_style()
def chart(width: float = 5.0, height: float = 3.2) -> bytes:
    """SVG with lines and words, that follows the page into the dark."""
    figure = new_figure(width, height)
    axes = figure.add_subplot(xlabel="epoch", ylabel="loss", title="Loss")
    for name, rate in (("training", 0.3), ("validation", 0.2)):
        axes.plot(range(12), np.exp(-rate * np.arange(12)), label=name)
    axes.legend()
    return svg(figure).encode()


def garment(seed: int) -> bytes:
    """28×28 grey pixels."""
    rows, columns = np.mgrid[:28, :28]
    noise = np.random.default_rng(seed).integers(0, 60, (28, 28))
    inside = (abs(columns - 14) < 5 + seed % 5) & (abs(rows - 14) < 9 + seed % 4)
    return png(np.where(inside, 190 + noise, noise // 6).clip(0, 255).astype(np.uint8))


def facade(seed: int) -> bytes:
    """256×256 colours."""
    rows, columns = np.mgrid[:256, :256]
    windows = ((rows // 32) % 2 == 1) & ((columns // (24 + 4 * (seed % 3))) % 2 == 1)
    base = np.random.default_rng(seed).integers(60, 200, 3)
    return png(np.where(windows[..., None], base // 3, base).astype(np.uint8))


def thumbnails(title: str, count: int, seed: int) -> tuple[str, list[Picture]]:
    """A row of a gallery of garments."""
    return title, [
        Picture(
            f"sample-{seed + i}",
            f"{NAMES[i % 10]}, taken for shirt with probability 0.9{i}",
            "image/png",
            garment(seed + i),
            f"✗ {NAMES[(i + seed) % 10]} 0.9{i}",
            pixelated=True,
        )
        for i in range(count)
    ]


def panels(title: str, seed: int) -> tuple[str, list[Picture]]:
    """A row of a gallery of facades."""
    names = ("original", "prediction", "ground truth", "errors")
    return title, [Picture(n, f"{title}: {n}", "image/png", facade(seed + i), n) for i, n in enumerate(names)]


def class_table() -> Table:
    """Scores by class, with colours, an absent one, and a footer."""
    rows = []
    for i, name in enumerate(NAMES):
        scores = np.random.default_rng(i).uniform(0.55, 0.99, 3)
        numbers = [Cell(f"{score:.3f}", value=float(score)) for score in scores]
        if i == 4:
            numbers[1] = Cell("absent")
        difference = float(scores[1] - scores[2])
        rows.append(
            [
                Cell(str(i), i),
                Cell(COLOURS[i], colour=COLOURS[i]),
                Cell(name),
                *numbers,
                Cell(f"{difference:+.3f}", difference),
            ]
        )
    footer = [
        Cell(""),
        Cell(""),
        Cell("all", strong=True),
        *(Cell("0.812", 0.812, strong=True) for _ in range(3)),
        Cell("+0.004", 0.004, strong=True),
    ]
    columns = ("value", "colour", "class", "validation", "test", "published", "difference")
    return Table(columns, rows, "Average precision by raw logits, class by class", frozenset({0, 3, 4, 5, 6}), [footer])


def wide_table() -> Table:
    """More columns than a phone is wide, one of them without a name."""
    columns = ("", "layer", *(f"quantity {i}" for i in range(9)))
    rows = [
        [Cell(str(r), r), Cell(f"layer{r}.conv"), *(Cell(f"{r * 1000 + i:,}", r * 1000 + i) for i in range(9))]
        for r in range(12)
    ]
    return Table(columns, rows, "Layers, as one image passes them", frozenset({0, *range(2, 11)}))


def long_facts() -> Facts:
    """Entries with words longer than a phone is wide."""
    return Facts(
        [
            ("data set", "fashion_mnist, split random: 55,000 training, 5,000 validation and 10,000 test images"),
            ("SHA-256 of the training images", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
            ("machine", "AMD EPYC 9654, 16 cores, 2 threads, 64 GB of memory, Linux 6.1"),
            ("folder", "/home/somebody/" + "a-long-folder-name/" * 8),
        ]
    )


def rich_page() -> Page:
    """Every block, in the order of a run's page."""
    loss = Picture("curves", "Loss over the epoch: both fall.", "image/svg+xml", chart(), "Loss by epoch, of one run.")
    matrix = Picture("confusion", "Confusion matrix.", "image/svg+xml", chart(7.5, 7.5), "Rows are the truth.")
    said = (
        "Shirt is the hardest class (68.1%): it is taken for T-shirt/top in 14.2% of its images, for pullover in 8.0% "
        "and for coat in 5.9%. Trouser and bag are the easiest."
    )
    config = "\n".join(f"option_{i}: {'value ' * (i % 30)}" for i in range(80))
    again = "python -m fashseg.train experiment=report_cnn seed=7 data.root='/a folder' trainer.max_epochs=30"
    return Page(
        title="cnn on fashion_mnist",
        headline="90.9% of test images recognised, 0.3 points above the published 90.6%",
        summary=[
            "With other test images of the same kind it would lie between 90.3% and 91.4% (95% interval over images).",
            "423,370 parameters, 30 epochs in 4 minutes of training, 6,912 images a second.",
        ],
        warnings=[
            "Synthetic data: images drawn by code. No score here says anything about real images.",
            "The run is not finished: it was interrupted after epoch 12 of 30.",
        ],
        sections=[
            Section("Class by class", "classes", [class_table(), Text([said, said]), Figure(loss)]),
            Section("Is validation comparable with training?", "comparable", [Text([said]), Figure(loss)]),
            Section(
                "Samples: test images",
                "samples",
                [
                    Text(["Below each image: what it is taken for, and how sure the network is."]),
                    Gallery(
                        "Shirt",
                        [
                            thumbnails(f"{kind} mistakes", 5, 7 * i)
                            for i, kind in enumerate(("The surest", "Random", "Other", "More"))
                        ],
                    ),
                    Gallery("Coat", [thumbnails("Recognised, at random", 12, 40)]),
                    Legend(list(zip(NAMES, COLOURS, strict=True))),
                    Gallery("Worst", [panels("Image 12, 61.3% of its pixels right", 3), panels("Image 40, 64.0%", 8)]),
                ],
            ),
            Section("Confusions", "confusions", [Figure(matrix)]),
            Section("The network", "network", [wide_table()]),
            Section("What was run", "what", [long_facts(), Folded("The full configuration", config)]),
            Section("Run it again", "again", [Code(again, "The same run"), Code("make tensorboard", "Look at it")]),
        ],
        footer="Made by fashseg 0.1.0.",
    )
