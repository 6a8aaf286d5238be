"""Many runs, one after the other and at once: nothing grows, nobody takes another's place."""

import gc
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from amounts import SLOW, amount, record
from conftest import TINY_CNN, results_of

WORDS = (
    *(word for word in TINY_CNN if not word.startswith("epochs")),
    "epochs=1",
    "callbacks.progress=none",
    "logger=tensorboard",
)


class Use(NamedTuple):
    """Of this process: memory in MB, open files, threads."""

    memory: float
    files: int
    threads: int


def use() -> Use:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return Use(
        pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
    )


def _runs_in_one_process(folder: str, runs: int, as_sweep: bool, send: Any) -> None:
    os.chdir(folder)
    for stream in (1, 2):
        os.dup2(os.open(f"stream{stream}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    from fashseg import train

    seen: list[Use] = []
    job = train.job

    def watched(*arguments: Any) -> Any:
        value = job(*arguments)
        seen.append(use())
        return value

    train.job = watched
    if as_sweep:
        status = train.main((*WORDS, "-m", f"seed=range({runs})"))
    else:
        status = max(train.main((*WORDS, f"seed={seed}")) for seed in range(runs))
    send.send((status, seen))


@pytest.mark.parametrize(
    "as_sweep",
    [
        pytest.param(False, id="in sequence", marks=pytest.mark.skipif(not SLOW, reason="make test-slow")),
        pytest.param(True, id="as a sweep"),  # which is the same runs, and more around them
    ],
)
def test_many_runs_in_one_process_take_no_more_than_few(as_sweep: bool, tmp_path: Path) -> None:
    runs = amount(10, 200)
    context = multiprocessing.get_context("forkserver")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_runs_in_one_process, args=(str(tmp_path), runs, as_sweep, send))
    start = time.monotonic()
    process.start()
    send.close()
    status, seen = receive.recv()
    process.join()
    seconds = time.monotonic() - start
    assert status == 0, (tmp_path / "stream2.txt").read_text(encoding="utf-8")
    assert len(seen) == runs
    first, last = seen[runs // 4], seen[-1]
    growth = (last.memory - first.memory) / (runs - 1 - runs // 4)
    record(
        f"{runs} runs {'as a sweep' if as_sweep else 'in sequence'} in one process",
        tried=runs,
        survived=len(seen),
        remarks=f"{first.memory:.0f} to {last.memory:.0f} MB from run {runs // 4 + 1} on, {first.files} to "
        f"{last.files} open files, {first.threads} to {last.threads} threads, {seconds / runs:.2f} s a run",
    )
    assert last.files <= first.files, seen
    assert last.threads <= first.threads, seen
    assert growth < 0.5, f"{growth:.2f} MB a run: {[round(one.memory) for one in seen]}"
    folders = sorted((tmp_path / "outputs" / ("sweep" if as_sweep else "cnn")).glob("*/*" if as_sweep else "*"))
    assert len([folder for folder in folders if (folder / "results.json").exists()]) == runs


def test_runs_at_once_do_not_meet(tmp_path: Path) -> None:
    runs = amount(3, 20)
    command = [sys.executable, "-m", "fashseg.train", *WORDS]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    start = time.monotonic()
    processes = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(runs)
    ]
    errors = [process.communicate(timeout=600)[1] for process in processes]
    seconds = time.monotonic() - start
    assert [process.returncode for process in processes] == [0] * runs, errors
    folders = [path for path in (tmp_path / "outputs" / "cnn").iterdir() if path.is_dir()]
    assert len(folders) == runs
    finished = [folder for folder in folders if results_of(folder)["status"] == "finished"]
    assert len(finished) == runs
    latest = tmp_path / "outputs" / "latest"
    assert latest.resolve() in [folder.resolve() for folder in folders]
    scores = {str(results_of(folder)["test"]) for folder in folders}
    assert len(scores) == 1, "and all of the same seed come to the same scores"
    record(f"{runs} runs at once", tried=runs, survived=len(finished), remarks=f"{seconds:.0f} s in all")
