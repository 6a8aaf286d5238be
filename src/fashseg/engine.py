"""Lightning's Trainer from our options, and what is set once for the whole process."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger
from pytorch_lightning.profilers import AdvancedProfiler, Profiler, PyTorchProfiler, SimpleProfiler

from fashseg import config as cfg
from fashseg.errors import UserError

_PRECISION: dict[str, Any] = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed", "64": "64-true"}
_PROFILERS: dict[str, type[Profiler]] = {
    "simple": SimpleProfiler,
    "advanced": AdvancedProfiler,
    "pytorch": PyTorchProfiler,
}


def set_up_process(seed: int) -> None:
    """Seeds, denormals, and where messages of libraries go: into run.log, not on the screen."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.captureWarnings(True)
    # The data is in memory: reading it needs no workers.
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    # Nothing is logged by step, but by epoch.
    warnings.filterwarnings("ignore", ".*smaller than the logging interval.*")
    # A run that goes on writes where it wrote before.
    warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")
    # pytorch-lightning 2.6.6 asks torch's pytree in the way of torch 2.14 and before.
    warnings.filterwarnings("ignore", ".*isinstance.treespec, LeafSpec")
    pl.seed_everything(seed, workers=True)
    torch.set_flush_denormal(True)  # numbers below 1e-38 make some processors several times slower


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
    if chosen == "gpu" and options.devices > gpus:
        raise UserError(
            f"trainer.devices={options.devices}, but there are {gpus} GPUs.", f"Set trainer.devices={gpus}."
        )
    return chosen


def precision(options: cfg.Trainer) -> str:
    """``32``, ``bf16``, ``16`` or ``64``; what ``auto`` comes to on this machine."""
    if options.precision != "auto":
        return options.precision
    if accelerator(options) == "gpu":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "32"
    native = accelerator(options) == "cpu" and _cpu_computes_bf16()
    return "bf16" if native else "32"


def _cpu_computes_bf16() -> bool:
    """Emulated, it would be slower than float32."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def build_trainer(
    options: cfg.Trainer,
    *,
    epochs: int = 1,
    folder: Path | None = None,
    callbacks: Sequence[Callback] = (),
    logger: Logger | None = None,
    quiet: bool = False,
) -> pl.Trainer:
    """A Trainer for fitting, or with ``quiet`` for scoring.

    Args:
        options: see `config.Trainer`.
        epochs: the most there are.
        folder: where a profile is written.
        callbacks: in this order.
        logger: None logs nothing.
        quiet: without any bar.
    """
    limit = options.limit_batches
    profiler = None
    if options.profiler and folder:
        profiler = _PROFILERS[options.profiler](dirpath=str(folder), filename="profile")
    return pl.Trainer(
        accelerator=accelerator(options),
        devices=options.devices,
        strategy=options.strategy,
        precision=_PRECISION[precision(options)],
        deterministic=options.deterministic,
        gradient_clip_val=options.gradient_clip,
        max_epochs=epochs,
        limit_train_batches=limit,
        limit_val_batches=limit,
        limit_test_batches=limit,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,  # the data module gives each rank its share
        logger=logger or False,
        log_every_n_steps=50,
        callbacks=list(callbacks),
        enable_checkpointing=not quiet,
        enable_progress_bar=any(isinstance(c, pl.callbacks.ProgressBar) for c in callbacks),
        enable_model_summary=False,
        default_root_dir=str(folder) if folder else None,
        profiler=profiler,
    )
