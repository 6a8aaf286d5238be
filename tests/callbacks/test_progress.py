"""The line that an epoch ends with."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fashseg.callbacks.history import History
from fashseg.callbacks.progress import EpochLines


def test_the_time_left_is_of_whole_epochs_where_a_run_goes_on_within_one(capsys: pytest.CaptureFixture[str]) -> None:
    """And of those alone that this process has ended, for a faster machine may have trained those before."""
    history = History(Path("metrics.csv"), "accuracy")
    row = {"train_loss_running": 0.5, "train_loss": None, "val_loss": 0.4, "val_accuracy": 0.9}
    lines = EpochLines(history)
    history.rows = [{"epoch": epoch, "seconds": 10.0, **row} for epoch in (1, 2, 3)]
    trainer = cast(Any, SimpleNamespace(current_epoch=3, max_epochs=60, is_global_zero=True))
    lines.on_train_start(trainer, cast(Any, None))
    history.rows.append({"epoch": 4, "seconds": 200.0, **row})
    lines.on_train_epoch_end(trainer, cast(Any, None))
    said = capsys.readouterr().out
    assert said.startswith("epoch  4/60 | train loss 0.5000 running | val loss 0.4000, accuracy 0.9000 | 200.0 s")
    assert said.endswith("3:06:40 left\n")
