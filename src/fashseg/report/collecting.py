"""Evidence for a run that is on disk: builds data and model again, loads the weights, collects."""

from fashseg import config as cfg
from fashseg.checking import check
from fashseg.data_place import place_in_words, set_place
from fashseg.devices import torch_device
from fashseg.engine import set_up_process
from fashseg.errors import UserError
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
        UserError: configuration, weights or data are missing or damaged, or the data has changed.
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
    results = folder.read_results()
    parts = ("val", "test") if results["status"] == "finished" else ("val",)
    for part in data.changed(results.get("fingerprints")):
        if part in parts:
            raise UserError(
                f"{place_in_words(run.data)} gives other {part} images than the run had.",
                "Bring the data back as it was: what evidence/ has of the run's own stays.",
            )
    collect(folder, task, data, parts, torch_device(trainer or run.trainer), run.trainer.limit_batches)
