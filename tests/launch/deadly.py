"""A loss of one's own that ends its process in a way that is asked for; and the processes of a sweep."""

import os
import subprocess
import sys
import time
from pathlib import Path

PLUGIN = """
import ctypes
import os
import signal
import time
from dataclasses import dataclass

from fashseg.register import Loss, register_loss


@dataclass
class Deadly(Loss):
    how: str = "not"
    seconds: float = 0.0

    def __post_init__(self):
        # In a worker, where nothing slow has been imported yet.
        if {"FASHSEG_JOBS_BESIDE", "SUBMITIT_EXECUTOR"} & set(os.environ):
            if self.how == "crash":
                ctypes.string_at(0)
            if self.how == "exit":
                os._exit(7)
            if self.how == "raise":
                time.sleep(self.seconds)
                raise RuntimeError("on purpose")


def deadly(options, ignore):
    from torch.nn.functional import cross_entropy

    def loss(logits, targets):
        time.sleep(options.seconds)
        if options.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        return cross_entropy(logits, targets)

    return loss


register_loss("deadly", Deadly, deadly)
"""


def write_plugin(folder: Path) -> str:
    """The plugin below a folder; returns the word that has it read."""
    (folder / "conf" / "loss").mkdir(parents=True)
    (folder / "conf" / "loss" / "deadly.yaml").write_text("name: deadly\nhow: not\nseconds: 0.0\n", encoding="utf-8")
    (folder / "deadly_plugin.py").write_text(PLUGIN, encoding="utf-8")
    return f"plugins=[{folder / 'deadly_plugin.py'}]"


def start(*words: str, folder: Path, **environment: str) -> "subprocess.Popen[str]":
    """``python -m fashseg.train`` in a folder, in a session of its own, as in a terminal of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "fashseg.train", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **environment},
    )


def of_session(session: int) -> dict[int, str]:
    """Living processes of a session, with their commands."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] not in "ZX":
                found[int(path.name)] = (path / "cmdline").read_text(encoding="utf-8").replace("\0", " ")
        except (OSError, IndexError):  # gone in the meantime
            continue
    return found


def wait_for(condition: "object", seconds: float = 180) -> None:
    """Until a function gives something true; fails after some time."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)
