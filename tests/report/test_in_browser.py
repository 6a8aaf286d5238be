"""Pages of runs in a real browser: see `pages.browser` for what is checked there."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from amounts import SLOW
from conftest import Command, page_of, results_of
from pages.browser import check_page, chromium

pytestmark = pytest.mark.sampled


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def test_the_page_of_a_demo_run(finished: Path, browser: Browser) -> None:
    check_page(finished / "report.html", browser)


@pytest.mark.skipif(not SLOW, reason="make test-slow")
@pytest.mark.parametrize("finished", ["cnn"], indirect=True)
def test_the_page_of_an_interrupted_run(finished: Path, browser: Browser, run: Command) -> None:
    results = json.loads((finished / "results.json").read_text(encoding="utf-8"))
    for part in ("val", "test", "train_seconds", "epochs_run"):
        del results[part]
    (finished / "results.json").write_text(json.dumps({**results, "status": "interrupted"}), encoding="utf-8")
    (finished / "evidence" / "test.npz").unlink()
    assert run("report", "run=r").status == 0
    check_page(finished / "report.html", browser)


@pytest.mark.parametrize("finished", ["segnet"], indirect=True)
def test_a_page_on_which_much_is_missing(finished: Path, browser: Browser, run: Command) -> None:
    for path in (*(finished / "evidence").iterdir(), *(finished / "checkpoints").iterdir()):
        path.unlink()
    (finished / "metrics.csv").unlink()
    assert run("report", "run=r").status == 0
    check_page(finished / "report.html", browser)


SHORT = ("epochs=1", "callbacks.convergence.min_epochs=1", "logger=none", "hydra.run.dir=r")


def test_the_report_s_classifier_learns_real_garments_and_has_its_page(
    run: Command, real_data: Path, tmp_path: Path, browser: Browser
) -> None:
    outcome = run("train", "experiment=report_cnn", "eval_train=1", *SHORT, f"data.root={real_data}")
    assert outcome.status == 0, outcome.err
    assert "published" in outcome.out
    results = results_of(tmp_path / "r")
    assert results["images"] == {"train": 54_000, "val": 6_000, "test": 10_000}
    assert results["parameters"] == 113_386
    assert results["test"]["accuracy"] > 0.84
    html = page_of(tmp_path / "r")
    assert "published 90.0%" in html
    assert "drawn by code" not in html
    assert "What is missing" not in html
    check_page(tmp_path / "r" / "report.html", browser)


@pytest.mark.skipif(not SLOW, reason="make test-slow")
def test_the_report_s_segmenter_has_its_page(run: Command, real_data: Path, tmp_path: Path, browser: Browser) -> None:
    outcome = run("train", "experiment=report_segnet", "trainer.limit_batches=10", *SHORT, f"data.root={real_data}")
    assert outcome.status == 0, outcome.err
    html = page_of(tmp_path / "r")
    assert "All 106 validation images show a building" in html
    assert "drawn by code" not in html
    assert "What is missing" not in html
    check_page(tmp_path / "r" / "report.html", browser)
