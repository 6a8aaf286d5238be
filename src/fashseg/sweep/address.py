"""How a job finds the trial that it is, in whichever process or on whichever machine it runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf

from fashseg.sweep.options import REPORTED, SCORE, TARGET, SweepOptions, check_options

if TYPE_CHECKING:
    import optuna

    from fashseg.sweep.storage import Storage


@dataclass(frozen=True)
class TrialAddress:
    """A trial of a study.

    Attributes:
        storage: full URL or path.
        study_name: of the study.
        number: of the trial.
        options: of the search.
    """

    storage: str
    study_name: str
    number: int
    options: SweepOptions

    def monitor(self, main_score: str) -> str | None:
        """The logged value that is reported each epoch; None where there is not one objective that is known then.

        Args:
            main_score: name of the validation score.
        """
        if len(self.options.objectives) > 1:
            return None
        objective = self.options.objectives[0]
        return f"val/{main_score}" if objective == SCORE else REPORTED.get(objective)

    def open(self, epochs: int) -> tuple["optuna.Trial", "Storage"]:
        """The trial, and its storage, which has to be closed.

        Args:
            epochs: that it has at most.

        Raises:
            UserError: the storage can't be reached.
        """
        import optuna

        from fashseg.sweep.samplers import build_pruner
        from fashseg.sweep.storage import Storage

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        storage = Storage(self.storage, self.study_name)
        try:
            study = optuna.load_study(
                study_name=self.study_name, storage=storage.optuna, pruner=build_pruner(self.options, epochs)
            )
            number = storage.optuna.get_trial_id_from_study_id_trial_number(study._study_id, self.number)
            return optuna.Trial(study, number), storage
        except Exception as error:
            raise storage.failed(error) from error


def trial_of(hydra: DictConfig, folder: Path) -> TrialAddress | None:
    """The trial that a job is; None where it is of no search.

    Args:
        hydra: Hydra's own configuration.
        folder: of the run, which is named by the number.
    """
    if OmegaConf.select(hydra, "sweeper._target_") != TARGET or not folder.name.isdecimal():
        return None
    plain = OmegaConf.to_container(hydra.sweeper, resolve=True)
    assert isinstance(plain, dict)
    options = check_options({str(key): value for key, value in plain.items()})
    assert options.storage is not None
    assert options.study_name is not None
    return TrialAddress(options.storage, options.study_name, int(folder.name), options)
