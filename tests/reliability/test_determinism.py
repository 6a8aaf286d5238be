"""The same seed on the same machine gives the same bits, however the data is kept and the loop is run."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from amounts import SLOW, amount, record
from conftest import TINY_CNN, TINY_SEGNET, Command, results_of, table, weights

TASKS = {"cnn": (*TINY_CNN, "batch_size=32"), "segnet": (*TINY_SEGNET, "batch_size=3")}
WAYS = {
    "again": (),
    "on disk, read as one goes": ("data.resident=false", "data.workers=0"),
    "on disk, two threads that read ahead": ("data.resident=false", "data.workers=2"),
    "step by step": ("trainer.steps_per_call=1",),
    "three steps in a call": ("trainer.steps_per_call=3",),
    "saved all the time": ("checkpoint.every_seconds=1e-9",),
    "on_nan=skip": ("on_nan=skip",),
    "with TensorBoard and the page": ("logger=tensorboard", "page=true"),
}
# Of the sample: what is computed otherwise. Where the data is kept has nothing to do with how exact numbers are.
OF_SAMPLE = ("step by step", "three steps in a call", "on_nan=skip")


def same(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return (
        all(torch.equal(first[key], second[key]) for key in first)
        and table(one) == table(other)
        and results_of(one)["test"] == results_of(other)["test"]
    )


@pytest.mark.parametrize("precision", ["32", "bf16"])
@pytest.mark.parametrize("model", TASKS)
def test_all_ways_give_the_same_bits(run: Command, tmp_path: Path, model: str, precision: str) -> None:
    words = (*TASKS[model], f"trainer.precision={precision}", "augment=flip", "logger=none")
    if model == "segnet":
        words = (*words, f"model.features={amount(8, 32)}")
    assert run("train", *words, "hydra.run.dir=first").status == 0
    right = []
    ways = {way: WAYS[way] for way in (WAYS if SLOW or (model, precision) == ("cnn", "32") else OF_SAMPLE)}
    for number, (way, options) in enumerate(ways.items()):
        ended = run("train", *words, *options, f"hydra.run.dir=r{number}")
        assert ended.status == 0, ended.err
        if same(tmp_path / "first", tmp_path / f"r{number}"):
            right.append(way)
    record(f"same bits, {model}, precision {precision}", tried=len(ways), survived=len(right), remarks="; ".join(ways))
    assert right == list(ways)


def by_two(folder: Path, *words: str) -> str:
    """What a run of two processes in a folder has told."""
    command = [sys.executable, "-m", "fashseg.train", *words]
    environment = {key: value for key, value in os.environ.items() if key != "FASHSEG_DATA"} | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


TWO = (*TINY_CNN, "batch_size=16", "trainer.devices=2", "data.train_images=320", "eval_train=false")


def test_two_processes_share_a_folder_and_go_on_as_if_they_had_not_been_stopped(tmp_path: Path) -> None:
    words = (*TWO, "data.test_images=51", "augment=flip", "augment.mixup=0.4")
    told = by_two(tmp_path, *words, "epochs=3")
    assert told.count("Accuracy on synthetic data") == 1
    (whole,) = (tmp_path / "outputs" / "cnn").iterdir()
    assert len(table(whole)) == 3
    by_two(tmp_path, *words, "epochs=2", "hydra.run.dir=part")
    by_two(tmp_path, "resume=part", "epochs=3")
    assert same(whole, tmp_path / "part")
    scored = sum(map(sum, results_of(whole)["test"]["confusion_matrix"]))
    assert scored == 51, "the uneven image is counted, and once"


def test_two_processes_come_close_to_one(run: Command, tmp_path: Path) -> None:
    """Half batches are averaged in another order than a whole one, so that one and two differ by rounding."""
    words = (*TWO, "trainer.precision=32")
    by_two(tmp_path, *words, "hydra.run.dir=two")
    assert run("train", *words, "batch_size=32", "trainer.devices=1", "hydra.run.dir=one").status == 0
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    largest = max(float((one[key] - two[key]).abs().max()) for key in one)
    remarks = f"weights of one process differ by {largest:.1e} at most: sums come in another order"
    record("same bits, two processes", tried=1, survived=1, remarks=remarks)
    assert largest < 1e-4
    assert sum(map(sum, results_of(tmp_path / "two")["test"]["confusion_matrix"])) == 60


@pytest.mark.alone
@pytest.mark.parametrize("model", TASKS)
def test_deterministic_algorithms_cost_little(run: Command, tmp_path: Path, model: str) -> None:
    rounds, ratios, memory = amount(2, 7), [], {}
    words = [*(word for word in TASKS[model] if not word.startswith("epochs")), "logger=none", "epochs=4"]
    for number in range(rounds):
        seconds = {}
        for deterministic in (False, True):
            folder = f"r{number}{deterministic}"
            start = time.process_time()
            assert run("train", *words, f"trainer.deterministic={deterministic}", f"hydra.run.dir={folder}").status == 0
            seconds[deterministic] = time.process_time() - start
            memory[deterministic] = results_of(tmp_path / folder)["peak_memory_bytes"]
        ratios.append(seconds[True] / seconds[False])
    assert same(tmp_path / "r0True", tmp_path / "r1True")
    of_memory = memory[True] / memory[False]
    record(
        f"trainer.deterministic=true, {model}",
        tried=rounds,
        survived=rounds,
        remarks=f"{statistics.median(ratios):.2f} times the processor time of whole runs ({min(ratios):.2f} to "
        f"{max(ratios):.2f}), {of_memory:.2f} times the memory",
    )
    assert statistics.median(ratios) < 1.3, ratios
    assert of_memory < 1.3
