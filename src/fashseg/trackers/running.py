"""The trackers of one run, from its start to its end."""

import contextlib
import json
import re
from importlib import import_module
from types import TracebackType
from typing import Any

from fashseg import config as cfg
from fashseg.errors import FashsegError
from fashseg.files import write_atomically
from fashseg.run import RunFolder, is_first_process
from fashseg.stopping import Stopped, not_now
from fashseg.summary import class_scores, main_score
from fashseg.text import printable
from fashseg.trackers.ahead import PACKAGES
from fashseg.trackers.mlflow_store import mlflow_settings
from fashseg.trackers.secrets import redact_logs
from fashseg.trackers.tracker import ENDS, Tracker
from fashseg.untrusted import RefusedError, read_json


class Trackers:
    """All trackers that the options name, but for TensorBoard; none in a process that does not write.

    A context: at its end the trackers are closed by how the run has ended.

    Args:
        run: its options.
        folder: where it is.

    Attributes:
        opened: those that are open.
    """

    def __init__(self, run: cfg.Train, folder: RunFolder) -> None:
        self.run, self.folder = run, folder
        self.kept = folder.path / "trackers.json"
        self.opened: list[Tracker] = []
        self.step = 0

    def start(self, options: dict[str, Any], record: dict[str, Any]) -> None:
        """Open them all; one that can't be is told and left alone.

        Args:
            options: those that say what the run computes.
            record: what results.json says at the start.
        """
        if not is_first_process() or not (self.run.logger.csv or self.run.logger.mlflow or self.run.logger.wandb):
            return
        redact_logs()
        kept = self._read_kept() if record.get("resumed") else {}
        plain = {path: value for path, value in options.items() if not path.startswith("logger.")}
        facts = self._facts(record)
        with not_now(), mlflow_settings():  # compiled modules are loaded
            for name in PACKAGES:
                if getattr(self.run.logger, name):
                    import_module(name)
            chosen = self._chosen(bool(record.get("resumed")))
        for name, tracker in chosen.items():
            tracker.start(plain, facts, kept.get(name, {}))
            if tracker.inner is not None:
                self.opened.append(tracker)
                kept[name] = tracker.kept
        write_atomically(self.kept, json.dumps(kept, indent=2) + "\n")

    def _chosen(self, going_on: bool) -> dict[str, Tracker]:
        options, path = self.run.logger, self.folder.path.absolute()
        group = options.group
        run_name = options.run_name or (f"{group}/{path.name}" if group else path.name)
        chosen: dict[str, Tracker] = {}
        if options.csv:
            from fashseg.trackers.csv_table import CSVTable

            chosen["csv"] = CSVTable(path, going_on)
        if options.mlflow:
            from fashseg.trackers.mlflow_run import MLflowRun

            chosen["mlflow"] = MLflowRun(options, run_name)
        if options.wandb:
            from fashseg.trackers.wandb_run import WandbRun

            chosen["wandb"] = WandbRun(options, run_name, group, path)
        return chosen

    def _facts(self, record: dict[str, Any]) -> dict[str, str]:
        """What is known of the run besides its options."""
        git = record.get("git") or {}
        facts = {
            "run_folder": str(self.folder.path.absolute()),
            "task": record["task"],
            "parameters": str(record["parameters"]),
            "synthetic": str(record["synthetic"]).lower(),
            "git.commit": git.get("commit"),
            "git.changed": str(git["dirty"]).lower() if "dirty" in git else None,
            **{f"version.{name}": version for name, version in record["versions"].items()},
            "sweep": self.run.logger.group,
            "notes": self.run.notes,
        }
        return {name: value for name, value in facts.items() if value}

    def _read_kept(self) -> dict[str, dict[str, str]]:
        """What RUN/trackers.json says; nothing where it is missing or says something else."""
        try:
            content = read_json(self.kept)
        except (OSError, RefusedError):
            return {}
        if not isinstance(content, dict):
            return {}
        return {
            name: {key: text for key, text in values.items() if re.fullmatch(r"\w[\w-]{0,63}", str(text), re.ASCII)}
            for name, values in content.items()
            if isinstance(values, dict)
        }

    def __enter__(self) -> "Trackers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.opened:
            return
        results = {}
        with contextlib.suppress(FashsegError):
            results = self.folder.read_results()
        status = results.get("status") if kind is None else None
        if status not in ENDS:
            status = "interrupted" if kind is not None and issubclass(kind, Stopped) else "failed"
        files = (self.folder.config, self.folder.results, self.folder.metrics, self.folder.log, self.folder.page)
        for tracker in self.opened:
            tracker.end(status, _final(results), [path.absolute() for path in files if path.is_file()], self.step)
            if kind is None and (line := tracker.where()):
                print(printable(line))


def _final(results: dict[str, Any]) -> dict[str, float]:
    """The scores that results.json ends with, by name."""
    scores = {}
    for part in ("val", "test"):
        if part in results:
            scores[f"final/{part}"] = main_score(results["task"], results[part])
            for name, value in class_scores(results["task"], results[part]).items():
                scores[f"final_{part}/{name}"] = value
    for name in ("train_seconds", "images_per_second", "peak_memory_bytes", "epochs_run"):
        if name in results:
            scores[f"final/{name}"] = results[name]
    return {name: float(value) for name, value in scores.items() if value is not None and value == value}
