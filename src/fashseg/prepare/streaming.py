"""A data set in chunks: each chunk is looked at."""

from collections.abc import Iterator
from typing import cast

from fashseg import config as cfg
from fashseg.combinations import check_address
from fashseg.errors import RunError, UserError
from fashseg.importing import heavy_imports
from fashseg.text import bytes_in_words, counted, percent
from fashseg.verb_options import Prepare


def prepare(options: Prepare) -> Iterator[str]:
    """Verify, and tell how much there is."""
    data = cast(cfg.Streaming, options.data)
    check_address(data)
    with heavy_imports():
        from fashseg.data.sources import open_source
        from fashseg.data.streaming.part import ChunkedPart
    source = open_source(data)
    assert source.opened is not None
    opened = source.opened(cfg.Streaming(**{**vars(data), "resident": False}))
    info = source.info
    yield f"{data.url}: {info.name}, {info.task}, {bytes_in_words(opened.size)}"
    for name, part in opened.parts.items():
        assert isinstance(part, ChunkedPart)
        try:
            for number in range(len(part.chunks)):
                part.chunks.verify(number)
        except RunError as error:
            raise UserError(error.what, error.way_out) from error
        shape = "x".join(map(str, part.known.shape[1:]))
        yield (
            f"{name}: {counted(len(part), 'image')} of {shape} in {counted(len(part.chunks), 'chunk')}, each as it was "
            "written"
        )
    unit = "images" if info.task == "classification" else "pixels"
    yield f"share of {unit}, training, validation and test:"
    counts = [part.class_counts(len(info.class_names)) for part in opened.parts.values()]
    wide = max(map(len, info.class_names))
    for label, name in enumerate(info.class_names):
        shares = "  ".join(f"{percent(count[label] / max(sum(count), 1)):>6}" for count in counts)
        yield f"  {name:<{wide}}  {shares}"
