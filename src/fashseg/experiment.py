"""One run from its checked options to its results: fit, test with the best weights, write it down."""

import logging
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import torch
from omegaconf import DictConfig
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger, TensorBoardLogger

from fashseg import config as cfg
from fashseg.callbacks.checkpoints import MovableCheckpoint
from fashseg.callbacks.convergence import StopAtConvergence
from fashseg.callbacks.first_epoch import AfterFirstEpoch
from fashseg.callbacks.history import History
from fashseg.callbacks.pictures import Pictures, show_test_pictures
from fashseg.callbacks.progress import progress_callbacks
from fashseg.callbacks.pruning import ReportToSearch
from fashseg.callbacks.tensorboard_end import log_end, options_to_log
from fashseg.callbacks.within_epoch import SaveWithinEpoch
from fashseg.data.module import ImageDataModule
from fashseg.data_place import place_in_words
from fashseg.devices import precision, torch_device
from fashseg.engine import build_trainer, compile_network, graphed, set_up_process, steps_per_call
from fashseg.errors import UserError
from fashseg.files import link_latest
from fashseg.provenance import forget_peak_memory, git_state, machine, peak_memory_bytes, versions
from fashseg.ranks.company import Company
from fashseg.ranks.group import total
from fashseg.ranks.job import job_of
from fashseg.report.evidence import collect, keep_start
from fashseg.run import RunFolder, first_record, is_first_process
from fashseg.scoring import build_data, build_trained, go_by_run, load_weights, score
from fashseg.sweep.address import TrialAddress
from fashseg.tasks import Task, build_task
from fashseg.text import printable
from fashseg.trackers.running import Trackers

log = logging.getLogger(__name__)


def run_experiment(
    run: cfg.Train,
    folder: RunFolder,
    composed: DictConfig,
    *,
    overrides: list[str],
    resume: bool,
    trackers: Trackers,
    trial: TrialAddress | None = None,
    company: Company | None = None,
) -> dict[str, Any]:
    """Train and score; returns what results.json says in the end.

    Args:
        run: checked options.
        folder: exists; config.yaml and results.json are written here once data, device and checkpoint are found right.
        composed: the same options as they are kept in config.yaml.
        overrides: what was changed on the command line, for the record.
        resume: go on from the folder's last checkpoint; from the start where there is none.
        trial: of a search, which is told the score of each epoch and may end the run; that one is not tested.
        trackers: of the run, which are opened here.
        company: the processes that this one trains with; its block is open. None where it is alone.

    Raises:
        UserError: data, device or checkpoint are not what the options say.
    """
    company = company or Company()
    run.trainer.devices, run.trainer.nodes = company.place.local_world, company.place.nodes
    set_up_process(run.seed)
    record = Record(run, folder, overrides, resume)
    data = build_data(run)
    if is_first_process():
        for line in data.found:
            print(printable(line))
    last = folder.checkpoint("last")
    checkpoint = last if resume and last.exists() else None
    if checkpoint:
        go_by_run(data, checkpoint)
    task = build_trained(run, data.info, checkpoint) if checkpoint else build_task(run, data.info)
    data.steps_per_call = steps_per_call(run.trainer, run.batch_size, data.info.shape)
    task.automatic_optimization = data.steps_per_call is None
    task.gradient_clip = run.trainer.gradient_clip
    task.graphed = not task.automatic_optimization and graphed(run)
    compile_network(task.model, run.trainer)
    task.guard.skip = run.on_nan == "skip"
    record.start(task, data)
    folder.write_config(composed)
    company.call_up(job_of(folder.path, composed, overrides, run.plugins, resume), run.trainer)
    sharded = task.guard.sharded = run.trainer.strategy == "fsdp" and company.place.world > 1
    if not checkpoint:
        keep_start(folder, task)
    history = History(folder.metrics, task.main_score)
    callbacks = [history, *_callbacks(run, folder, history, task.main_score)]
    search = ReportToSearch(trial, history, task.main_score) if trial else None
    if search:
        callbacks.insert(1, search)
    options = options_to_log(run)
    trackers.start(options, record.values)
    loggers: list[Logger] = list(trackers.opened)
    tensorboard = None
    if run.logger.tensorboard:
        tensorboard = TensorBoardLogger(
            str(folder.path), name="", version=folder.tensorboard.name, default_hp_metric=False
        )
        tensorboard.log_hyperparams(options)
        loggers.insert(0, tensorboard)
    if loggers and run.logger.pictures_every and not sharded:  # the first process alone has no network to draw from
        callbacks.append(Pictures(run.logger.pictures_every, data))
    callbacks.append(AfterFirstEpoch(loggers, run.page))
    trainer = build_trainer(run.trainer, epochs=run.epochs, folder=folder.path, callbacks=callbacks)
    trainer.fit(task, datamodule=data, ckpt_path=checkpoint, weights_only=True if checkpoint else None)
    trackers.step = trainer.global_step
    pruned_at = search.pruned_at if search else None  # known to the first process alone
    if ended_at := int(total(float(pruned_at or 0), trainer.strategy.root_device)):
        return record.end_early(history, ended_at)
    skipped = task.guard.skipped
    if sharded:
        task = build_task(run, data.info)
    load_weights(task, folder.checkpoint("best"))
    scores = {part: score(task, data, part, run.trainer) for part in ("val", "test")}
    results = record.finish(history, skipped, scores)
    try:
        evidence = {}
        if run.page:
            evidence = collect(
                folder, task, data, ("val", "test"), torch_device(run.trainer), run.trainer.limit_batches
            )
        if loggers and is_first_process():
            show_test_pictures(loggers, task, data.part("test"), results, trainer.global_step)
        if tensorboard is not None and is_first_process():
            log_end(tensorboard, run, task, data, evidence.get("test"), results, trainer.global_step)
    except Exception:
        # The results stand; the page says what it lacks.
        log.exception("what is shown of the run could not be collected")
    return results


