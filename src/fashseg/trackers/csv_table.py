"""``logger=csv``: Lightning's own table, RUN/csv/metrics.csv, with the scores of each class."""

from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import CSVLogger

from fashseg.trackers.tracker import Tracker
from fashseg.untrusted import read_table


class CSVTable(Tracker):
    """A row for each epoch, and one with the final scores.

    Args:
        folder: of the run.
        going_on: keep the rows that are there.
    """

    def __init__(self, folder: Path, going_on: bool) -> None:
        super().__init__("RUN/csv")
        self.folder, self.going_on = folder, going_on
        self._before: list[dict[str, Any]] = []

    def _open(self, facts: dict[str, str], kept: dict[str, str]) -> None:
        path = self.folder / "csv" / "metrics.csv"
        if self.going_on and path.is_file():
            # The final scores have no epoch; they will come again.
            self._before = [row for row in read_table(path) if row.get("epoch")]
        for old in (path, path.with_name("hparams.yaml")):
            old.unlink(missing_ok=True)  # else Lightning warns that it does so
        logger = CSVLogger(self.folder, name="", version="csv")
        logger.experiment.metrics = list(self._before)
        logger.save()
        self.inner = logger

    def _log_metrics(self, values: dict[str, float], step: int | None) -> None:
        """Rows of an epoch that is trained once more, for its checkpoint was not written, are left out."""
        earlier = [row for row in self._before if int(row["epoch"]) < values.get("epoch", 0)]
        if len(earlier) < len(self._before):
            writer = self.inner.experiment
            Path(writer.metrics_file_path).unlink(missing_ok=True)
            writer.metrics, writer.metrics_keys = earlier, []
        self._before = []
        super()._log_metrics(values, step)
