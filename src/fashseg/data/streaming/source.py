"""The data set ``streaming``: what the rest of the project asks of it."""

from functools import partial

from fashseg import config as cfg
from fashseg.data.info import DataInfo
from fashseg.data.residence import fits_in_memory
from fashseg.data.source import Opened
from fashseg.data.streaming.description import Description, read_checksums, read_description
from fashseg.data.streaming.layout import Labels, Layout
from fashseg.data.streaming.places import PARTS, PlaceError, is_distant, place_of
from fashseg.errors import UserError
from fashseg.text import bytes_in_words, counted

_OPEN = 256  # chunks of a folder that are kept open
_MOST_IN_FULL = 200_000_000  # images: their order takes 8 bytes each, twice


def describe(options: cfg.Streaming) -> DataInfo:
    """The facts.

    Raises:
        UserError: there is no data set there, or it can't be used.
    """
    return _described(options).info


def counts(options: cfg.Streaming) -> tuple[int, int]:
    """Number of images of training and validation together, and of the test."""
    parts = _described(options).parts
    return parts["train"].images + parts["val"].images, parts["test"].images


def said(options: cfg.Streaming) -> list[str]:
    """A sentence on what is there."""
    described = _described(options)
    images = ", ".join(f"{described.parts[name].images:,} {name}" for name in PARTS)
    how = "chunk by chunk" if _by_chunks(options, described) else "in full"
    return [f"data.url={options.url}: {described.info.name}, {images} images, shuffled {how}"]


def look(options: cfg.Streaming) -> str:
    """The task that it is for, and whether it can be read with these options, before torch is needed for it.

    Raises:
        UserError: there is no data set there, or it can't be used with these options.
    """
    described = _described(options)
    _require_room(options, described)
    return described.info.task


def opened(options: cfg.Streaming) -> Opened:
    """All parts.

    Raises:
        UserError: there is no data set there, or it can't be used with these options.
    """
    from fashseg.data.streaming.chunks import Chunks
    from fashseg.data.streaming.order import ChunkOrder
    from fashseg.data.streaming.part import ChunkedPart

    described = _described(options)
    _require_room(options, described)
    mark = " ".join(part.fingerprint for part in described.parts.values())
    train = described.parts["train"]
    by_chunks = _by_chunks(options, described)
    chunked = {}
    try:
        reading, place = place_of(options), place_of(options, mark, patient=True)
        for name, part in described.parts.items():
            layout = Layout.of(described.info, part.shape)
            checksums = read_checksums(reading, name, part, layout)
            many = _OPEN if not place.distant or (name == "train" and not by_chunks) else 2 * options.window
            chunks = Chunks(place, name, layout, part.images, part.chunk, checksums, Labels.of(described.info), many)
            window = described.info.shape[1:] if part.shape != described.info.shape else None
            chunked[name] = ChunkedPart(chunks, part, window=window, near=by_chunks)
    except PlaceError as error:
        raise UserError(error.what, error.way_out) from error
    size = sum(_size(described, name) for name in PARTS)
    resident = options.resident is not False and fits_in_memory(options.resident, size)
    return Opened(
        {name: part.in_memory() if resident else part for name, part in chunked.items()},
        size,
        described.split,
        described.shared_groups,
        described.partial,
        partial(ChunkOrder, train.images, chunk=train.chunk, window=options.window) if by_chunks else None,
    )


def _described(options: cfg.Streaming) -> Description:
    try:
        return read_description(place_of(options))
    except PlaceError as error:
        raise UserError(error.what, error.way_out) from error


def _by_chunks(options: cfg.Streaming, described: Description) -> bool:
    """Whether chunks are shuffled; told by the data set alone, so that a run goes on in its order anywhere."""
    return options.shuffle == "chunks" or (options.shuffle == "auto" and described.order == "random")


def _size(described: Description, name: str) -> int:
    part = described.parts[name]
    return part.images * Layout.of(described.info, part.shape).image_bytes


def _require_room(options: cfg.Streaming, described: Description) -> None:
    """Refuse an order that would fetch chunks again and again, or that does not fit in memory."""
    train = described.parts["train"]
    by_chunks = _by_chunks(options, described)
    if not by_chunks and train.images > _MOST_IN_FULL:
        raise UserError(
            f"data.shuffle={options.shuffle}: the order of {train.images:,} images takes too much memory.",
            "Set data.shuffle=chunks.",
        )
    if options.resident is True or not is_distant(options.url):
        return
    chunk = Layout.of(described.info, train.shape).chunk_bytes(min(train.chunk, train.images))
    whole = _size(described, "train")
    needed = min(whole, 2 * options.window * chunk) if by_chunks else whole
    if needed > options.cache_gb * 1e9:
        what = f"{counted(2 * options.window, 'chunk')} at a time" if by_chunks else "all training images at once"
        raise UserError(
            f"data.cache_gb={options.cache_gb:g} is too little: the order of training needs {what}, "
            f"{bytes_in_words(needed)}.",
            "Raise data.cache_gb, or lower data.window."
            if by_chunks
            else "Raise data.cache_gb, or set data.shuffle=chunks.",
        )
