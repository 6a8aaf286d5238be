"""NCCL: on GPUs, two processes against one, and one that trains as several do. Skipped where there are none.

By hand: ``python -m pytest -rs tests/ddp/test_ddp_gpus.py``, some two minutes.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import TINY_CNN, results_of, table, weights

GPUS = torch.cuda.device_count()
TORCHRUN = ("-m", "torch.distributed.run", "--nproc-per-node=2")
WORDS = [word for word in TINY_CNN if not word.startswith(("data.t", "trainer.acc"))]
WORDS += ["data.train_images=3003", "data.test_images=501", "trainer.precision=32", "trainer=gpu", "logger=none"]
# Small steps, not those of Adam: at the rate of `cnn` a millionth more on the images moves the losses by 0.5%. Here
# TF32 in place of float32 moves them by 0.02%, and the weights by 0.0002.
WORDS += ["optimizer=sgd", "optimizer.lr=0.002"]


def trained(folder: Path, *words: str, starter: tuple[str, ...] = ()) -> Path:
    """A run in processes of its own."""
    command = [sys.executable, *starter, "-m", "fashseg.train", *WORDS, *words, f"hydra.run.dir={folder}"]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


def assert_close(one: Path, two: Path) -> None:
    """Convolutions of half a batch are computed in another order, and may be rounded otherwise."""
    np.testing.assert_allclose(
        [results_of(one)[part]["loss"] for part in ("val", "test")],
        [results_of(two)[part]["loss"] for part in ("val", "test")],
        rtol=1e-3,
    )
    assert (
        max(float((a - b).abs().max()) for a, b in zip(weights(one).values(), weights(two).values(), strict=True))
        < 0.001
    )
    assert sum(map(sum, results_of(two)["test"]["confusion_matrix"])) == 501


@pytest.mark.skipif(GPUS < 1, reason="needs a GPU")
def test_one_gpu_trains_as_several_do(tmp_path: Path) -> None:
    alone = trained(tmp_path / "alone", "batch_size=64")
    words = ("batch_size=64", "trainer.devices=1", "trainer.strategy=ddp")
    assert_close(alone, trained(tmp_path / "r", *words))


@pytest.mark.skipif(GPUS < 2, reason="needs 2 GPUs")
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
@pytest.mark.parametrize(
    "starter", [(), ("-m", "torch.distributed.run", "--nproc-per-node=2")], ids=["own", "torchrun"]
)
def test_two_gpus_come_to_the_scores_of_one(tmp_path: Path, strategy: str, starter: tuple[str, ...]) -> None:
    alone = trained(tmp_path / "alone", "batch_size=64")
    words = ("batch_size=32", "trainer.devices=2", f"trainer.strategy={strategy}")
    two = trained(tmp_path / "two", *words, starter=starter)
    assert_close(alone, two)
    assert len(table(two)) == len(table(alone))


@pytest.mark.skipif(GPUS < 2, reason="needs 2 GPUs")
def test_where_one_of_two_is_killed_nccl_is_not_waited_for(tmp_path: Path) -> None:
    words = [*WORDS, "epochs=10000", "trainer.devices=2", "hydra.run.dir=r"]
    command = [sys.executable, "-m", "fashseg.train", *words]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "r" / "checkpoints" / "last.ckpt").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    (second,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    os.kill(int(second), signal.SIGKILL)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "was ended by SIGKILL" in errors
    assert results_of(tmp_path / "r")["status"] == "failed"
