"""Any data set written in chunks, for ``data=streaming``: to a folder, or to object storage chunk by chunk."""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from fashseg import config as cfg
from fashseg.data.streaming.buckets import Bucket, require_litdata
from fashseg.data.streaming.places import INFO, PARTS, PlaceError, address
from fashseg.errors import RunError, UserError
from fashseg.files import require_writable
from fashseg.importing import heavy_imports
from fashseg.text import first_of
from fashseg.verb_options import Prepare

# Of the source's options, those that say where it is and how it is read.
_APART = ("root", "resident", "workers", "download", "mirrors")


def look(options: Prepare) -> None:
    """See that it can be written, before anything is read.

    Raises:
        UserError: it can't.
    """
    assert options.shards is not None
    if not options.shards:
        raise UserError("shards= names no place.", "Name a folder, or s3://BUCKET/NAME.")
    if isinstance(options.data, cfg.Streaming):
        raise UserError(
            "data=streaming is in chunks already.", "Copy the folder or bucket as it is, or name another data set."
        )
    require_litdata(f"shards={options.shards}")
    where = address(options.shards, "shards")
    if "://" in where:
        if not where.startswith(("s3://", "gs://")):
            raise UserError(
                f"shards={options.shards} is of a kind that is not written.",
                "Name a folder, s3:// or gs://BUCKET/NAME.",
            )
        return
    if where.startswith("local:"):
        raise UserError(f"shards={options.shards}: local: is for reading.", "Name the folder alone.")
    _require_free(Path(where), options.rebuild)
    require_writable(Path(where).parent)


def _require_free(folder: Path, rebuild: bool) -> None:
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise UserError(f"shards={folder} is no folder.", "Name a folder that is not there yet.")
    if not any(folder.iterdir()):
        return
    others = sorted(path.name for path in folder.iterdir() if path.name not in (INFO, *PARTS))
    if others or not _describes(folder / INFO):
        what = f"other files: {first_of(others, 3)}" if others else "other files"
        raise UserError(f"shards={folder} holds {what}.", "Name a folder that is not there yet.")
    if not rebuild:
        raise UserError(
            f"shards={folder} holds a data set already.", "Add rebuild=true to replace it, or name another folder."
        )


def _describes(info: Path) -> bool:
    """Whether it is of chunks, of whatever version: any program may call a file so."""
    try:
        content = json.loads(info.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and {"format", "parts", "order"} <= set(content)


def write_shards(options: Prepare) -> Iterator[str]:
    """Read, split and write.

    Raises:
        UserError: the source is not as it must be, or the place can't be written.
    """
    assert options.shards is not None
    where = address(options.shards, "shards")
    with heavy_imports():
        from fashseg.data.module import ImageDataModule
        from fashseg.data.streaming.writing import Plan, to_be_sent, write
    bucket = Bucket(where, options.endpoint) if "://" in where else None
    with _two_sentences():
        if bucket and bucket.has(INFO) and not options.rebuild:
            raise UserError(f"shards={where} holds a data set already.", "Add rebuild=true to replace it.")
    yield f"reading data={options.data.name}"
    data = ImageDataModule(options.data)
    data.setup()
    facts = {
        "split": data.split,
        "shared_groups": data.shared_groups,
        "partial": data.partial,
        "source": {key: value for key, value in asdict(options.data).items() if key not in _APART},
    }
    parts = {name: data.part(name) for name in ("train", "val", "test")}
    plan = Plan(int(options.chunk_mb * 1e6), options.order, options.seed, bucket.send if bucket else None)
    with _two_sentences():
        if bucket:
            with to_be_sent() as folder:
                yield from write(folder, data.info, parts, facts, plan)
        else:
            with _complete_or_absent(Path(where)) as folder:
                yield from write(folder, data.info, parts, facts, plan)
    endpoint = f" data.endpoint={options.endpoint}" if options.endpoint else ""
    yield f"written; train on it with: data=streaming data.url={options.shards}{endpoint}"


@contextlib.contextmanager
def _complete_or_absent(folder: Path) -> Iterator[Path]:
    """A new folder beside another, whose place it takes at the end."""
    new = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    old = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.old")
    try:
        new.mkdir()
        yield new
        if os.path.lexists(folder):
            folder.rename(old)
        new.rename(folder)
    finally:
        if os.path.lexists(old) and not os.path.lexists(folder):
            old.rename(folder)
        for path in (new, old):
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _two_sentences() -> Iterator[None]:
    try:
        yield
    except PlaceError as error:
        raise UserError(error.what, error.way_out) from error
    except OSError as error:
        raise RunError(
            f"the chunks can't be written: {error.strerror or error}.",
            "Make room there, or name another place by shards=.",
        ) from error
