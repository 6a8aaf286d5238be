"""What happens around a run: no room on the disk, no right to write, no memory, a clock that jumps, others at once."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import TINY_CNN, Command, assert_two_lines, results_of, table, weights
from fashseg.files import claim_folder

WORDS = (*TINY_CNN, "logger=none", "epochs=3")


def mount(folder: Path, options: str) -> None:
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"needs the right to mount a small disk: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Room for two checkpoints of 1.4 MB, and not for a third while it is written."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount(folder, "size=3500k")
    yield folder
    let_go_of_logs()
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def let_go_of_logs() -> None:
    """A command in this process has its log open until the next one."""
    for handler in list(logging.getLogger().handlers):
        handler.close()


def test_on_a_full_disk_the_last_good_state_stays(run: Command, small_disk: Path, tmp_path: Path) -> None:
    assert run("train", *WORDS, "hydra.run.dir=whole").status == 0
    ended = run("train", *WORDS, f"hydra.run.dir={small_disk}/r")
    assert ended.status == 1
    assert len(ended.err.splitlines()) == 2, ended.err
    assert "No space left on device" in ended.err
    assert f"resume={small_disk}/r" in ended.err
    assert results_of(small_disk / "r")["status"] == "failed"
    assert len(table(small_disk / "r")) >= 1
    assert weights(small_disk / "r")
    assert not list(small_disk.rglob(".*.part"))
    subprocess.run(["mount", "-o", "remount,size=50m", str(small_disk)], check=True)
    assert run("train", f"resume={small_disk}/r").status == 0
    assert table(small_disk / "r") == table(tmp_path / "whole")


def test_a_folder_that_cannot_be_written_to_is_named_before_anything_is_trained(run: Command, small_disk: Path) -> None:
    assert run("train", *WORDS, "epochs=1", f"hydra.run.dir={small_disk}/r").status == 0
    let_go_of_logs()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert_two_lines(run("train", *WORDS, f"hydra.run.dir={small_disk}/new"), "new can't be written to", "Read-only")
    assert_two_lines(run("train", f"resume={small_disk}/r", "epochs=2"), "r can't be written to", "Read-only")
    scored = run("evaluate", f"run={small_disk}/r")
    assert scored.status == 1
    assert "can't be written: Read-only" in scored.err
    assert "Ankle boot" in scored.out, "the scores are shown all the same"


def test_out_of_memory_is_said(run: Command, tmp_path: Path) -> None:
    ended = run("train", *WORDS, "model.hidden=2000000000", "hydra.run.dir=r")
    assert ended.status == 1
    assert len(ended.err.splitlines()) == 2, ended.err
    assert "out of memory" in ended.err
    assert results_of(tmp_path / "r")["status"] == "failed"


def test_a_clock_that_jumps_changes_nothing(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = (*TINY_CNN, "checkpoint.every_seconds=0.01")
    assert run("train", *words, "hydra.run.dir=a").status == 0
    days = iter(range(10_000_000))
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: 1.7e9 + (-1) ** next(days) * 86_400.0 * 400)
        assert run("train", *words, "hydra.run.dir=b").status == 0
    assert table(tmp_path / "a") == table(tmp_path / "b")
    results = results_of(tmp_path / "b")
    assert results["status"] == "finished"
    assert 0 < results["train_seconds"] < 60


def test_runs_of_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    ready = threading.Barrier(20)

    def claim(_: int) -> Path:
        ready.wait()
        return claim_folder(tmp_path / "2026-01-01_00-00-00")

    with ThreadPoolExecutor(20) as pool:
        claimed = list(pool.map(claim, range(20)))
    assert len(set(claimed)) == 20
    assert all(folder.is_dir() for folder in claimed)


def two_that_train(tmp_path: Path) -> tuple[subprocess.Popen[str], int]:
    """A run of two processes that has saved an epoch, and the number of the second of them."""
    words = [word for word in WORDS if not word.startswith("epochs")]
    command = [sys.executable, "-m", "fashseg.train", *words, "epochs=10000", "trainer.devices=2", "hydra.run.dir=r"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "r" / "checkpoints" / "last.ckpt").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    assert len(children) == 1
    return process, int(children[0])


def test_where_one_of_two_processes_is_asked_to_end_both_do(tmp_path: Path) -> None:
    process, second = two_that_train(tmp_path)
    os.kill(second, signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert "interrupted by SIGTERM" in errors
    assert "Traceback" not in errors
    assert results_of(tmp_path / "r")["status"] == "interrupted"
    epochs = len(table(tmp_path / "r")) + 1
    command = [sys.executable, "-m", "fashseg.train", "resume=r", f"epochs={epochs}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(table(tmp_path / "r")) == epochs


def test_where_one_of_two_processes_is_killed_the_other_says_so(tmp_path: Path) -> None:
    process, second = two_that_train(tmp_path)
    os.kill(second, signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1, errors
    assert len(errors.splitlines()) == 2, errors
    assert "process 2 of 2 was ended by SIGKILL" in errors
    assert f"resume={tmp_path / 'r'}" in errors
    assert results_of(tmp_path / "r")["status"] == "failed"
    assert weights(tmp_path / "r")
