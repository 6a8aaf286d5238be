"""Evidence for a run that is on disk: builds data and model again, loads the weights, collects."""

from fashseg import config as cfg
from fashseg.checking import check
from fashseg.data_place import set_place
from fashseg.devices import torch_device
from fashseg.engine import set_up_process
from fashseg.report.evidence import collect
from fashseg.run import RunFolder
from fashseg.scoring import build_data, build_trained, go_by_run


def collect_again(folder: RunFolder, root: str | None = None, trainer: cfg.Trainer | None = None) -> None:
    """Collect the evidence of a run from its best weights; test images are for finished runs alone.

    Args:
        folder: the run.
        root: where the data sets are; None takes the run's own folder.
        trainer: which device to use; None takes the run's own.

    Raises:
        UserError: configuration, weights or data are missing or damaged.
    """
    composed = folder.read_config()
    if root is not None:
        set_place(composed, root)
    run = check(cfg.Train, composed)
    best = folder.require_checkpoint("best")
    set_up_process(run.seed)
    data = build_data(run)
    go_by_run(data, best)
    task = build_trained(run, data.info, best)
    data.setup()
    finished = folder.read_results()["status"] == "finished"
    parts = ("val", "test") if finished else ("val",)
    collect(folder, task, data, parts, torch_device(trainer or run.trainer), run.trainer.limit_batches)
