"""Checkpoints read from disk: verified, and without code that could run."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from fashseg.errors import UserError


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU; no code of the file is run.

    torch reads damaged weights without a word: it skips the checksums that every part of the file has.

    Raises:
        UserError: it is missing, damaged, holds other things than tensors and plain containers, or is no checkpoint.
    """
    try:
        with zipfile.ZipFile(path) as parts:
            entries = parts.infolist()
            # As torch writes them; anything else could unpack to far more than the file holds.
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
            if not stored or sum(entry.file_size for entry in entries) > path.stat().st_size:
                raise zipfile.BadZipFile("its parts are compressed")
            if (damaged := parts.testzip()) is not None:
                raise zipfile.BadZipFile(f"the checksum of {damaged} is wrong")
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
            raise ValueError("it holds no weights")
    except FileNotFoundError:
        raise UserError(f"{path} does not exist.", "Name a run that has trained at least one epoch.") from None
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} is refused: it holds more than tensors and plain values, and could run code.",
            "Use a checkpoint that fashseg has written, from a source that you trust.",
        ) from error
    except Exception as error:  # whatever zipfile and torch come upon in a damaged file
        raise UserError(
            f"{path} can't be loaded: {_reason(error)}", "It is damaged or no checkpoint; name another run."
        ) from error
    return content


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
