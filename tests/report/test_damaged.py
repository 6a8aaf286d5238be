"""Run folders with something missing or broken: the page says so, or there is an error in two lines."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from conftest import Command, assert_two_lines, page_of, results_of


@pytest.mark.usefixtures("undrawn")
def test_evidence_that_is_missing_is_collected_again(finished: Path, run: Command) -> None:
    (finished / "evidence" / "test.npz").unlink()
    outcome = run("report", "run=r")
    assert outcome.status == 0, outcome.err
    assert "missing" not in outcome.out
    assert (finished / "evidence" / "test.npz").is_file()


@pytest.mark.usefixtures("undrawn")
def test_without_evidence_and_weights_the_page_says_what_is_missing(finished: Path, run: Command) -> None:
    for path in (*(finished / "evidence").iterdir(), *(finished / "checkpoints").iterdir()):
        path.unlink()
    outcome = run("report", "run=r")
    assert outcome.status == 0, outcome.err
    assert "missing" in outcome.out
    html = page_of(finished)
    assert "What is missing" in html
    assert "test.npz" in html
    assert "Class by class" in html
    outcome = run("report", "run=r", "refresh=true")
    assert_two_lines(outcome, "best.ckpt", "does not exist")


@pytest.mark.usefixtures("undrawn")
def test_broken_evidence_costs_no_more_than_its_sections(finished: Path, run: Command) -> None:
    (finished / "checkpoints" / "best.ckpt").unlink()  # else it would be collected again
    (finished / "evidence" / "test.npz").write_bytes(b"PK\x03\x04 no archive")
    (finished / "evidence" / "network.json").write_text("{", encoding="utf-8")
    (finished / "metrics.csv").write_bytes(b"epoch,val_loss\n1,\xff\xfe\n")
    outcome = run("report", "run=r")
    assert outcome.status == 0, outcome.err
    html = page_of(finished)
    assert "Class by class" in html
    for name in ("test.npz", "network.json", "metrics.csv"):
        assert f"{name}" in html[html.index("What is missing") :]


def test_evidence_of_another_shape_costs_no_more_than_its_sections(finished: Path, run: Command) -> None:
    (finished / "checkpoints" / "best.ckpt").unlink()
    whole = dict(np.load(finished / "evidence" / "test.npz"))
    np.savez(finished / "evidence" / "test.npz", **{**whole, "calibration": np.zeros((2, 2))})
    outcome = run("report", "run=r")
    assert outcome.status == 0, outcome.err
    assert "The part calibration could not be drawn" in page_of(finished)
    assert "Class by class" in page_of(finished)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("damage", ["cut", "flipped", "other weights"])
def test_evidence_that_is_not_of_this_run_is_collected_again(finished: Path, run: Command, damage: str) -> None:
    path = finished / "evidence" / "test.npz"
    content = path.read_bytes()
    if damage == "other weights":
        np.savez(path, **{**dict(np.load(path)), "weights": np.array("0" * 64)})
    else:
        middle = len(content) // 2
        path.write_bytes(content[:middle] + (b"" if damage == "cut" else bytes(64) + content[middle + 64 :]))
    outcome = run("report", "run=r")
    assert outcome.status == 0, outcome.err
    assert "What is missing" not in page_of(finished)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("content", ["[]", "null", "{}", '{"info": {}}', '{"info": {"class_names": ["one"]}}'])
def test_facts_on_the_data_that_are_none(finished: Path, run: Command, content: str) -> None:
    (finished / "checkpoints" / "best.ckpt").unlink()
    (finished / "evidence" / "data.json").write_text(content, encoding="utf-8")
    assert run("report", "run=r").status == 0
    assert "What is missing" in page_of(finished)


@pytest.mark.usefixtures("undrawn")
def test_a_metrics_table_with_odd_rows(finished: Path, run: Command) -> None:
    with (finished / "metrics.csv").open("a", encoding="utf-8") as file:
        file.write("3" + ",0.5" * 30 + "\nfour,abc\n")
    assert run("report", "run=r").status == 0
    assert "Training" in page_of(finished)


@pytest.mark.usefixtures("undrawn")
def test_evidence_is_never_unpickled(finished: Path, run: Command, tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.mkdir, (str(tmp_path / "executed"),))

    (finished / "checkpoints" / "best.ckpt").unlink()
    np.savez(finished / "evidence" / "test.npz", probabilities=np.array([Payload()], dtype=object))
    assert run("report", "run=r").status == 0
    assert not (tmp_path / "executed").exists()
    assert "test.npz" in page_of(finished)


@pytest.mark.usefixtures("undrawn")
def test_results_of_another_version(finished: Path, run: Command) -> None:
    results = results_of(finished)
    del results["test"]["loss"]
    results["val"] = {"f1": 0.5}
    for key in ("machine", "versions", "git", "fingerprints", "images", "split", "overrides", "parameters"):
        results.pop(key)
    (finished / "results.json").write_text(json.dumps(results), encoding="utf-8")
    assert run("report", "run=r").status == 0
    assert "not as this version knows" in page_of(finished)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (None, "does not exist"),
        ("{ not json", "can't be read"),
        ("[1, 2]", "holds no results"),
        ('{"status": "finished", "task": "detection"}', "task=detection"),
    ],
)
def test_folders_without_usable_results(run: Command, tmp_path: Path, content: str | None, part: str) -> None:
    (tmp_path / "r").mkdir()
    if content is not None:
        (tmp_path / "r" / "results.json").write_text(content, encoding="utf-8")
    assert_two_lines(run("report", "run=r"), "results.json", part)
    assert not (tmp_path / "r" / "report.html").exists()
