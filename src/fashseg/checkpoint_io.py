"""How Lightning writes and reads checkpoints here: complete or absent."""

import io
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from fashseg.checkpoints import read_checkpoint
from fashseg.errors import RunError
from fashseg.files import write_atomically


class CompleteCheckpointIO(TorchCheckpointIO):
    """How Lightning writes and reads checkpoints here.

    Lightning's own way writes to the folder for temporary files and copies from there, which can be cut short.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write a file that is complete or absent.

        Raises:
            RunError: weights are not finite: the file that was there is kept.
        """
        broken = [name for name, values in checkpoint["state_dict"].items() if not bool(torch.isfinite(values).all())]
        if broken:
            raise RunError(
                f"training diverged: {broken[0]} holds values that are not finite after step "
                f"{checkpoint['global_step']}; {path} is kept as it was.",
                "Try a smaller optimizer.lr, or trainer.gradient_clip=1.",
            )
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        write_atomically(Path(path), buffer.getbuffer())

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Read it as `read_checkpoint` does."""
        return read_checkpoint(Path(path))
