"""Which part of the machine each of several jobs gets: cores, or a GPU. Imports no torch, which would take memory of
a GPU and seconds.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fashseg.memory import free_memory
from fashseg.text import counted

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")

MEMORY_A_JOB = 2**30
"""Bytes that a job takes on a CPU: measured were 0.6 GB for cnn on the real data, besides what all have in common."""


@dataclass(frozen=True)
class Share:
    """What one of the workers gets.

    Attributes:
        cores: by number; empty where they are not shared out.
        threads: that compute.
        gpus: as CUDA_VISIBLE_DEVICES names them; None leaves it to the job.
        beside: how many workers there are.
    """

    cores: tuple[int, ...]
    threads: int
    gpus: tuple[str, ...] | None = None
    beside: int = 1

    @property
    def environment(self) -> dict[str, str]:
        """Variables of the worker. Fewer threads that the user has asked for stay."""
        asked = {name: os.environ.get(name, "") for name in THREADS}
        fewer = {name: int(text) for name, text in asked.items() if text.isdigit() and 0 < int(text) < self.threads}
        variables = {name: str(fewer.get(name, self.threads)) for name in THREADS}
        if self.gpus is not None:
            variables["CUDA_VISIBLE_DEVICES"] = ",".join(self.gpus)
        return {**variables, "FASHSEG_JOBS_BESIDE": str(self.beside), "PYTHONFAULTHANDLER": ""}


@dataclass(frozen=True)
class Machine:
    """What there is to share.

    Attributes:
        cores: numbers of those that this process may use, hyperthreads of a core beside each other.
        processors: how many may be busy at a time, which a container may limit.
        gpus: as CUDA_VISIBLE_DEVICES names them.
        memory: free bytes; None where nobody knows.
    """

    cores: tuple[int, ...]
    processors: int
    gpus: tuple[str, ...] = field(default=())
    memory: int | None = None


def this_machine() -> Machine:
    """What this process may use."""
    from joblib.externals.loky import cpu_count

    return Machine(tuple(_cores()), cpu_count(), tuple(_gpus()), free_memory())


def shares(
    n_jobs: int,
    machine: Machine,
    *,
    use_gpus: bool,
    processes: int | None = 1,
    pin: bool = True,
    at_most: int | None = None,
) -> list[Share]:
    """One for each worker.

    Args:
        n_jobs: workers; -1 for as many as there are GPUs, or else processors that each find `MEMORY_A_JOB`.
        machine: what is shared.
        use_gpus: whether jobs may train on one.
        processes: of each job, each on a GPU or with threads of its own; None for one on each GPU there is.
        pin: give each cores of its own.
        at_most: as many as there are jobs.
    """
    gpus = machine.gpus if use_gpus else ()
    each = processes or max(1, len(gpus))
    groups = [gpus[i : i + each] for i in range(0, len(gpus) - each + 1, each)]
    fitting = machine.processors if machine.memory is None else machine.memory // MEMORY_A_JOB
    count = n_jobs if n_jobs > 0 else len(groups) or min(machine.processors, fitting) // each
    count = max(1, min(count, at_most or count))
    width = max(1, len(machine.cores) // count)
    threads = max(1, machine.processors // count // each)
    found = []
    for i in range(count):
        first = i * len(machine.cores) // count
        cores = machine.cores[first : first + width] if pin and count > 1 else ()
        visible = groups[i % len(groups)] if groups else None
        found.append(Share(cores, threads, visible, count))
    return found


def in_words(found: Sequence[Share]) -> str:
    """What each worker gets, for the screen."""
    count, first = len(found), found[0]
    if count == 1:
        return "one at a time, in a process of its own"
    if first.gpus is not None:
        different = len({share.gpus for share in found})
        if different < count:
            gpus = counted(different * len(first.gpus), "GPU")
            return f"{count} at a time; {gpus} for them, so that some share one"
        return (
            f"{count} at a time, each with {'a GPU' if len(first.gpus) == 1 else f'{len(first.gpus)} GPUs'} of its own"
        )
    words = f"{count} at a time, each with {counted(first.threads, 'thread')}"
    cores = {share.cores for share in found}
    if not first.cores:
        return words
    if len(cores) < count:
        return f"{words} on one of {counted(len(cores), 'core')}"
    return f"{words} on {'a core' if len(first.cores) == 1 else f'{len(first.cores)} cores'} of its own"


def _cores() -> list[int]:
    if not hasattr(os, "sched_getaffinity"):
        return list(range(os.cpu_count() or 1))
    return sorted(os.sched_getaffinity(0), key=lambda number: (*_place(number), number))


def _place(number: int) -> tuple[int, int]:
    """Socket and core that a processor is on."""
    folder = Path(f"/sys/devices/system/cpu/cpu{number}/topology")
    try:
        package, core = ((folder / name).read_text() for name in ("physical_package_id", "core_id"))
        return int(package), int(core)
    except (OSError, ValueError):
        return 0, number


def _gpus() -> list[str]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        names = [name.strip() for name in visible.split(",")]
        # The first that is none hides those behind it.
        return names[: next((i for i, name in enumerate(names) if name in ("", "-1")), len(names))]
    if program := shutil.which("nvidia-smi"):
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            listed = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=30, check=True).stdout
            return [str(i) for i, _ in enumerate(line for line in listed.splitlines() if line.startswith("GPU "))]
    return []
