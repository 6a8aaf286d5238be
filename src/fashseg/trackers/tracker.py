"""What all trackers have in common: they go by Lightning's loggers, and none of them can end a run."""

import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger

from fashseg.text import printable
from fashseg.trackers.secrets import redacted

log = logging.getLogger(__name__)

ENDS = ("finished", "pruned", "interrupted", "failed")


class Tracker(Logger):
    """A logger around one of Lightning's, which may fail.

    The first failure is told, and nothing more is sent until the end of the run, when what is missing is tried once
    more. The training goes on meanwhile.

    Args:
        title: as a reader knows it.

    Attributes:
        inner: Lightning's logger, once it is open.
        kept: what finds the run again, as RUN/trackers.json keeps it.
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self.inner: Any = None
        self.kept: dict[str, str] = {}
        self.failed = False
        self._missing: list[Callable[[], None]] = []

    @property
    def name(self) -> str:
        """Of the tracker; Lightning would name folders by it."""
        return self.title

    @property
    def version(self) -> str:
        """There is one of each."""
        return ""

    def start(self, options: dict[str, Any], facts: dict[str, str], kept: dict[str, str]) -> None:
        """Open the run.

        Args:
            options: of the run, by their paths.
            facts: what else is to be known of it.
            kept: what `kept` was when the run was interrupted; empty for a new one.
        """
        if self._tried(lambda: self._open(facts, kept)):
            self._send(lambda: self._log_options(options))

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        """Done at the start."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Scores of an epoch."""
        values = {name: int(value) if name == "epoch" else value for name, value in metrics.items()}
        self._send(lambda: self._log_metrics(values, step))

    def picture(self, tag: str, pixels: Any, step: int) -> None:
        """Show a picture where the tracker can.

        Args:
            tag: its name.
            pixels: (H, W, 3) of uint8.
            step: of training.
        """
        self._send(lambda: self._log_picture(tag, pixels, step), again=False)

    def save(self) -> None:
        """Called by Lightning when something was logged."""
        if self.inner is not None and not self.failed:
            self._tried(self.inner.save)

    def finalize(self, status: str) -> None:
        """Lightning's end of the training: the test scores and the page are still to come."""

    def end(self, status: str, scores: dict[str, float], files: list[Path], step: int) -> None:
        """Add what there is at the end, and close the run.

        Args:
            status: one of `ENDS`.
            scores: the final ones by name; none where there are none.
            files: of the run folder, those that exist.
            step: of training.
        """
        if self.inner is None:
            return
        missing, self._missing, told = self._missing, [], self.failed
        self.failed = False
        if scores:
            missing.append(lambda: self._log_metrics(scores, step))
        missing.append(lambda: self._log_files(files))
        for send in missing:
            self._send(send)
        if self._tried(lambda: self._close(status)) and told and not self._missing:
            print(f"{self.title} has all of it now")

    def where(self) -> str | None:
        """How to look at it, for the end of a run; None where that is not known."""
        return None

    def _send(self, send: Callable[[], None], *, again: bool = True) -> None:
        """Send, or keep for the end what could not be sent."""
        if self.inner is not None and (self.failed or not self._tried(send)) and again:
            self._missing.append(send)

    def _tried(self, work: Callable[[], Any]) -> bool:
        """Whether it went well; the first time that it does not is told."""
        try:
            work()
        except Exception as error:
            reason = redacted(f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:300]}")
            log.warning("%s: %s", self.title, reason, exc_info=True)
            if not self.failed:
                print(printable(f"{self.title} can't be written to, and the run goes on: {reason}"), file=sys.stderr)
            self.failed = True
            return False
        return True

    def _open(self, facts: dict[str, str], kept: dict[str, str]) -> None:
        raise NotImplementedError

    def _log_options(self, options: dict[str, Any]) -> None:
        self.inner.log_hyperparams(options)

    def _log_metrics(self, values: dict[str, float], step: int | None) -> None:
        self.inner.log_metrics(values, step)

    def _log_picture(self, tag: str, pixels: Any, step: int) -> None:
        """Not every tracker shows pictures."""

    def _log_files(self, files: list[Path]) -> None:
        """Not every tracker keeps files."""

    def _close(self, status: str) -> None:
        self.inner.finalize("success" if status == "finished" else "failed")
