"""Runs on data in chunks, from the command line to the page."""

import os
from pathlib import Path

import pytest
import torch
from made_chunks import MASKS, write_chunks

from conftest import TINY_CNN, TINY_SEGNET, Command, assert_two_lines, page_of, results_of, table, weights
from data.own_folders import write_classes

RUN = {"cnn": (*TINY_CNN, "batch_size=10", "epochs=1"), "segnet": (*TINY_SEGNET, "batch_size=2", "epochs=2")}


def without_data(words: tuple[str, ...]) -> list[str]:
    return [word for word in words if not word.startswith(("data=", "data."))]


def only_data(words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word.startswith(("data=", "data."))]


@pytest.mark.parametrize("model", RUN)
def test_a_run_is_the_same_as_in_memory_and_all_else_works_on_it(model: str, run: Command, tmp_path: Path) -> None:
    words = RUN[model]
    written = run("prepare", *only_data(words), "shards=chunks", "chunk_mb=1" if model == "segnet" else "chunk_mb=0.05")
    assert written.status == 0, written.err
    assert "train on it with: data=streaming data.url=chunks" in written.out
    assert run("train", *words, "hydra.run.dir=memory", "logger=none").status == 0
    there = [*without_data(words), "data=streaming", "data.url=chunks"]
    outcome = run("train", *there, "hydra.run.dir=chunked", *(["page=true"] if model == "cnn" else []))
    assert outcome.status == 0, outcome.err
    assert table(tmp_path / "chunked") == table(tmp_path / "memory")
    one, other = weights(tmp_path / "chunked"), weights(tmp_path / "memory")
    assert all(torch.equal(one[name], other[name]) for name in other)
    a, b = results_of(tmp_path / "chunked"), results_of(tmp_path / "memory")
    for name in ("val", "test", "fingerprints", "images", "split", "data", "synthetic", "parameters"):
        assert a[name] == b[name], name
    (tmp_path / "chunks").rename(tmp_path / "moved")
    assert_two_lines(run("evaluate", "run=chunked"), "chunks is not there")
    if model == "cnn":
        assert run("evaluate", "run=chunked", "root=moved").status == 0
        exported = run("export", "run=chunked", "format=safetensors", "root=moved")
        assert "validation images" in exported.out, exported
    else:
        assert run("report", "run=chunked", "root=moved").status == 0
    assert str(tmp_path) not in page_of(tmp_path / "chunked"), "where data lie is the affair of who made the page"


def test_it_goes_on_from_where_it_was_stopped(run: Command, tmp_path: Path) -> None:
    write_chunks(tmp_path / "d", MASKS, order="random", each=3)
    words = [
        "model=unet",
        "model.widths=[4,4]",
        "data=streaming",
        "data.url=d",
        "batch_size=4",
        "page=false",
        "logger=none",
    ]
    words += ["trainer.accelerator=cpu", "data.window=2", "eval_train=1", "eval_batch_size=4"]
    assert run("train", *words, "epochs=3", "hydra.run.dir=whole").status == 0
    assert run("train", *words, "epochs=2", "hydra.run.dir=parts").status == 0
    (tmp_path / "d").rename(tmp_path / "e")
    assert_two_lines(
        run("train", "resume=parts", "epochs=3", "data=streaming", "data.window=3"),
        "data.window=2, and resume keeps it",
    )
    assert run("train", "resume=parts", "epochs=3", "data=streaming", "data.url=e").status == 0
    assert table(tmp_path / "parts") == table(tmp_path / "whole")


def test_one_s_own_pictures_in_chunks(run: Command, tmp_path: Path) -> None:
    root = write_classes(tmp_path / "shapes", each=12)
    assert run("prepare", "data=image_folder", f"data.root={root}", "shards=d", "order=random").status == 0
    words = ("model=cnn", "data=streaming", "data.url=d", "epochs=1", "page=false", "logger=none", "hydra.run.dir=run")
    outcome = run("train", *words, "trainer.accelerator=cpu", "trainer.overfit_batches=1")
    assert outcome.status == 0, outcome.err
    assert "image_folder, 28 train, 3 val, 5 test images, shuffled chunk by chunk" in outcome.out
    assert results_of(tmp_path / "run")["test"]["accuracy_per_class"].keys() == {"bar", "disc", "ring"}


