"""What can be seen of a device and of a file of weights without torch, which takes seconds to load."""

import json
import sys
from pathlib import Path
from typing import Any

from fashseg import config as cfg
from fashseg.errors import UserError

# Where drivers put what they can be talked to by: NVIDIA's, that of Windows below Linux, AMD's, those of small boards.
_GPU_FILES = ("nvidia*", "dxg", "kfd", "nvhost*", "nvmap")
_MOST_BYTES = 8 * 2**20  # of the header of a file of weights


def require_device(options: cfg.Trainer) -> None:
    """Refuse a device that this system surely lacks; PyTorch has the last word on all others.

    Raises:
        UserError: a GPU is asked for where no driver is, or one of Apple's on another system.
    """
    wanted = options.accelerator
    lacks_gpu = sys.platform == "linux" and not any(any(Path("/dev").glob(name)) for name in _GPU_FILES)
    if (wanted == "gpu" and lacks_gpu) or (wanted == "mps" and sys.platform != "darwin"):
        raise UserError(
            f"trainer.accelerator={wanted}, but this system finds no such device here.",
            "Choose trainer=cpu or trainer=auto, or install the driver of your device.",
        )


def task_of_weights(path: Path) -> str | None:
    """The task that a file of weights says it is for; None where it can't be told, and reading it will say why."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header: Any = json.loads(file.read(size)) if size <= _MOST_BYTES else {}
        task = json.loads(header["__metadata__"]["info"])["task"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return task if isinstance(task, str) else None
