"""How much memory is free, and with that where a data set's arrays are kept: on the device, in memory, or on disk."""

import contextlib
import os
import shutil
from pathlib import Path

import torch

from fashseg.memory import free_memory

SHARE = 0.5
"""Of what is free, the most that a data set takes by itself."""


def fits_in_memory(resident: bool | str, size: int) -> bool:
    """Whether so many bytes are kept in memory; ``resident`` as in `config.Data`."""
    if isinstance(resident, bool):
        return resident
    free = free_memory()
    return free is None or size <= SHARE * free / jobs_beside()


def jobs_beside() -> int:
    """How many jobs of a sweep run on this machine at a time, this one included: see `fashseg.launch.shares`."""
    said = os.environ.get("FASHSEG_JOBS_BESIDE", "")
    return max(1, int(said)) if said.isdecimal() else 1


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


def free_on_disk(folder: Path) -> int | None:
    """Bytes that are free where a folder is or would be; None where nobody knows."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            return shutil.disk_usage(place).free
    return None
