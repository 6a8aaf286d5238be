"""One run from its checked options to its results: fit, test with the best weights, write it down."""

import logging
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger, TensorBoardLogger

from fashseg import config as cfg
from fashseg.attempt import Attempt
from fashseg.callbacks.averaging import AverageWeights
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
from fashseg.devices import precision, torch_device
from fashseg.engine import build_trainer, compile_network, graphed, set_up_process, steps_per_call
from fashseg.in_vain import check_erasing
from fashseg.libraries import fresh_despite_tag
from fashseg.models.adapters.beginning import begin
from fashseg.ranks.company import Company
from fashseg.ranks.group import total
from fashseg.ranks.job import job_of
from fashseg.record import Record
from fashseg.report.evidence import collect, keep_start
from fashseg.report.network import multiply_adds
from fashseg.run import RunFolder, is_first_process
from fashseg.scoring import build_data, build_trained, go_by_run, load_weights, score
from fashseg.tasks import Task, build_task
from fashseg.teachers import teacher_of
from fashseg.text import printable
from fashseg.trackers.running import Trackers

log = logging.getLogger(__name__)


def run_experiment(attempt: Attempt, trackers: Trackers, company: Company | None = None) -> dict[str, Any]:
    """Train and score; returns what results.json says in the end.

    config.yaml and results.json are written once data, device and checkpoint are found right.

    Args:
        attempt: the run.
        trackers: of the run, which are opened here.
        company: the processes that this one trains with; its block is open. None where it is alone.

    Raises:
        UserError: data, device or checkpoint are not what the options say.
    """
    run, folder = attempt.run, attempt.folder
    company = company or Company()
    run.trainer.devices, run.trainer.nodes = company.place.local_world, company.place.nodes
    set_up_process(run.seed)
    record = Record(attempt)
    last = folder.checkpoint("last")
    checkpoint = last if attempt.resume and last.exists() else None
    data, task = _data_and_task(run, checkpoint)
    task.teacher = teacher_of(run, data.info, record.before.get("teacher"))
    record.start(task, data)
    folder.write_config(attempt.composed)
    company.call_up(job_of(folder.path, attempt.composed, attempt.overrides, run.plugins, attempt.resume), run.trainer)
    sharded = task.guard.sharded = run.trainer.strategy == "fsdp" and company.place.world > 1
    if not checkpoint:
        keep_start(folder, task)
    history = History(folder.metrics, task.main_score)
    search = ReportToSearch(attempt.trial, history, task.main_score) if attempt.trial else None
    trackers.start(options_to_log(run), record.values)
    tensorboard = _tensorboard(run, folder)
    loggers: list[Logger] = [*([tensorboard] if tensorboard else []), *trackers.opened]
    callbacks = [history, *([search] if search else []), *_callbacks(run, folder, history, task.main_score)]
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
    if run.score_flips:
        scores["flips"] = {part: score(task, data, part, run.trainer, flips=True) for part in ("val", "test")}
    record.values["multiply_adds"] = multiply_adds(task)
    results = record.finish(history, skipped, scores)
    _show(attempt, task, data, results, loggers, trainer)
    return results


def _data_and_task(run: cfg.Train, checkpoint: Path | None) -> tuple[ImageDataModule, Task]:
    """The data, not read yet, and the network as it is trained on it."""
    data = build_data(run)
    if is_first_process():
        for line in data.found:
            print(printable(line))
        if (fresh := fresh_despite_tag(run.model)) and not checkpoint:
            print(printable(fresh))
            log.warning("%s", fresh)
    if checkpoint:
        go_by_run(data, checkpoint)
    else:
        check_erasing(run, data.info.shape[1:])
    task = build_trained(run, data.info, checkpoint) if checkpoint else build_task(run, data.info)
    if not checkpoint:
        info = data.info
        begin(task.model, run.model, info.shape, len(info.class_names), (info.mean, info.std))
    elif precision(run.trainer) == "64":
        task.double()  # Lightning does so once it has loaded the weights, which would lose half of their digits
    data.steps_per_call = steps_per_call(run.trainer, run.batch_size, data.info.shape)
    task.automatic_optimization = data.steps_per_call is None
    task.gradient_clip = run.trainer.gradient_clip
    task.graphed = not task.automatic_optimization and graphed(run)
    compile_network(task.model, run.trainer)
    task.compiled_size = run.batch_size
    task.guard.skip = run.on_nan == "skip"
    return data, task


def _tensorboard(run: cfg.Train, folder: RunFolder) -> TensorBoardLogger | None:
    if not run.logger.tensorboard:
        return None
    logger = TensorBoardLogger(str(folder.path), name="", version=folder.tensorboard.name, default_hp_metric=False)
    logger.log_hyperparams(options_to_log(run))
    return logger


def _show(
    attempt: Attempt,
    task: Task,
    data: ImageDataModule,
    results: dict[str, Any],
    loggers: list[Logger],
    trainer: Trainer,
) -> None:
    """Collect what the page is drawn from, and give TensorBoard and trackers their pictures of the end."""
    run = attempt.run
    try:
        evidence = {}
        if run.page:
            device = torch_device(run.trainer)
            evidence = collect(attempt.folder, task, data, ("val", "test"), device, run.trainer.limit_batches)
        if not is_first_process():
            return
        if loggers:
            show_test_pictures(loggers, task, data.part("test"), results, trainer.global_step)
        for logger in loggers:
            if isinstance(logger, TensorBoardLogger):
                log_end(logger, run, task, data, evidence.get("test"), results, trainer.global_step)
    except Exception:
        # The results stand; the page says what it lacks.
        log.exception("what is shown of the run could not be collected")


def _callbacks(run: cfg.Train, folder: RunFolder, history: History, main: str) -> list[Callback]:
    stop, ema = run.callbacks.convergence, run.callbacks.ema
    saving: dict[str, Any] = {"save_on_train_epoch_end": True, "enable_version_counter": False}
    best = MovableCheckpoint(folder.checkpoints, filename="best", monitor=f"val/{main}", mode="max", **saving)
    # Not by save_last: that one is written only where the best one is.
    last = MovableCheckpoint(folder.checkpoints, filename="last", **saving)
    return [
        *progress_callbacks(run.callbacks.progress, history),
        *([AverageWeights(ema.decay)] if ema.decay is not None else []),  # ahead of those that save
        *([StopAtConvergence(stop.threshold, stop.min_epochs)] if stop.threshold else []),
        SaveWithinEpoch(folder.checkpoint("last"), run.checkpoint.every_seconds),
        best,
        last,
    ]