def test_what_can_not_be_read_is_refused_in_two_lines(run: Command, tmp_path: Path) -> None:
    write_chunks(tmp_path / "d")
    (tmp_path / "file").write_text("")
    train = ("train", "model=cnn", "data=streaming")
    for words, said in {
        (): "data.url is missing",
        ("data.url=nowhere",): "nowhere is not there",
        ("data.url=file",): "file is no folder",
        ("data.url=.",): "has no info.json",
        ("data.url=ftp://x/y",): "is of a kind that is not read",
        ("data.url=s3://key:secret@bucket/x",): "holds a name or a key",
        ("data.url='~nobody_of_this_name/x'",): "there is no such user",
        ("data.url=d", "model=segnet"): "model=segnet does segmentation, data.url=d is for classification",
        ("data.url=d", "data.window=0"): "data.window=0 is out of range",
        ("data.url=d", "data.shuffle=some"): "data.shuffle=some is not one of",
        ("data.url=d", "data.split=random"): "data.split=random is not one of written",
    }.items():
        assert_two_lines(run(*train, *words), said)
    assert not (tmp_path / "outputs").exists()
    assert_two_lines(run("prepare", "data=streaming"), "data.url is missing")
    assert_two_lines(run("prepare", "data=streaming", "data.url=."), "has no info.json")


def test_prepare_looks_at_every_chunk(run: Command, tmp_path: Path) -> None:
    write_chunks(tmp_path / "d", MASKS)
    outcome = run("prepare", "data=streaming", "data.url=d")
    assert outcome.status == 0, outcome.err
    assert "train: 23 images of 6x4 in 5 chunks, each as it was written" in outcome.out
    path = tmp_path / "d" / "test" / "chunk-0-1.bin"
    path.write_bytes(path.read_bytes()[:-1])
    assert_two_lines(run("prepare", "data=streaming", "data.url=d"), "test/chunk-0-1.bin has", "belong")


def test_only_a_data_set_in_chunks_is_replaced_and_only_when_told_to(run: Command, tmp_path: Path) -> None:
    words = ("prepare", "data=synthetic_fashion", "data.train_images=20", "data.test_images=5")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert_two_lines(run(*words, "shards=mine", "rebuild=true"), "mine holds other files")
    (tmp_path / "mine" / "info.json").write_text('{"about": "my letters"}')
    assert_two_lines(run(*words, "shards=mine", "rebuild=true"), "mine holds other files: letter.txt")
    (tmp_path / "mine" / "letter.txt").rename(tmp_path / "letter.txt")
    assert_two_lines(run(*words, "shards=mine", "rebuild=true"), "mine holds other files")
    (tmp_path / "letter.txt").rename(tmp_path / "mine" / "letter.txt")
    assert_two_lines(run(*words, "shards=mine/letter.txt"), "letter.txt is no folder")
    assert_two_lines(run(*words, "shards="), "shards= names no place")
    assert_two_lines(run(*words, "shards=http://x/y"), "is of a kind that is not written")
    assert_two_lines(run(*words, "shards=local:x"), "local: is for reading")
    assert_two_lines(run("prepare", "data=streaming", "data.url=x", "shards=y"), "in chunks already")
    assert run(*words, "shards=new").status == 0
    first = (tmp_path / "new" / "info.json").read_text()
    assert_two_lines(run(*words, "shards=new"), "new holds a data set already")
    assert run(*words, "data.draw_seed=1", "shards=new", "rebuild=true").status == 0
    assert (tmp_path / "new" / "info.json").read_text() != first
    assert {path.name for path in tmp_path.iterdir()} == {"mine", "new"}


def test_what_could_not_be_written_leaves_nothing(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, os.strerror(28))

    words = ("prepare", "data=synthetic_fashion", "data.train_images=20", "data.test_images=5", "shards=new")
    with monkeypatch.context() as patch:
        patch.setattr("fashseg.data.streaming.writing._crc", full)
        outcome = run(*words)
    assert outcome.status == 1
    assert outcome.err.startswith("error: the chunks can't be written: No space left on device.\n")
    assert not list(tmp_path.iterdir())
