"""Lightning's Trainer from our options, and what is set once for the whole process."""

import logging
import os
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger
from pytorch_lightning.profilers import AdvancedProfiler, Profiler, PyTorchProfiler, SimpleProfiler
from torch import nn

from fashseg import config as cfg
from fashseg.checkpoint_io import CompleteCheckpointIO
from fashseg.devices import accelerator, keep_freed_memory, precision
from fashseg.errors import UserError
from fashseg.ranks.group import Numbered, joined, strategy
from fashseg.ranks.options import several
from fashseg.ranks.places import ALONE
from fashseg.run import is_first_process

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
    # Data is in memory, or read ahead by threads.
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    # A CPU that is asked for.
    warnings.filterwarnings("ignore", ".*GPU available but not used")
    # Nothing is logged by step, but by epoch.
    warnings.filterwarnings("ignore", ".*smaller than the logging interval.*")
    # A run that goes on writes where it wrote before.
    warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")
    # What is logged is of all processes already.
    warnings.filterwarnings("ignore", ".*sync_dist=True.*")
    # torch 2.15 has another name for it, which older ones do not know.
    warnings.filterwarnings("ignore", ".*`broadcast_buffers` is deprecated")
    # pytorch-lightning 2.6.6 asks torch's pytree in the way of torch 2.14 and before.
    warnings.filterwarnings("ignore", ".*isinstance.treespec, LeafSpec")
    pl.seed_everything(seed, workers=True)
    torch.set_flush_denormal(True)  # numbers below 1e-38 make some processors several times slower
    keep_freed_memory()


# Pixels in a call of Lightning's loop: some tenths of a second on a core of a CPU, so that the loop's own cost is below
# one part in a hundred, and progress and checkpoints within an epoch stay close.
_PIXELS_A_CALL = 2**21
_MOST_STEPS_A_CALL = 32


def steps_per_call(options: cfg.Trainer, batch_size: int, shape: Sequence[int]) -> int | None:
    """Training steps in one call of Lightning's loop; None where its own step is needed, one in each call.

    Args:
        options: several devices and float16 need Lightning's own step, for gradients are averaged and scaled there.
        batch_size: images a step.
        shape: channels, height and width of an image.
    """
    if several(options) or precision(options) == "16":
        return None
    if options.steps_per_call is not None:
        return None if options.steps_per_call == 1 else options.steps_per_call
    pixels = batch_size * shape[1] * shape[2]
    return min(_MOST_STEPS_A_CALL, max(2, _PIXELS_A_CALL // pixels))


def graphed(run: cfg.Train) -> bool:
    """Whether steps are recorded as a CUDA graph; one that may leave a step out is not.

    Raises:
        UserError: the schedule changes what a recording keeps.
    """
    if run.trainer.compile is not True or accelerator(run.trainer) != "gpu" or run.on_nan == "skip":
        return False
    if isinstance(run.scheduler, cfg.OneCycle) and run.scheduler.cycle_momentum:
        raise UserError(
            "trainer.compile=true records steps as a CUDA graph, which would keep the momentum of the first of them.",
            "Set scheduler.cycle_momentum=false, or trainer.compile=auto.",
        )
    return True


def compile_network(model: nn.Module, options: cfg.Trainer) -> None:
    """Compile the forward and backward pass where the options say so; names of weights stay as they are.

    On a GPU the whole step is recorded as a CUDA graph besides, see `graphed`.

    Raises:
        UserError: there is no compiler.
    """
    # Measured on the CPU: both networks train 0.7 times as fast compiled, and start 5 to 20 seconds later.
    if options.compile is not True:
        return
    variable, names = ("CXX", ("g++", "clang++")) if accelerator(options) == "cpu" else ("CC", ("gcc", "clang", "cc"))
    if not any(map(shutil.which, (os.environ.get(variable, names[0]), *names[1:]))):
        raise UserError(
            f"trainer.compile=true needs a {'C++' if variable == 'CXX' else 'C'} compiler, and there is none here.",
            f"Install {' or '.join(names[:2])} (or name one by the variable {variable}), or set trainer.compile=auto.",
        )
    model.compile()


def build_trainer(
    options: cfg.Trainer,
    *,
    epochs: int = 1,
    folder: Path | None = None,
    callbacks: Sequence[Callback] = (),
    logger: Logger | None = None,
    quiet: bool = False,
) -> pl.Trainer:
    """A Trainer for fitting, or with ``quiet`` for scoring; limits of batches are the data module's.

    Args:
        options: see `config.Trainer`.
        epochs: the most there are.
        folder: where a profile is written.
        callbacks: in this order.
        logger: None logs nothing.
        quiet: without any bar.
    """
    place = joined() or ALONE
    # Always ours: Lightning would find SLURM by itself, whose signals are handled here, and start processes by itself.
    plugins: list[Any] = [CompleteCheckpointIO(), Numbered(place)]
    profiler = None
    if options.profiler and folder and is_first_process():
        profiler = _PROFILERS[options.profiler](dirpath=str(folder), filename="profile")
    return pl.Trainer(
        accelerator=accelerator(options),
        devices=place.local_world,
        num_nodes=place.nodes,
        strategy=strategy(options, fitting=not quiet),
        precision=_PRECISION[precision(options)],
        deterministic=options.deterministic,
        max_epochs=epochs,
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
        plugins=plugins,
    )