def _callbacks(run: cfg.Train, folder: RunFolder, history: History, main: str) -> list[Callback]:
    stop = run.callbacks.convergence
    saving: dict[str, Any] = {"save_on_train_epoch_end": True, "enable_version_counter": False}
    best = MovableCheckpoint(folder.checkpoints, filename="best", monitor=f"val/{main}", mode="max", **saving)
    # Not by save_last: that one is written only where the best one is.
    last = MovableCheckpoint(folder.checkpoints, filename="last", **saving)
    return [
        *progress_callbacks(run.callbacks.progress, history),
        *([StopAtConvergence(stop.threshold, stop.min_epochs)] if stop.threshold else []),
        SaveWithinEpoch(folder.checkpoint("last"), run.checkpoint.every_seconds),
        best,
        last,
    ]


class Record:
    """What results.json says, from the start of a run to its end.

    Args:
        run: its options.
        folder: where it is.
        overrides: what was changed on the command line.
        resume: keep what the interrupted run has noted.
    """

    def __init__(self, run: cfg.Train, folder: RunFolder, overrides: list[str], resume: bool) -> None:
        self.run, self.folder, self.overrides = run, folder, overrides
        self.before = folder.read_results() if resume else {}

    def start(self, task: Task, data: ImageDataModule) -> None:
        """Status running; read the data, so that what is wrong with it ends the run here."""
        forget_peak_memory()
        with ThreadPoolExecutor(1) as beside:
            git = beside.submit(git_state)
            data.setup()
        self.data = data
        before = self.before.get("images", data.counts)
        if data.source.describe and not self.run.trainer.overfit_batches and before != data.counts:
            raise UserError(
                f"{place_in_words(self.run.data)} gives {data.counts} images; when the run was begun, {before}.",
                "Bring the folder back as it was, or start a new run: another split would mix training and validation.",
            )
        self.values: dict[str, Any] = {
            **first_record(self.run, [*self.before.get("overrides", []), *self.overrides]),
            "synthetic": task.info.synthetic,
            "limited": bool(self.run.trainer.limit_batches or self.run.trainer.overfit_batches),
            "partial": data.partial,
            "data": data.info.name if isinstance(self.run.data, cfg.Streaming) else self.run.data.name,
            "split": data.split,
            "images": data.counts,
            "val_images_of_trained_buildings": data.shared_groups,
            "notes": self.run.notes,
            "parameters": sum(p.numel() for p in task.model.parameters()),
            "precision": precision(self.run.trainer),
            "processes": self.run.trainer.devices * self.run.trainer.nodes,
            "threads": torch.get_num_threads(),
            "machine": machine(),
            "started": self.before.get("started", datetime.now(UTC).isoformat(timespec="seconds")),
            "resumed": self.before.get("resumed", -1) + 1,
            "versions": versions(),
            "git": git.result(),
        }
        self.folder.write_results(**self.values)
        # What an earlier end has left is of other weights.
        for path in (self.folder.page, *(self.folder.evidence / f"{part}.npz" for part in ("val", "test"))):
            if is_first_process():
                path.unlink(missing_ok=True)
        if is_first_process():
            link_latest(self.folder.path)

    def finish(self, history: History, skipped: int, scores: dict[str, Any]) -> dict[str, Any]:
        """Status finished, with scores and costs."""
        self._add_costs("finished", history)
        self.values |= {"skipped_steps": skipped, "fingerprints": self.data.fingerprints(), **without_nan(scores)}
        self.folder.write_results(**self.values)
        return {**self.values, **scores}

    def end_early(self, history: History, epoch: int) -> dict[str, Any]:
        """Status pruned, with costs; a run that fell behind is scored on nothing more, least of all test images."""
        self._add_costs("pruned", history)
        self.values["pruned_at"] = epoch
        self.folder.write_results(**self.values)
        return self.values

    def _add_costs(self, status: str, history: History) -> None:
        images_per = history.images / max(history.seconds, 1e-9), history.images / max(history.cpu_seconds, 1e-9)
        self.values |= {
            "status": status,
            "epochs_run": len(history.rows),
            "train_seconds": round(history.seconds, 3),
            "train_cpu_seconds": round(history.cpu_seconds, 3),
            "images_per_second": round(images_per[0], 1),
            "images_per_cpu_second": round(images_per[1], 1),
            "peak_memory_bytes": peak_memory_bytes(),
        }


def without_nan(value: Any) -> Any:
    """Nan as null all the way down: JSON knows no nan."""
    if isinstance(value, dict):
        return {k: without_nan(v) for k, v in value.items()}
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
