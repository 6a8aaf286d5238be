"""What both kinds of models have in common when files are labelled."""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fashseg.predicting.inputs import Inputs
from fashseg.predicting.output import Output
from fashseg.text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from fashseg.predicting.predictor import Predictor
    from fashseg.verb_options import Predict

SHOWN = 10
"""Pictures in the table on the screen."""


def set_up_process(task: str) -> None:
    """What is set once: warnings of libraries are nobody's concern here, and tiny numbers make processors slow."""
    import torch

    from fashseg.devices import keep_freed_memory

    logging.captureWarnings(True)
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())
    torch.set_flush_denormal(True)
    if task == "classification":  # where masks are made, it is decided picture by picture
        keep_freed_memory()


@dataclass
class Work:
    """Pictures to label, and what has come of them.

    Attributes:
        predictor: the model.
        inputs: the pictures.
        output: where results go.
        options: of the verb.
        screen: where they are told.
        unreadable: pictures that could not be read, and why.
    """

    predictor: "Predictor"
    inputs: Inputs
    output: Output
    options: "Predict"
    screen: "Console"
    unreadable: list[tuple[Path, str]] = field(default_factory=list)

    @property
    def class_names(self) -> list[str]:
        """The model's, as they may be shown."""
        return [printable(name) for name in self.predictor.info.class_names]

    def about(self) -> dict[str, Any]:
        """What made the results, for the JSON file."""
        info, trained = self.predictor.info, self.predictor.trained
        return {
            "model": trained.name,
            "origin": trained.origin,
            "task": info.task,
            "data": info.name,
            "synthetic": info.synthetic,
            "class_names": self.class_names,
        }

    def unreadable_rows(self) -> list[dict[str, str]]:
        """For the JSON file."""
        return [{"path": str(path), "reason": reason} for path, reason in self.unreadable]

    @contextlib.contextmanager
    def progress(self) -> Iterator[Callable[[float], None]]:
        """A bar over all pictures on a terminal, nothing elsewhere; in the block a call adds so many of them."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.screen, transient=True, disable=not sys.stdout.isatty()) as bar:
            task = bar.add_task("pictures", total=len(self.inputs.paths))
            yield lambda count: bar.advance(task, count)
