"""What to compute on, and in which precision. Imports no Lightning."""

import ctypes
import sys

import torch

from fashseg import config as cfg
from fashseg.errors import UserError
from fashseg.ranks.options import several

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # from malloc.h


def keep_freed_memory() -> None:
    """Have the C library keep large blocks that are freed, for the next step needs the same ones.

    glibc gives them back to the system, which hands them out again page by page, each zeroed: on the CPU that took half
    of the time of a training step of segnet. Elsewhere nothing is done.
    """
    _set_allocator(1 << 30, (1 << 31) - 1)


def return_freed_memory() -> None:
    """The opposite: glibc's own habit once large blocks have been freed, and what is free now goes back at once."""
    _set_allocator(32 << 20, 64 << 20)
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _set_allocator(mmap_threshold: int, trim_threshold: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, mmap_threshold)
        mallopt(_M_TRIM_THRESHOLD, trim_threshold)


def accelerator(options: cfg.Trainer) -> str:
    """``cpu``, ``gpu`` or ``mps``.

    Raises:
        UserError: where the machine lacks what was asked for.
    """
    gpus = torch.cuda.device_count()
    mps = torch.backends.mps.is_available()
    chosen = options.accelerator
    if chosen == "auto":
        chosen = "gpu" if gpus else "mps" if mps else "cpu"
    if (chosen == "gpu" and not gpus) or (chosen == "mps" and not mps):
        raise UserError(
            f"trainer.accelerator={chosen}, but PyTorch {torch.__version__} finds no such device here.",
            "Choose trainer=cpu or trainer=auto, or install a PyTorch build for your device.",
        )
    if chosen == "gpu" and isinstance(options.devices, int) and options.devices > gpus:
        raise UserError(
            f"trainer.devices={options.devices}, but there {'is 1 GPU' if gpus == 1 else f'are {gpus} GPUs'}.",
            f"Set trainer.devices={gpus}, or trainer=cpu.",
        )
    if chosen == "mps" and several(options):
        raise UserError(
            "trainer.accelerator=mps is one device, and trains by itself.",
            "Set trainer.devices=1 trainer.strategy=auto, or trainer.accelerator=cpu.",
        )
    return chosen


def device_count(options: cfg.Trainer) -> int:
    """How many devices of this machine are used; with ``auto`` all GPUs, and elsewhere one process."""
    if isinstance(options.devices, int):
        return options.devices
    return torch.cuda.device_count() if accelerator(options) == "gpu" else 1


def torch_device(options: cfg.Trainer) -> torch.device:
    """The device of a single process."""
    return torch.device({"gpu": "cuda"}.get(name := accelerator(options), name))


def precision(options: cfg.Trainer) -> str:
    """``32``, ``bf16``, ``16`` or ``64``; what ``auto`` comes to on this machine."""
    if options.precision != "auto":
        return options.precision
    if accelerator(options) == "gpu":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "32"
    native = accelerator(options) == "cpu" and _cpu_computes_bf16()
    return "bf16" if native else "32"


def predicting_precision(options: cfg.Trainer) -> str:
    """The same for predictions: full, as where models are scored, unless another one is asked for."""
    return "32" if options.precision == "auto" else options.precision


def _cpu_computes_bf16() -> bool:
    """Emulated, it would be slower than float32."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
