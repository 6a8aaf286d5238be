"""Scripts as child processes: what they print last, and what they cost from the command to their end.

This process must stay small: on Linux the peak memory of a child is at least what its parent holds when it starts it.
So nothing that runs children imports torch.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FAILED = 400  # last characters of its messages that are shown of a child that failed


@dataclass(frozen=True)
class Child:
    """A finished one.

    Attributes:
        result: what its last line says.
        seconds: wall time from the command to the end.
        cpu_seconds: processor time, also of the processes that it started.
        peak_bytes: the most memory it held.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    result: dict[str, Any] = field(default_factory=dict)


def run_module(module: str, *words: str, threads: int = 1, folder: Path | None = None) -> Child:
    """Run ``python -m module words`` to its end.

    Args:
        module: whose last line of output is JSON, or else is left alone.
        words: its arguments.
        threads: of each of its computations.
        folder: where it runs; None takes a temporary one.

    Raises:
        RuntimeError: it failed.
    """
    return run_command([sys.executable, "-m", module, *words], threads=threads, folder=folder)


def run_command(command: Sequence[str], *, threads: int = 1, folder: Path | None = None) -> Child:
    """Run a command to its end; see `run_module`."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    counts = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    with tempfile.TemporaryDirectory() as temporary, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder or temporary,
            env={**os.environ, **counts, "PYTHONPATH": paths},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)  # of this child alone
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        printed, said = (_text(file) for file in (out, err))
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: …{(printed + said)[-FAILED:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Child(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, _last_json(printed))


def _text(file: Any) -> str:
    file.seek(0)
    text: str = file.read().decode(errors="replace")
    return text


def _last_json(text: str) -> dict[str, Any]:
    try:
        last = json.loads(text.strip().rpartition("\n")[2])
    except ValueError:
        return {}
    return last if isinstance(last, dict) else {}
