"""How much memory is free. Imports no torch."""

import os
from pathlib import Path

# In the order of cgroup v2 and v1: the files of limit and use, and the entry of memory.stat that is given back first.
_CGROUPS = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


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
