"""What each of several jobs gets of a machine."""

import json
import os
import subprocess
import sys

import pytest

from fashseg.data.residence import fits_in_memory
from fashseg.launch.shares import Machine, Share, in_words, shares, this_machine
from fashseg.memory import free_memory

EIGHT = Machine(tuple(range(8)), 8)
GPUS = Machine(tuple(range(8)), 8, ("0", "1", "2", "3"))


@pytest.mark.parametrize(
    ("n_jobs", "at_most", "cores", "threads", "words"),
    [
        (-1, None, [1] * 8, 1, "8 at a time, each with 1 thread on a core of its own"),
        (-1, 3, [2, 2, 2], 2, "3 at a time, each with 2 threads on 2 cores of its own"),
        (2, None, [4, 4], 4, "2 at a time, each with 4 threads on 4 cores of its own"),
        (2, 1, [0], 8, "one at a time, in a process of its own"),
        (16, None, [1] * 16, 1, "16 at a time, each with 1 thread on one of 8 cores"),
    ],
)
def test_cores_are_shared_out(n_jobs: int, at_most: int | None, cores: list[int], threads: int, words: str) -> None:
    found = shares(n_jobs, EIGHT, use_gpus=True, at_most=at_most)
    assert [len(share.cores) for share in found] == cores
    assert {share.threads for share in found} == {threads}
    used = [core for share in found for core in share.cores]
    assert len(set(used)) == min(len(used), 8)
    assert in_words(found) == words
    assert all(not share.cores for share in shares(n_jobs, EIGHT, use_gpus=True, at_most=at_most, pin=False))


@pytest.mark.parametrize(
    ("n_jobs", "each", "gpus", "words"),
    [
        (-1, None, ["0,1,2,3"], "one at a time, in a process of its own"),
        (-1, 1, ["0", "1", "2", "3"], "4 at a time, each with a GPU of its own"),
        (-1, 2, ["0,1", "2,3"], "2 at a time, each with 2 GPUs of its own"),
        (2, 1, ["0", "1"], "2 at a time, each with a GPU of its own"),
        (6, 1, ["0", "1", "2", "3", "0", "1"], "6 at a time; 4 GPUs for them, so that some share one"),
    ],
)
def test_gpus_are_shared_out(n_jobs: int, each: int | None, gpus: list[str], words: str) -> None:
    found = shares(n_jobs, GPUS, use_gpus=True, processes=each)
    assert [share.environment["CUDA_VISIBLE_DEVICES"] for share in found] == gpus
    assert in_words(found) == words
    assert all(share.gpus is None for share in shares(n_jobs, GPUS, use_gpus=False))


def test_jobs_of_several_processes_are_fewer_and_each_process_has_its_threads() -> None:
    found = shares(-1, EIGHT, use_gpus=False, processes=2)
    assert [(len(share.cores), share.threads) for share in found] == [(2, 1)] * 4
    assert [share.threads for share in shares(2, EIGHT, use_gpus=False, processes=2)] == [2, 2]


def test_where_memory_is_short_there_are_fewer_jobs_by_themselves() -> None:
    small = Machine(tuple(range(8)), 8, memory=3 * 2**30)
    assert [len(shares(n_jobs, small, use_gpus=True)) for n_jobs in (-1, 8)] == [3, 8]
    assert len(shares(-1, Machine((0, 1), 2, memory=0), use_gpus=True)) == 1


@pytest.mark.parametrize(
    ("visible", "gpus"), [("2,3", ("2", "3")), ("", ()), ("1,-1,2", ("1",)), ("GPU-8932f937", ("GPU-8932f937",))]
)
def test_only_visible_gpus_are_given(visible: str, gpus: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert this_machine().gpus == gpus


def test_fewer_threads_that_were_asked_for_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert Share((), 4).environment["OMP_NUM_THREADS"] == "2"
    assert Share((), 1).environment["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert Share((), 4).environment["OMP_NUM_THREADS"] == "4"


def test_jobs_side_by_side_have_a_part_of_the_free_memory_each(monkeypatch: pytest.MonkeyPatch) -> None:
    free = free_memory()
    if free is None:
        pytest.skip("the system does not say what is free")
    assert fits_in_memory("auto", free // 4)
    monkeypatch.setenv("FASHSEG_JOBS_BESIDE", "4")
    assert not fits_in_memory("auto", free // 4)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system gives no process cores of its own")
def test_a_worker_keeps_to_its_cores() -> None:
    machine = this_machine()
    (share, *_) = shares(max(2, len(machine.cores)), machine, use_gpus=False)
    program = (
        "import json, os, sys; from fashseg.launch import worker; worker.begin(os.getppid(), json.loads(sys.argv[1]))\n"
        "assert 'torch' not in sys.modules; print(sorted(os.sched_getaffinity(0)))"
    )
    words = [sys.executable, "-c", program, json.dumps(share.cores)]
    out = subprocess.run(words, env={**os.environ, **share.environment}, capture_output=True, text=True, check=True)
    assert json.loads(out.stdout) == sorted(share.cores)
