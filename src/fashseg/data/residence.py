"""How much memory is free, and with that where a data set's arrays are kept: on the device, in memory, or on disk."""

import contextlib
import os
import shutil
from pathlib import Path

import torch

SHARE = 0.5
"""Of what is free, the most that a data set takes by itself."""

# In the order of cgroup v2 and v1: the files of limit and use, and the entry of memory.stat that is given back first.
_CGROUPS = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def fits_in_memory(resident: bool | str, size: int) -> bool:
    """Whether so many bytes are kept in memory; ``resident`` as in `config.Data`."""
    if isinstance(resident, bool):
        return resident
    free = free_memory()
    return free is None or size <= SHARE * free / jobs_beside()


def jobs_beside() -> int:
    """How many jobs of a sweep run on this machine at a time, this one included: see `fashseg.launch.shares`."""
    return int(os.environ.get("FASHSEG_JOBS_BESIDE") or 1)


def fits_on_device(resident: bool | str, size: int, device: torch.device) -> bool:
    """Whether so many bytes are kept on a device; True where the device is the processor."""
    if device.type == "cpu":
        return True
    free = free_on_device(device)
    return resident is not False and free is not None and size <= SHARE * free


def free_on_device(device: torch.device) -> int | None:
    """Bytes that are free on an accelerator; None where nobody knows."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return None


def free_memory(root: Path = Path("/")) -> int | None:
    """Bytes of memory that this process can have without swapping: what the machine has and a container allows.

    Args:
        root: of the file system, for tests.

    Returns:
        None where nobody knows.
    """
    free = [_of_machine(root), *(_of_group(folder) for folder in _groups(root))]
    known = [size for size in free if size is not None]
    return min(known) if known else None


def free_on_disk(folder: Path) -> int | None:
    """Bytes that are free where a folder is or would be; None where nobody knows."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            return shutil.disk_usage(place).free
    return None


def _of_machine(root: Path) -> int | None:
    try:
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        pass
    try:  # macOS gives the total only
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (OSError, ValueError):
        return None


def _groups(root: Path) -> list[Path]:
    """The control groups of this process, with those that they are in: each may have a limit."""
    folders = []
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            top = root / "sys/fs/cgroup" / controllers
            own = top / path.lstrip("/")
            folders += [own, *(parent for parent in own.parents if parent.is_relative_to(top))]
    return folders


def _of_group(folder: Path) -> int | None:
    for limit, use, reclaimable in _CGROUPS:
        try:
            allowed, used = int((folder / limit).read_text()), int((folder / use).read_text())
            stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            return allowed - used + int(stat.get(reclaimable, 0))
        except (OSError, ValueError):  # no such file, or no limit: "max"
            continue
    return None
