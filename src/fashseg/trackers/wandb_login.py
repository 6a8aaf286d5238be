"""Whether one is logged in to Weights & Biases, asked without a prompt. Imports no torch."""

import os
from typing import Any

from fashseg.trackers.answering import require_answer


def wandb_settings(**more: Any) -> Any:
    """Of wandb: silent, for what belongs on the screen is printed by the run; its console is its own."""
    os.environ.setdefault("WANDB_SILENT", "true")
    import wandb

    return wandb.Settings(silent=True, console="off", **more)


def logged_in(*, verify: bool = False) -> bool:
    """Whether there is a key, in the environment or where ``wandb login`` has put it.

    Args:
        verify: ask the server, which is waited for some seconds.

    Raises:
        wandb.errors.Error: the key is malformed; with ``verify``, the server does not know it.
        OSError: with ``verify``, the server does not answer.
    """
    os.environ.setdefault("WANDB_SILENT", "true")
    import wandb

    if os.environ.get("WANDB_MODE") in ("offline", "dryrun", "disabled"):
        return False
    there = bool(wandb.login(verify=False, prompt=False))
    if there and verify:
        require_answer(wandb.setup().settings.base_url)
        wandb.login(verify=True, prompt=False)
    return there
