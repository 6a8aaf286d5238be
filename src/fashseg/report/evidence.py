"""What a page is drawn from, kept in the run folder so that the page can be made again without model or data.

``RUN/evidence/`` holds plain NumPy files, read without pickle:

- ``start.npz``: ``filters`` of the first layer before training;
- ``val.npz``, ``test.npz``: what the best weights said about each image (see `Evidence`);
- ``network.json``: the layers.
"""

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import nn

from fashseg.run import RunFolder, is_first_process, write_atomically
from fashseg.tasks import Task


def first_filters(model: nn.Module) -> npt.NDArray[np.float32] | None:
    """Weights (F, C, h, w) of the first convolution; None where there is none."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            return module.weight.detach().float().cpu().numpy()
    return None


def keep_start(folder: RunFolder, task: Task) -> None:
    """Keep what training will change."""
    filters = first_filters(task.model)
    if filters is not None:
        save_arrays(folder.evidence / "start.npz", filters=filters)


def save_arrays(path: Path, **arrays: npt.NDArray[np.generic]) -> None:
    """Write named arrays, compressed; complete or absent."""
    if is_first_process():
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
        write_atomically(path, content.getvalue())
