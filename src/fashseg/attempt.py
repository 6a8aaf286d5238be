"""All that a run is trained from. Imports no torch."""

from dataclasses import dataclass

from omegaconf import DictConfig

from fashseg import config as cfg
from fashseg.run import RunFolder
from fashseg.sweep.address import TrialAddress


@dataclass(frozen=True)
class Attempt:
    """A run that a process is about to begin, or to go on with.

    Attributes:
        run: checked options.
        folder: exists.
        composed: the same options as they are kept in config.yaml.
        overrides: what was changed on the command line, for the record.
        resume: go on from the folder's last checkpoint; from the start where there is none.
        in_sweep: it is one of several jobs.
        trial: of a search, which is told the score of each epoch and may end the run; that one is not tested.
    """

    run: cfg.Train
    folder: RunFolder
    composed: DictConfig
    overrides: list[str]
    resume: bool
    in_sweep: bool = False
    trial: TrialAddress | None = None
