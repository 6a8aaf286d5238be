"""The page of a run: made by training, made again by the verb, and made of what is there."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from conftest import TINY_CNN, TINY_SEGNET, Command, assert_two_lines, page_of, results_of

SECTIONS = {
    "cnn": ["Class by class", "Training", "comparable", "Samples: test images", "filters", "Confusions", "The network"],
    "segnet": [
        "Class by class",
        "Training",
        "comparable",
        "Samples: test images",
        "Precision and recall",
        "The network",
    ],
}


def test_training_makes_the_page(finished: Path) -> None:
    assert "What is missing" not in page_of(finished)
    html, results = page_of(finished), results_of(finished)
    for part in (*SECTIONS[results["model"]], "What was run", "Run it again"):
        assert part in html, part
    assert "drawn by code" in html
    assert html.index("Class by class") < html.index("Training") < html.index("Samples") < html.index("The network")
    assert results["fingerprints"]["test"] in html
    assert len(html) < 5e6
    pictures = {path.stem for path in (finished / "figures").glob("*.png")}
    own = {"samples"} if results["task"] == "classification" else {"triptychs"}
    assert pictures >= {"curves", "class_scores", "confusion_matrix", "precision_recall", "calibration", *own}


def test_text_of_users_is_text(finished: Path) -> None:
    assert "<b>mine" not in page_of(finished)
    assert "&lt;b&gt;mine" in page_of(finished)


def test_options_that_differ_from_the_defaults_are_listed(finished: Path) -> None:
    html = page_of(finished)
    start = html.index("Options that differ")
    table = html[start : html.index("</table>", start)]
    assert "data.train_images" in table
    assert "epochs" in table
    assert "optimizer.lr" not in table
    assert "data.split_seed" not in table


def test_the_page_is_made_again_without_torch(finished: Path) -> None:
    before = page_of(finished)
    (finished / "report.html").unlink()
    (finished / "figures" / "curves.png").unlink()
    code = (
        "import sys; from fashseg.report.__main__ import main; status = main(['run=r']); "
        "assert 'torch' not in sys.modules and 'pytorch_lightning' not in sys.modules; sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=finished.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    again = page_of(finished).replace("run=r", f"run={finished}")
    assert len(again) == pytest.approx(len(before), rel=0.01)
    assert (finished / "figures" / "curves.png").is_file()


def test_no_run_and_no_sweep(run: Command) -> None:
    assert_two_lines(run("report"), "run= is missing")
    assert_two_lines(run("report", "-m", "run=a,b"), "-m")


@pytest.mark.usefixtures("undrawn")
def test_a_page_that_cannot_be_drawn_never_loses_the_run(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fashseg.report.making as making

    def broken(*_: object) -> str:
        raise RuntimeError("no ink")

    monkeypatch.setattr(making, "render", broken)
    outcome = run("train", *TINY_CNN, "epochs=1", "hydra.run.dir=r", "logger=none", "page=true")
    assert outcome.status == 0
    assert "no ink" in outcome.err
    assert "python -m fashseg.report run=" in outcome.err
    assert results_of(tmp_path / "r")["status"] == "finished"


@pytest.mark.parametrize("options", [TINY_CNN, TINY_SEGNET], ids=["cnn", "segnet"])
def test_an_interrupted_run_has_a_page_of(tmp_path: Path, options: tuple[str, ...]) -> None:
    command = [
        sys.executable,
        "-m",
        "fashseg.train",
        *options,
        "epochs=1000",
        "page=true",
        "hydra.run.dir=r",
        "logger=none",
    ]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    metrics = tmp_path / "r" / "metrics.csv"
    while time.monotonic() < deadline and not (metrics.is_file() and len(metrics.read_text().splitlines()) > 2):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    html = page_of(tmp_path / "r")
    assert "This run was interrupted" in html
    assert "resume=" in html
    assert "Samples: validation images" in html
    assert "on test images" not in html
    assert not (tmp_path / "r" / "evidence" / "test.npz").exists()


@pytest.mark.usefixtures("undrawn")
def test_a_failed_run_has_no_claims(run: Command, tmp_path: Path) -> None:
    outcome = run("train", *TINY_CNN, "optimizer.lr=1e30", "page=true", "hydra.run.dir=r", "logger=none")
    assert outcome.status == 1
    html = page_of(tmp_path / "r")
    assert "This run failed" in html
    assert "Nothing has been scored yet" in html
    assert "no epoch was finished" in html


@pytest.mark.usefixtures("undrawn")
def test_without_a_page(run: Command, tmp_path: Path) -> None:
    assert run("train", *TINY_CNN, "hydra.run.dir=r", "logger=none", "page=false").status == 0
    assert not (tmp_path / "r" / "report.html").exists()
    assert run("report", "run=r").status == 0
    assert "What is missing" not in page_of(tmp_path / "r")


@pytest.mark.usefixtures("undrawn")
def test_a_resumed_run_that_is_interrupted_shows_nothing_of_its_earlier_end(
    finished: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fashseg.callbacks.history import History
    from fashseg.stopping import Stopped

    def stop(*_: object) -> None:
        raise Stopped(signal.SIGINT)

    monkeypatch.setattr(History, "on_train_epoch_start", stop)
    assert run("train", "resume=r", "epochs=9").status == 130
    assert results_of(finished)["status"] == "interrupted"
    assert "on test images" not in page_of(finished)
    assert not (finished / "evidence" / "test.npz").exists()


@pytest.mark.usefixtures("undrawn")
def test_a_signal_while_the_page_is_made_leaves_the_run_finished(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fashseg.report.making as making
    from fashseg.stopping import Stopped

    def stop(*_: object) -> str:
        raise Stopped(signal.SIGINT)

    monkeypatch.setattr(making, "render", stop)
    outcome = run("train", *TINY_CNN, "hydra.run.dir=r", "logger=none", "page=true")
    assert outcome.status == 130
    assert results_of(tmp_path / "r")["status"] == "finished"
    assert "is finished" in outcome.err
    assert "python -m fashseg.report" in outcome.err


@pytest.mark.usefixtures("undrawn")
def test_scores_of_few_batches_have_evidence_of_the_same_images(run: Command, tmp_path: Path) -> None:
    options = (
        "trainer.limit_batches=1",
        "eval_batch_size=20",
        "epochs=1",
        "page=true",
        "hydra.run.dir=r",
        "logger=none",
    )
    assert run("train", *TINY_CNN, *options).status == 0
    with np.load(tmp_path / "r" / "evidence" / "test.npz") as arrays:
        assert arrays["confusion"].tolist() == results_of(tmp_path / "r")["test"]["confusion_matrix"]
        assert len(arrays["targets"]) == 20


@pytest.mark.usefixtures("undrawn")
def test_overfitting_is_called_so(run: Command, tmp_path: Path) -> None:
    options = ("trainer.overfit_batches=1", "batch_size=16", "epochs=2", "page=true", "hydra.run.dir=r", "logger=none")
    assert run("train", *TINY_CNN, *options).status == 0
    html = page_of(tmp_path / "r")
    assert "same few images" in html
    assert "nothing is to be compared" in html


@pytest.mark.usefixtures("undrawn")
def test_pictures_of_one_s_own_in_the_folder_stay(finished: Path, run: Command) -> None:
    (finished / "figures" / "mine.png").write_bytes(b"mine")
    assert run("report", "run=r").status == 0
    assert (finished / "figures" / "mine.png").read_bytes() == b"mine"


def test_where_the_data_lie_is_not_told(finished: Path) -> None:
    html = page_of(finished)
    assert "FASHSEG_DATA" in html
    assert str(finished.parent) not in html
    command = html[html.index("The same run") :]
    assert "notes=" not in command[: command.index("</pre>")]


def test_equal_runs_have_equal_pages(finished: Path, run: Command) -> None:
    assert run("report", "run=r").status == 0
    first = page_of(finished)
    assert run("report", "run=r").status == 0
    assert page_of(finished) == first
