"""Whether one is logged in to Weights & Biases, asked without a prompt. Imports no torch."""

import os
from typing import Any


def wandb_settings(**more: Any) -> Any:
    """Of wandb: silent, for what belongs on the screen is printed by the run; its console is its own."""
    import wandb

    return wandb.Settings(silent=True, console="off", **more)


def logged_in(*, verify: bool = False) -> bool:
    """Whether there is a key, in the environment or where ``wandb login`` has put it.

    Args:
        verify: ask the server, which is waited for some seconds.

    Raises:
        wandb.errors.Error: the key is malformed; with ``verify``, the server does not know it, or does not answer.
    """
    import wandb

    if os.environ.get("WANDB_MODE") in ("offline", "dryrun", "disabled"):
        return False
    before = os.environ.get("WANDB_SILENT")
    os.environ["WANDB_SILENT"] = "true"
    try:
        return bool(wandb.login(verify=verify, prompt=False))
    finally:
        if before is None:
            del os.environ["WANDB_SILENT"]
        else:
            os.environ["WANDB_SILENT"] = before
