"""What results.json says of a run before anything is read. Imports no torch."""

from typing import Any

from hydra.core.hydra_config import HydraConfig

from fashseg import config as cfg


def first_record(run: cfg.Train, overrides: list[str]) -> dict[str, Any]:
    """What results.json says before anything is read."""
    return {
        "status": "running",
        "task": cfg.TASKS["model"][run.model.name],
        "model": run.model.name,
        "data": run.data.name,
        "loss": run.loss.name,
        "plugins": run.plugins,
        "seed": run.seed,
        "fold": run.data.fold,
        "folds": None if run.data.fold is None else run.data.folds,
        "overrides": overrides,
        "config_dir": _config_dir(),
    }


def _config_dir() -> str | None:
    """The folder of further choices that ``--config-dir`` has named."""
    sources = HydraConfig.get().runtime.config_sources if HydraConfig.initialized() else []
    return next((str(source.path) for source in sources if source.provider == "command-line"), None)
