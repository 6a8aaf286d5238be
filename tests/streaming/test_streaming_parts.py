"""What is written in chunks comes out of them, for litdata too."""

import itertools
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from made_chunks import COUNTS, GREY, MASKS, open_chunks, write_chunks

from fashseg.data.info import DataInfo
from fashseg.data.streaming.layout import Layout
from fashseg.data.streaming.part import ChunkedPart


@pytest.mark.parametrize("info", [GREY, MASKS], ids=["labels", "masks"])
def test_every_image_comes_back(info: DataInfo, tmp_path: Path) -> None:
    written = write_chunks(tmp_path / "d", info)
    for resident in (False, True):
        data = open_chunks(tmp_path / "d", resident=resident)
        for name, part in data.parts.items():
            assert isinstance(part, ChunkedPart) is not resident
            assert len(part) == COUNTS[name]
            order = torch.randperm(len(part))
            for got, wanted in zip(part.batch(order), written[name].batch(order), strict=True):
                assert got.dtype == wanted.dtype
                assert torch.equal(got, wanted)
            assert part.fingerprint == written[name].fingerprint
            assert part.class_counts(3, info.ignore) == written[name].class_counts(3, info.ignore)
            few, same = part.first(4), written[name].first(4)
            assert few.fingerprint == same.fingerprint
            assert few.class_counts(3, info.ignore) == same.class_counts(3, info.ignore)


def test_a_sample_is_that_of_arrays_or_of_a_few_chunks(tmp_path: Path) -> None:
    written = write_chunks(tmp_path / "d", each=2)
    full, near = (open_chunks(tmp_path / "d", shuffle=how).parts["train"] for how in ("full", "chunks"))
    assert full.drawn(6, 3).fingerprint == written["train"].drawn(6, 3).fingerprint
    few = near.drawn(6, 3)
    assert isinstance(few, ChunkedPart)
    assert few.chosen is not None
    assert len(few) == len(set(few.chosen.tolist())) == 6
    assert len(set((few.chosen // 2).tolist())) <= 8 < len(few.chunks)
    assert len(near.drawn(0, 3)) == 0
    assert len(near.drawn(1000, 3)) == len(near)


@pytest.mark.parametrize("info", [GREY, MASKS], ids=["labels", "masks"])
def test_litdata_reads_it_too(info: DataInfo, tmp_path: Path) -> None:
    litdata = pytest.importorskip("litdata")
    written = write_chunks(tmp_path / "d", info)
    items = litdata.StreamingDataset(str(tmp_path / "d" / "train"))
    images, targets = written["train"].batch(range(COUNTS["train"]))
    assert len(items) == len(images)
    for item, image, target in zip(items, images, targets, strict=True):
        assert np.array_equal(item["image"], image.numpy())
        assert np.array_equal(item["target"], target.numpy())


def test_random_order_is_written_once_and_mixes_classes(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    written = write_chunks(first, order="random")
    write_chunks(second, order="random")
    one, two = (open_chunks(folder) for folder in (first, second))
    assert one.parts["train"].fingerprint == two.parts["train"].fingerprint != written["train"].fingerprint
    assert one.parts["val"].fingerprint == written["val"].fingerprint
    everything = [image.numpy().tobytes() for image in one.parts["train"].batch(range(23))[0]]
    assert sorted(everything) == sorted(image.numpy().tobytes() for image in written["train"].batch(range(23))[0])
    assert one.order is not None, "auto shuffles by chunks what was written in random order"


def test_hardly_any_memory_is_taken_for_the_order_of_a_hundred_million_images() -> None:
    from fashseg.data.streaming.order import ChunkOrder

    class Part:
        def ahead(self, chunks: list[int]) -> None:
            assert len(chunks) <= 32

        def rows(self, positions: torch.Tensor) -> torch.Tensor:
            return positions

    order = ChunkOrder(100_000_000, 0, 3, 8, chunk=20_000, window=16)
    tracemalloc.start()
    take = order.rows_of(Part())  # type: ignore[arg-type]
    batches = [take(place, place + 256) for place in (0, 6_000_000, len(order) - 256)]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 30e6
    assert [len(batch) for batch in batches] == [256] * 3
    assert not any(set(a.tolist()) & set(b.tolist()) for a, b in itertools.combinations(batches, 2))


def test_layout_is_as_large_as_litdata_says() -> None:
    assert Layout.of(GREY, GREY.shape).chunk_bytes(5) == 4 + 4 * 6 + 5 * (8 + 20 + 24 + 8)
    assert Layout.of(MASKS, MASKS.shape).chunk_bytes(5) == 4 + 4 * 6 + 5 * (8 + 20 + 72 + 16 + 24)
