"""Pairs, turns, children and the tables they end in."""

import sys
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.children import run_command
from bench.ratios import Ratio, paired, take_turns
from bench.start import run_once
from bench.tables import count, megabytes, table


def test_sides_take_turns_and_every_second_round_is_in_reverse() -> None:
    seen: list[str] = []
    found = take_turns({name: lambda name=name: seen.append(name) or len(seen) for name in "abc"}, 3)  # type: ignore[misc]
    assert "".join(seen) == "abccbaabc"
    assert found == {"a": [1, 6, 7], "b": [2, 5, 8], "c": [3, 4, 9]}


def test_ratios_are_of_pairs() -> None:
    ratio = paired([10, 40, 30], [5, 10, 10])
    assert ratio.values == (2, 4, 3)
    assert str(ratio) == "3 (2 to 4)"
    assert str(Ratio((0.987654,))) == "0.988"


def test_a_child_tells_its_result_and_what_it_cost() -> None:
    work = "import json; a = bytearray(300_000_000); sum(range(10**7)); print('words'); print(json.dumps({'x': 1}))"
    # In a process between: a child has at least the peak memory of what starts it, and this one holds torch.
    between = (
        "import dataclasses, json, sys; from bench.children import run_command; "
        f"print(json.dumps(dataclasses.asdict(run_command([sys.executable, '-c', {work!r}]))))"
    )
    child = run_command([sys.executable, "-c", between]).result
    assert child["result"] == {"x": 1}
    assert 300e6 < child["peak_bytes"] < 350e6
    assert 0.05 < child["cpu_seconds"] < child["seconds"] + 0.1


def test_a_child_without_json_and_one_with_threads() -> None:
    program = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['MKL_NUM_THREADS'])"
    assert run_command([sys.executable, "-c", program], threads=3).result == {}
    check = "import os, sys; sys.exit(os.environ['OMP_NUM_THREADS'] != '3')"
    run_command([sys.executable, "-c", check], threads=3)


def test_a_child_that_fails_is_no_measurement(tmp_path: Path) -> None:
    failing = [sys.executable, "-c", "import sys; print('so far'); sys.exit('it broke')"]
    with pytest.raises(RuntimeError, match=r"ended with 1: …so far\nit broke"):
        run_command(failing)
    with pytest.raises(RuntimeError, match="it broke"):
        run_once(failing, tmp_path)


def test_numbers_are_as_a_reader_wants_them() -> None:
    assert [count(value) for value in (12345, 1234.5, 87.44, 0.01234)] == ["12,300", "1,230", "87.4", "0.0123"]
    assert megabytes(1_234_567_890) == "1,235 MB"
    assert table(("a", "b"), [("x", 1)]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_tables_are_put_between_the_markers_of_the_page() -> None:
    page = bench.README.read_text(encoding="utf-8")
    before, after = page.partition(bench.BEGIN)[0], page.partition(bench.END)[2]
    new = bench.into(page, "\nNEW TABLES\n")
    assert new == f"{before}{bench.BEGIN}\n\nNEW TABLES\n\n{bench.END}{after}"
    assert bench.into(new, "NEW TABLES") == new
    with pytest.raises(ValueError, match="lacks"):
        bench.into("no markers", "tables")


def test_both_clocks_of_a_command_are_one_line() -> None:
    row = {"command": "help", "against": "nothing", "seconds": 1.0, "seconds_against": 0.9}
    rows = [
        {**row, "clock": clock, "min": low, "median": 1.1, "max": 1.2} for clock, low in (("wall", 0.8), ("cpu", 0.9))
    ]
    (line,) = bench.start_table(rows).splitlines()[2:]
    assert "1.10 (0.90 to 1.20) | 1.10 (0.80 to 1.20)" in line


def test_without_the_real_data_it_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as end:
        bench.main(["--quick", "--root", str(tmp_path)])
    assert "lacks facade/train" in str(end.value)
    assert "FASHSEG_DATA" in str(end.value)
