"""Which process runs a trial, and whether it is still there. No package of its own: /proc says it on Linux."""

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# A process of another machine says each minute that it is there; one that has said nothing for so long is gone.
BEAT_SECONDS = 60.0
SILENT_SECONDS = 300.0


def this_process() -> dict[str, Any]:
    """What is noted of the process that runs a trial: plain values."""
    return {"host": host(), "boot": _read("/proc/sys/kernel/random/boot_id"), **_identity(os.getpid())}


def host() -> str:
    """This machine; containers of one machine whose processes do not see each other count as several."""
    space = ""
    with contextlib.suppress(OSError):
        space = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    return f"{socket.gethostname()} {space}".strip()


def is_alive(owner: Mapping[str, Any], heartbeat: float | None) -> bool:
    """Whether the process is still there, as far as it can be told from here.

    Args:
        owner: as `this_process` has noted it.
        heartbeat: when it has last said so, by its clock, in seconds since 1970; for those of other machines.
    """
    if owner.get("host") != host():
        return heartbeat is not None and time.time() - heartbeat < SILENT_SECONDS
    if owner.get("boot") != _read("/proc/sys/kernel/random/boot_id"):
        return False
    pid = owner.get("pid")
    return (
        isinstance(pid, int) and _exists(pid) and _identity(pid) == {key: owner.get(key) for key in ("pid", "started")}
    )


def _identity(pid: int) -> dict[str, Any]:
    """Number and start, in ticks since the machine was started: numbers are given again."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    zombie = bool(fields) and fields[0] == "Z"
    return {"pid": pid, "started": "" if len(fields) < 20 or zombie else fields[19]}


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
