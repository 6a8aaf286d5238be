"""What results.json says of a run, from its start to its end."""

import logging
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import torch

from fashseg import config as cfg
from fashseg.attempt import Attempt
from fashseg.callbacks.history import History
from fashseg.data.module import ImageDataModule
from fashseg.data_place import place_in_words
from fashseg.devices import precision
from fashseg.errors import UserError
from fashseg.files import link_latest
from fashseg.first_record import first_record
from fashseg.provenance import forget_peak_memory, git_state, machine, peak_memory_bytes, versions
from fashseg.run import is_first_process
from fashseg.tasks import Task
from fashseg.teachers import described, notice
from fashseg.text import printable

log = logging.getLogger(__name__)

_SPLIT_ANEW = "Bring the data back as it was, or start a new run: another split would mix training and validation."


class Record:
    """What results.json says; where a run goes on, what it has noted before is kept.

    Args:
        attempt: the run.
    """

    def __init__(self, attempt: Attempt) -> None:
        self.run, self.folder, self.overrides = attempt.run, attempt.folder, attempt.overrides
        self.before = attempt.folder.read_results() if attempt.resume else {}

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
                f"{place_in_words(self.run.data)} gives {_counted(data.counts)} images; when the run was begun, "
                f"{_counted(before)}.",
                _SPLIT_ANEW,
            )
        if changed := data.changed(self.before.get("fingerprints")):
            where = place_in_words(self.run.data)
            raise UserError(f"{where} gives other {changed[0]} images than when the run was begun.", _SPLIT_ANEW)
        self.values: dict[str, Any] = {
            **first_record(self.run, [*self.before.get("overrides", []), *self.overrides]),
            **({"config_dir": self.before["config_dir"]} if "config_dir" in self.before else {}),
            "synthetic": task.info.synthetic,
            "limited": bool(self.run.trainer.limit_batches or self.run.trainer.overfit_batches),
            "partial": data.partial,
            "data": data.info.name if isinstance(self.run.data, cfg.Streaming) else self.run.data.name,
            "split": data.split,
            "images": data.counts,
            "fingerprints": data.fingerprints(),
            "val_images_of_trained_buildings": data.shared_groups,
            "notes": self.run.notes,
            "parameters": sum(p.numel() for p in task.model.parameters()),
            "initial_weights": getattr(task.model, "initial_weights", None) or self.before.get("initial_weights"),
            "teacher": self._teacher(task),
            "precision": precision(self.run.trainer),
            "ema_decay": self.run.callbacks.ema.decay,  # the scores are of averaged weights, unless null
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

    def _teacher(self, task: Task) -> dict[str, Any] | None:
        if task.teacher is None:
            return None
        said = described(task.teacher, self.data)
        if (line := notice(said)) and is_first_process():
            print(printable(line))
            log.warning("%s", line)
        return said

    def finish(self, history: History, skipped: int, scores: dict[str, Any]) -> dict[str, Any]:
        """Status finished, with scores and costs."""
        self._add_costs("finished", history)
        self.values |= {"skipped_steps": skipped, **without_nan(scores)}
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


def _counted(images: Any) -> str:
    """In words; as it is where results.json was changed."""
    known = images.items() if isinstance(images, dict) else ()
    return ", ".join(f"{number} {part}" for part, number in known) or str(images)


def without_nan(value: Any) -> Any:
    """Nan as null all the way down: JSON knows no nan."""
    if isinstance(value, dict):
        return {k: without_nan(v) for k, v in value.items()}
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
