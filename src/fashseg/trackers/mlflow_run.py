"""``logger=mlflow``: a run of MLflow's."""

import posixpath
import re
import time
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import MLFlowLogger

from fashseg.config import Logger
from fashseg.trackers.mlflow_store import address, artifacts, mlflow_settings, shown_address
from fashseg.trackers.tracker import Tracker

_STATUS = {"finished": "FINISHED", "pruned": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}
_MOST_LETTERS = 240  # of a name; MLflow takes 250, and a number may be added
_MOST_OF_VALUE = 250  # which Lightning cuts a parameter to


class MLflowRun(Tracker):
    """Options as parameters, scores as metrics, facts as tags, pictures and files as artifacts.

    Args:
        options: of the logger.
        run_name: of the run.
    """

    def __init__(self, options: Logger, run_name: str) -> None:
        super().__init__("MLflow")
        self.options, self.run_name = options, run_name
        self._names: dict[str, str] = {}

    def _open(self, facts: dict[str, str], kept: dict[str, str]) -> None:
        uri = address(self.options)
        known = self._known(uri, kept.get("run_id"))
        notes = {"mlflow.note.content": facts["notes"]} if facts.get("notes") else {}
        tags = {_named(name): value for name, value in facts.items() if name != "notes"}
        logger = MLFlowLogger(
            self.options.project,
            run_name=self.run_name,
            tracking_uri=uri,
            tags={**tags, **notes, **{_named(name): "" for name in self.options.tags}},
            artifact_location=artifacts(uri),
            run_id=known,
        )
        with mlflow_settings():
            try:
                run_id = logger.run_id
            except Exception:
                time.sleep(1)  # another process may have made the same experiment at the same moment
                run_id = logger.run_id
            if known:
                logger.experiment.update_run(known, status="RUNNING")
        self.kept, self.inner = {"run_id": str(run_id)}, logger

    @staticmethod
    def _known(uri: str, run_id: str | None) -> str | None:
        """The run that was begun, where the store has it still."""
        if run_id is None:
            return None
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        try:
            with mlflow_settings():
                found = MlflowClient(uri).get_run(run_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        return run_id if found.info.lifecycle_stage == "active" else None

    def _log_options(self, options: dict[str, Any]) -> None:
        """Parameters can't be changed once they are there: what a run that goes on has changed becomes tags."""
        with mlflow_settings():
            before = self.inner.experiment.get_run(self.inner.run_id).data.params
            new = {_named(path): value for path, value in options.items()}
            self.inner.log_hyperparams({name: value for name, value in new.items() if name not in before})
            for name, value in new.items():
                if name in before and before[name] != str(value)[:_MOST_OF_VALUE]:
                    self.inner.experiment.set_tag(self.inner.run_id, f"changed.{name}", f"{value} (was {before[name]})")

    def _log_metrics(self, values: dict[str, float], step: int | None) -> None:
        with mlflow_settings():
            self.inner.log_metrics({self._name(name): value for name, value in values.items()}, step)

    def _log_picture(self, tag: str, pixels: Any, step: int) -> None:
        with mlflow_settings():
            self.inner.experiment.log_image(self.inner.run_id, pixels, key=tag, step=step)

    def _log_files(self, files: list[Path]) -> None:
        with mlflow_settings():
            for path in files:
                self.inner.experiment.log_artifact(self.inner.run_id, str(path))

    def _close(self, status: str) -> None:
        with mlflow_settings():
            self.inner.experiment.set_tag(self.inner.run_id, "status", status)
            self.inner.experiment.set_terminated(self.inner.run_id, _STATUS[status])

    def _name(self, name: str) -> str:
        """A name that MLflow takes, another one for each."""
        if name not in self._names:
            wanted = _named(name)
            taken, number = set(self._names.values()), 2
            free = wanted
            while free in taken:
                free, number = f"{wanted}_{number}", number + 1
            self._names[name] = free
        return self._names[name]

    def where(self) -> str:
        """The experiment, and the program that shows a database."""
        shown = shown_address(self.options)
        if shown.startswith(("http://", "https://")):
            return f"MLflow      {shown}, experiment {self.options.project}"
        return f"MLflow      mlflow ui --backend-store-uri {shown}"


def _named(name: str) -> str:
    """Letters, digits and some signs, in parts that could be folders."""
    plain = re.sub(r"[^\w\-. /]", "_", name, flags=re.ASCII)[:_MOST_LETTERS]
    parts = ["_" if part.strip(". ") == "" else part for part in plain.split("/")]
    return posixpath.normpath("/".join(parts))
