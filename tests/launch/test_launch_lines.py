"""Lines of several jobs on one screen."""

import io
import sys

import pytest

from fashseg.launch.lines import JobLines, lines_of_job


def test_each_line_begins_with_the_number_of_its_job(capsys: pytest.CaptureFixture[str]) -> None:
    with lines_of_job(7):
        print("one")
        print("two\n\nthree", end="")
        print("wrong", file=sys.stderr)
        assert not sys.stdout.isatty()
    print("after")
    out, err = capsys.readouterr()
    assert out == "[7] one\n[7] two\n[7] \n[7] three\nafter\n"
    assert err == "[7] wrong\n"


def test_what_is_no_whole_line_waits_and_a_bar_is_its_last_state() -> None:
    stream = io.StringIO()
    lines = JobLines(stream, 3)
    lines.write("10%\r20%")
    lines.flush()
    assert stream.getvalue() == ""
    lines.write("\r30%\r\nnext\n")
    assert stream.getvalue() == "[3] 30%\n[3] next\n"
