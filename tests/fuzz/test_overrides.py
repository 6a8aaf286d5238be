"""Command lines that nobody thought of: each is a plan or an error in two lines, and leaves nothing behind."""

import contextlib
import io
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from command_lines import words_for
from hypothesis import given
from trying import tries

from amounts import amount, record
from fashseg import evaluate, predict, train
from fashseg.compare import __main__ as compare
from fashseg.config import Train
from fashseg.demo import __main__ as demo
from fashseg.export import __main__ as export
from fashseg.prepare import __main__ as prepare
from fashseg.report import __main__ as report
from fashseg.verb_options import Compare, Demo, Evaluate, Export, Predict, Prepare, Report

Main = Callable[[Sequence[str]], int]


class Screen(io.TextIOWrapper):
    """What a terminal takes: UTF-8, and an error for anything else."""

    def __init__(self, errors: str) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors=errors, newline="")

    def text(self) -> str:
        self.flush()
        content: bytes = self.buffer.getvalue()  # type: ignore[attr-defined]
        return content.decode()


def ends_well(main: Main, words: list[str], statuses: tuple[int, ...] = (0, 2)) -> int:
    """Run a verb; returns its exit status. Raises AssertionError where it ends otherwise than the contract says."""
    out, err = Screen("strict"), Screen("backslashreplace")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(words)
        except SystemExit as end:
            status = int(end.code or 0)
    assert status in statuses, (words, status, err.text())
    if status:
        lines = err.text().splitlines()
        if any(re.fullmatch(r"\+*debug=true", word, re.IGNORECASE) for word in words):
            lines = lines[-2:]  # the traceback that was asked for is before them
        assert len(lines) == 2, (words, err.text())
        assert lines[0].startswith("error: "), words
        assert lines[1].startswith("       "), words
        assert "\x1b" not in err.text(), words
    else:
        assert not err.text(), (words, err.text())
    return status


VERBS: dict[str, tuple[Main, type, int, int]] = {
    "train": (train.main, Train, 40, 2000),
    "evaluate": (evaluate.main, Evaluate, 15, 300),
    "export": (export.main, Export, 15, 300),
    "report": (report.main, Report, 15, 300),
    "compare": (compare.main, Compare, 15, 300),
    "prepare": (prepare.main, Prepare, 15, 300),
    "predict": (predict.main, Predict, 15, 300),
    "demo": (demo.main, Demo, 15, 300),
}


@pytest.mark.parametrize("verb", VERBS)
def test_any_command_line_is_a_plan_or_an_error_in_two_lines(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, schema, quick, full = VERBS[verb]
    monkeypatch.chdir(tmp_path)
    environment = dict(os.environ)
    ended: dict[int, int] = {}

    @tries(amount(quick, full))
    @given(words_for(schema))
    def try_it(words: list[str]) -> None:
        # Checked as a whole, and shown in place of being run.
        status = ends_well(main, [*words, "--cfg=job"])
        ended[status] = ended.get(status, 0) + 1
        assert not list(tmp_path.iterdir()), words
        assert dict(os.environ) == environment, words

    try_it()
    tried = sum(ended.values())
    record(f"command lines of {verb}", tried=tried, survived=tried, remarks=f"{ended.get(0, 0)} of them valid")
