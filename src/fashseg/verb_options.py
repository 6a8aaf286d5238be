"""Options of the commands beside training. Imports neither torch nor Hydra."""

from dataclasses import dataclass, field
from typing import Any

from fashseg.config import PLUGINS, Data, Trainer, option


@dataclass
class Evaluate:
    """All options of ``python -m fashseg.evaluate``."""

    run: str | None = option(None, "run folder to score")
    split: str = option("test", "which images to score", choices=("test", "val", "train"))
    checkpoint: str = option("best", "which weights", choices=("best", "last"))
    flips: bool = option(False, "also score each image averaged with its mirror image, kept and shown apart")
    root: str | None = option(None, "folder that holds the data sets; null takes the run's own")
    trainer: Trainer = field(default_factory=Trainer)
    plugins: list[str] = option([], PLUGINS)
    debug: bool = option(False, "show tracebacks")


@dataclass
class Report:
    """All options of ``python -m fashseg.report``."""

    run: str | None = option(None, "run folder whose page is made")
    refresh: bool = option(False, "look at the images again with the best weights")
    root: str | None = option(None, "folder that holds the data sets; null takes the run's own")
    trainer: Trainer = field(default_factory=Trainer)
    plugins: list[str] = option([], PLUGINS)
    debug: bool = option(False, "show tracebacks")


@dataclass
class Export:
    """All options of ``python -m fashseg.export``."""

    run: str | None = option(None, "run folder whose model is written")
    weights: str | None = option(None, "in its place, by model=: a model of the package by its name, or a file")
    format: str = option("onnx", "what is written", choices=("onnx", "torch", "safetensors", "all"))
    output: str | None = option(
        None, "file to write, or a folder that is there; null: RUN/export, the current folder for model="
    )
    numbers: str = option(
        "float32",
        "how safetensors keeps weights: float16 halves the file; int8, with a scale for each output, quarters it",
        choices=("float32", "float16", "int8"),
    )
    checkpoint: str = option("best", "which weights of a run", choices=("best", "last"))
    root: str | None = option(
        None, "folder that holds the data sets, for images to compare on; null takes the run's own, or the usual one"
    )
    plugins: list[str] = option([], PLUGINS)
    debug: bool = option(False, "show tracebacks")


@dataclass
class Compare:
    """All options of ``python -m fashseg.compare``; words that are no overrides are the runs."""

    runs: list[str] = option([], "run folders, sweeps, or folders that hold such")
    output: str | None = option(
        None, "page to write; null: compare.html in the folder that is named, in the current one where several are"
    )
    resamples: int = option(1000, "resamples of the test images behind each interval", ge=100)
    debug: bool = option(False, "show tracebacks")


@dataclass
class Predict:
    """All options of ``python -m fashseg.predict``; words that are no overrides are pictures."""

    run: str | None = option(None, "run folder whose model is used")
    weights: str | None = option(None, "in its place, by model=: a model of the package by its name, or a file")
    checkpoint: str = option("best", "which weights of the run", choices=("best", "last"))
    input: Any = option(None, "pictures, folders, patterns; - reads such lines from standard input")
    output: str | None = option(None, "folder of the results, new or empty; null: predictions/<date_time>")
    top: int = option(3, "classes that are told for each picture, the likeliest first", ge=1)
    batch_size: int = option(500, "pictures that are classified at once", ge=1, le=100_000)
    tta: bool = option(False, "average with the mirrored picture")
    invert: bool | str = option(
        "auto", "garments: exchange dark and light; auto: where they are darker than what is around", choices=("auto",)
    )
    trim: bool | str = option(
        "auto", "garments: cut to the garment, the rest black; auto: where the background is uniform", choices=("auto",)
    )
    short_side: int | str = option(
        "auto", "masks: pixels of the short side for the network; auto: as trained, native: the picture's own"
    )
    tile: int = option(384, "masks: pixels of the windows that larger pictures are labelled in", ge=32, le=8192)
    overlap: int = option(96, "masks: pixels that neighbouring windows share, at least; less than tile", ge=0)
    trainer: Trainer = field(default_factory=Trainer)
    plugins: list[str] = option([], PLUGINS)
    debug: bool = option(False, "show tracebacks")


@dataclass
class Prepare:
    """All options of ``python -m fashseg.prepare``."""

    data: Data = field(default_factory=Data)
    seed: int = option(0, "seed of the split, where data.split_seed is not given", ge=0, le=2**32 - 1)
    rebuild: bool = option(False, "build a set again that is there; it is replaced when the new one is complete")
    partial: bool = option(False, "build of what is there, where the source is incomplete")
    mirrors: list[str] = option([], "addresses of folders to try first for the archive that a set is built from")
    shards: str | None = option(
        None, "write the data set in chunks for data=streaming: a new folder, or s3://BUCKET/NAME; null does not"
    )
    endpoint: str | None = option(None, "address of an S3-compatible server that they are sent to")
    chunk_mb: float = option(16.0, "size of a chunk in MB, of which each is read or fetched as a whole", gt=0, le=2000)
    order: str = option(
        "auto",
        "of the training images in the chunks; kept: that of the data set; random: so that a few chunks are a fair "
        "sample; auto: kept up to 2 GB",
        choices=("auto", "kept", "random"),
    )
    plugins: list[str] = option([], PLUGINS)
    debug: bool = option(False, "show tracebacks")


@dataclass
class Demo:
    """All options of ``python -m fashseg.demo``."""

    run: str | None = option(None, "run folder whose model is offered too")
    weights: Any = option(None, "by model=: names of models of the package, or files; null: all of the package")
    checkpoint: str = option("best", "which weights of the run", choices=("best", "last"))
    port: int | None = option(7860, "of 127.0.0.1, where the page is; null: the next free one", ge=1, le=65_535)
    root: str | None = option(None, "folder that holds the data sets, for examples; without it they are drawn")
    trainer: Trainer = field(default_factory=Trainer)
    plugins: list[str] = option([], PLUGINS)
    debug: bool = option(False, "show tracebacks")
