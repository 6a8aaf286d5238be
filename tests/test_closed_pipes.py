"""Commands whose output nobody reads to its end, as in ``| head -1``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

WORK = """
import logging, sys
from pathlib import Path
from fashseg.closed_pipes import heed_no_closed_pipes

heed_no_closed_pipes()
heed_no_closed_pipes()
logging.basicConfig(stream=sys.stdout, level="INFO")
for number in range(20_000):
    print("a line of many")
    logging.info("and one that is logged")
print("a word", file=sys.stderr, flush=True)
Path("done").write_text("to the end")
print("the last line, which is in a buffer when the process ends")
"""


def unread(words: list[str], folder: Path, *, both: bool = False) -> subprocess.CompletedProcess[bytes]:
    """A Python process whose standard output, with ``both`` its standard error too, nobody reads from the start."""
    end, pipe = os.pipe()
    os.close(end)
    try:
        return subprocess.run(
            [sys.executable, *words],
            cwd=folder,
            stdout=pipe,
            stderr=pipe if both else subprocess.PIPE,
            check=False,
            timeout=100,
        )
    finally:
        os.close(pipe)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("flags", [[], ["-u"]])
def test_work_is_done_to_its_end(tmp_path: Path, flags: list[str], both: bool) -> None:
    ended = unread([*flags, "-c", WORK], tmp_path, both=both)
    assert ended.returncode == 0
    assert ended.stderr == (None if both else b"a word\n")
    assert (tmp_path / "done").read_text(encoding="utf-8") == "to the end"


@pytest.mark.parametrize("words", [["fashseg", "--help"], ["fashseg.evaluate", "--help"]])
def test_a_command_ends_well(tmp_path: Path, words: list[str]) -> None:
    ended = unread(["-m", *words], tmp_path)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_mistake_has_its_exit_status(tmp_path: Path) -> None:
    assert unread(["-m", "fashseg.compare", "nowhere"], tmp_path, both=True).returncode == 2
