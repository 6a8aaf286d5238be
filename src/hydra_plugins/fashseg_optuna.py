"""``hydra/sweeper=optuna``, as Hydra finds it; the work is in `fashseg.sweep`. Nothing that takes long is imported."""

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class OptunaSweeper(Sweeper):
    """Runs a search that was checked before Hydra started.

    Args:
        options: ``hydra.sweeper.*``, which the checked search has as well.
    """

    def __init__(self, **options: Any) -> None:
        self.options = options

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Have Hydra build the launcher."""
        from hydra.core.plugins import Plugins

        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Run the trials."""
        from fashseg.sweep.loop import run_search

        run_search(self.launcher)
