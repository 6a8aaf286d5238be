"""Weights that others publish: out of the cache of huggingface_hub, or downloaded into it."""

import os
from pathlib import Path

from fashseg.errors import UserError
from fashseg.models.adapters.calling import reason_of
from fashseg.trackers.answering import require_answer

# No other format: this one holds numbers alone, and no code.
NAMES = ("model.safetensors", "open_clip_model.safetensors")


def fetched(repository: str, revision: str | None, asked_by: str) -> Path:
    """A file of weights in the safetensors format.

    Args:
        repository: as ``timm/resnet18.a1_in1k``.
        revision: of it; None for the newest.
        asked_by: the option that wants it, as it is typed.

    Raises:
        UserError: it is not in the cache and can't be downloaded, or there is none in this format.
    """
    from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import RemoteEntryNotFoundError

    for name in NAMES:
        kept = try_to_load_from_cache(repository, name, revision=revision)
        if isinstance(kept, str):
            return Path(kept)
    endpoint = os.environ.get("HF_ENDPOINT", constants.ENDPOINT)
    try:
        if constants.HF_HUB_OFFLINE:
            raise ConnectionError("HF_HUB_OFFLINE forbids to look there")
        require_answer(endpoint)
        for name in NAMES:
            try:
                return Path(hf_hub_download(repository, name, revision=revision, endpoint=endpoint))
            except RemoteEntryNotFoundError:
                continue
        raise FileNotFoundError(f"it has no {NAMES[0]}, and other formats may hold code")
    except Exception as error:
        raise UserError(
            f"{asked_by}: the weights {repository} can't be fetched from {endpoint}: {reason_of(error)}.",
            "Give their file, model.weights_file=model.safetensors, or a cache that has them: HF_HOME=FOLDER.",
        ) from error
