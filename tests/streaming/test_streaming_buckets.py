"""Object storage: the same batches, a bounded cache, and two lines where something is wrong."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from made_chunks import GREY, changed, open_chunks, options, write_chunks

from conftest import TINY_CNN, Command, assert_two_lines, table, weights
from fashseg.data import cache
from fashseg.data.streaming.part import ChunkedPart
from fashseg.data.streaming.source import opened
from fashseg.errors import RunError, UserError


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of an S3-compatible server with a bucket named ``bucket``, and keys for it."""
    boto3 = pytest.importorskip("boto3")
    moto = pytest.importorskip("moto.server")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "ACCESS_KEY_ID": "key",
            "SECRET_ACCESS_KEY": "secret",
            "DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(f"AWS_{name}", value)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        running.start()
        host, port = running.get_host_and_port()
        address = f"http://{host}:{port}"
        boto3.client("s3", endpoint_url=address).create_bucket(Bucket="bucket")
        yield address
        running.stop()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of this test alone."""
    monkeypatch.setenv("FASHSEG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "streaming"


def chunks_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.bin"))


def test_the_same_run_as_in_memory(server: str, run: Command, tmp_path: Path, folder: Path) -> None:
    data = ("data.train_images=300", "data.test_images=60")
    sent = run(
        "prepare", "data=synthetic_fashion", *data, "shards=s3://bucket/drawn", f"endpoint={server}", "chunk_mb=0.03"
    )
    assert sent.status == 0, sent.err
    assert f"data=streaming data.url=s3://bucket/drawn data.endpoint={server}" in sent.out
    words = [*TINY_CNN, "logger=none", "batch_size=10", "epochs=1"]
    assert run("train", *words, "hydra.run.dir=memory").status == 0
    there = ["data=streaming", "data.url=s3://bucket/drawn", f"data.endpoint={server}"]
    words = [word for word in words if not word.startswith("data")]
    outcome = run("train", *words, *there, "hydra.run.dir=bucket")
    assert outcome.status == 0, outcome.err
    assert table(tmp_path / "bucket") == table(tmp_path / "memory")
    one, other = weights(tmp_path / "bucket"), weights(tmp_path / "memory")
    assert all(torch.equal(one[name], other[name]) for name in other)
    assert len(chunks_in(folder)) > 8
    assert not list(folder.rglob("*.lock"))
    assert_two_lines(run("prepare", "data=synthetic_fashion", *data, "shards=s3://bucket/drawn", f"endpoint={server}"))
    assert run("prepare", *there).status == 0


def test_what_is_wrong_with_a_bucket_is_told(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusal(url: str, endpoint: str = server) -> str:
        with pytest.raises(UserError) as caught:
            opened(options(url, endpoint=endpoint))
        return str(caught.value)

    assert "no such file or bucket" in refusal("s3://bucket/nothing")
    assert "no such file or bucket" in refusal("s3://other/nothing")
    assert "does not answer" in refusal("s3://bucket/x", "http://127.0.0.1:1")
    assert "Invalid endpoint" in refusal("s3://bucket/x", "nonsense")
    assert "google-cloud-storage" in refusal("gs://bucket/x")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("HOME", "/nowhere")
    assert "no keys" in refusal("s3://bucket/x")


def test_litdata_missing_is_told_at_once(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    for words in (
        ("train", "data=streaming", "data.url=s3://bucket/x"),
        ("prepare", "data=synthetic_fashion", "shards=out"),
    ):
        assert_two_lines(run(*words), "litdata, which is not installed", "pip install 'fashseg[stream]'")


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path, folder: Path) -> None:
    written = write_chunks(tmp_path / "d", each=2)["train"]
    size = (tmp_path / "d" / "train" / "chunk-0-0.bin").stat().st_size
    few = open_chunks(f"local:{tmp_path / 'd'}", shuffle="chunks", window=1, cache_gb=4.5 * size / 1e9).parts["train"]
    for start in range(0, 22, 2):
        assert torch.equal(few.batch([start, start + 1])[0], written.batch([start, start + 1])[0])
        assert sum(path.stat().st_size for path in chunks_in(folder)) <= 4.5 * size
        time.sleep(0.01)  # times of use are to differ
    assert {path.name for path in chunks_in(folder)} == {f"chunk-0-{number}.bin" for number in (7, 8, 9, 10)}


def test_many_processes_worth_of_threads_fetch_each_chunk_once(tmp_path: Path) -> None:
    write_chunks(tmp_path / "d", each=2)
    parts = [open_chunks(f"local:{tmp_path / 'd'}").parts["train"] for _ in range(6)]
    fetched: list[str] = []
    for part in parts:
        assert isinstance(part, ChunkedPart)
        source = part.chunks.place.source  # type: ignore[attr-defined]
        plain = source.fetch
        source.fetch = lambda name, into, plain=plain: (fetched.append(name), time.sleep(0.02), plain(name, into))
    readers = [threading.Thread(target=part.batch, args=(range(23),)) for part in parts]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(fetched) == len(set(fetched)) == 12


def test_a_data_set_that_was_written_anew_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    place = f"local:{tmp_path / 'd'}"
    for seed in (0, 100):
        written = write_chunks(tmp_path / "d", seed=seed)["train"]
        assert torch.equal(open_chunks(place).parts["train"].batch(range(23))[0], written.batch(range(23))[0])
        (tmp_path / "d").rename(tmp_path / f"before{seed}")


def test_a_copy_that_was_damaged_is_fetched_again(tmp_path: Path, folder: Path) -> None:
    written = write_chunks(tmp_path / "d")["train"]
    place = f"local:{tmp_path / 'd'}"
    open_chunks(place).parts["train"].batch(range(23))
    for path in chunks_in(folder):
        path.write_bytes(path.read_bytes()[:-3] + b"...")
    assert torch.equal(open_chunks(place).parts["train"].batch(range(23))[0], written.batch(range(23))[0])


def test_an_original_that_is_damaged_or_too_large_is_named_and_not_kept(tmp_path: Path, folder: Path) -> None:
    write_chunks(tmp_path / "d")
    path = tmp_path / "d" / "train" / "chunk-0-0.bin"
    content = path.read_bytes()
    for wrong, said in ((content[:-3] + b"...", "damaged"), (content + b"more", "more than the"), (b"", "has 0 bytes")):
        path.write_bytes(wrong)
        with pytest.raises(RunError, match=rf"train/chunk-0-0\.bin .*{said}"):
            open_chunks(f"local:{tmp_path / 'd'}").parts["train"].batch([0])
        assert not list(folder.rglob("*.bin"))
        assert not list(folder.rglob("*.part"))


def test_an_order_that_would_fetch_without_end_is_refused(tmp_path: Path) -> None:
    write_chunks(tmp_path / "d")
    with pytest.raises(UserError, match=r"data\.cache_gb=1e-06 is too little: .*all training images at once"):
        open_chunks(f"local:{tmp_path / 'd'}", cache_gb=1e-6)
    with pytest.raises(UserError, match="needs 4 chunks at a time"):
        open_chunks(f"local:{tmp_path / 'd'}", cache_gb=1e-6, shuffle="chunks", window=2)
    assert open_chunks(f"local:{tmp_path / 'd'}", cache_gb=1e-6, resident=True).parts["train"].on_disk is False


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    write_chunks(tmp_path / "d")
    cache.folder().mkdir(mode=0o500)
    with pytest.raises(RunError, match=r"can't be written.*"):
        open_chunks(f"local:{tmp_path / 'd'}").parts["train"].batch([0])


def test_a_part_that_is_not_as_described_is_refused(tmp_path: Path) -> None:
    write_chunks(tmp_path / "d", GREY)
    changed(tmp_path / "d" / "info.json", parts__val__images=6)
    with pytest.raises(UserError, match=r"local:.*val/index\.json can't be used: it lists 1 chunks, where 2 belong"):
        open_chunks(f"local:{tmp_path / 'd'}")
