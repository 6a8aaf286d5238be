"""The page of a run: made by training, made again by the verb, and made of what is there."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from conftest import TINY_CNN, TINY_SEGNET, Command, assert_two_lines, results_of

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


def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def test_training_makes_the_page(finished: Path) -> None:
    assert "What is missing" not in page(finished)
    html, results = page(finished), results_of(finished)
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
    assert "<b>mine" not in page(finished)
    assert "&lt;b&gt;mine" in page(finished)


def test_options_that_differ_from_the_defaults_are_listed(finished: Path) -> None:
    html = page(finished)
    start = html.index("Options that differ")
    table = html[start : html.index("</table>", start)]
    assert "data.train_images" in table
    assert "epochs" in table
    assert "optimizer.lr" not in table
    assert "data.split_seed" not in table


def test_the_page_is_made_again_without_torch(finished: Path) -> None:
    before = page(finished)
    (finished / "report.html").unlink()
    (finished / "figures" / "curves.png").unlink()
    code = (
        "import sys; from fashseg.report.__main__ import main; status = main(['run=r']); "
        "assert 'torch' not in sys.modules and 'pytorch_lightning' not in sys.modules; sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=finished.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    again = page(finished).replace("run=r", f"run={finished}")
    assert len(again) == pytest.approx(len(before), rel=0.01)
    assert (finished / "figures" / "curves.png").is_file()


def test_evidence_that_is_missing_is_collected_again(finished: Path, run: Command) -> None:
    (finished / "evidence" / "test.npz").unlink()
    outcome = run("report", "run=r")
    assert outcome.status == 0, outcome.err
    assert "missing" not in outcome.out
    assert (finished / "evidence" / "test.npz").is_file()


def test_without_evidence_and_weights_the_page_says_what_is_missing(finished: Path, run: Command) -> None:
    for path in (*(finished / "evidence").iterdir(), *(finished / "checkpoints").iterdir()):
        path.unlink()
    outcome = run("report", "run=r")
    assert outcome.status == 0, outcome.err
    assert "missing" in outcome.out
    html = page(finished)
    assert "What is missing" in html
    assert "test.npz" in html
    assert "Class by class" in html
    outcome = run("report", "run=r", "refresh=true")
    assert_two_lines(outcome, "best.ckpt", "does not exist")


def test_broken_evidence_costs_no_more_than_its_sections(finished: Path, run: Command) -> None:
    (finished / "checkpoints" / "best.ckpt").unlink()  # else it would be collected again
    (finished / "evidence" / "test.npz").write_bytes(b"PK\x03\x04 no archive")
    (finished / "evidence" / "network.json").write_text("{", encoding="utf-8")
    (finished / "metrics.csv").write_bytes(b"epoch,val_loss\n1,\xff\xfe\n")
    outcome = run("report", "run=r")
    assert outcome.status == 0, outcome.err
    html = page(finished)
    assert "Class by class" in html
    for name in ("test.npz", "network.json", "metrics.csv"):
        assert f"{name}" in html[html.index("What is missing") :]


def test_evidence_of_another_shape_costs_no_more_than_its_sections(finished: Path, run: Command) -> None:
    (finished / "checkpoints" / "best.ckpt").unlink()
    whole = dict(np.load(finished / "evidence" / "test.npz"))
    np.savez(finished / "evidence" / "test.npz", **{**whole, "calibration": np.zeros((2, 2))})
    outcome = run("report", "run=r")
    assert outcome.status == 0, outcome.err
    assert "The part calibration could not be drawn" in page(finished)
    assert "Class by class" in page(finished)


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
    assert "What is missing" not in page(finished)


@pytest.mark.parametrize("content", ["[]", "null", "{}", '{"info": {}}', '{"info": {"class_names": ["one"]}}'])
def test_facts_on_the_data_that_are_none(finished: Path, run: Command, content: str) -> None:
    (finished / "checkpoints" / "best.ckpt").unlink()
    (finished / "evidence" / "data.json").write_text(content, encoding="utf-8")
    assert run("report", "run=r").status == 0
    assert "What is missing" in page(finished)


def test_a_metrics_table_with_odd_rows(finished: Path, run: Command) -> None:
    with (finished / "metrics.csv").open("a", encoding="utf-8") as file:
        file.write("3" + ",0.5" * 30 + "\nfour,abc\n")
    assert run("report", "run=r").status == 0
    assert "Training" in page(finished)


def test_evidence_is_never_unpickled(finished: Path, run: Command, tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.mkdir, (str(tmp_path / "executed"),))

    (finished / "checkpoints" / "best.ckpt").unlink()
    np.savez(finished / "evidence" / "test.npz", probabilities=np.array([Payload()], dtype=object))
    assert run("report", "run=r").status == 0
    assert not (tmp_path / "executed").exists()
    assert "test.npz" in page(finished)


def test_results_of_another_version(finished: Path, run: Command) -> None:
    results = results_of(finished)
    del results["test"]["loss"]
    results["val"] = {"f1": 0.5}
    for key in ("machine", "versions", "git", "fingerprints", "images", "split", "overrides", "parameters"):
        results.pop(key)
    (finished / "results.json").write_text(json.dumps(results), encoding="utf-8")
    assert run("report", "run=r").status == 0
    assert "not as this version knows" in page(finished)


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


def test_no_run_and_no_sweep(run: Command) -> None:
    assert_two_lines(run("report"), "run= is missing")
    assert_two_lines(run("report", "-m", "run=a,b"), "-m")


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
def test_an_interrupted_run_has_a_page(tmp_path: Path, options: tuple[str, ...]) -> None:
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
    html = page(tmp_path / "r")
    assert "This run was interrupted" in html
    assert "resume=" in html
    assert "Samples: validation images" in html
    assert "on test images" not in html
    assert not (tmp_path / "r" / "evidence" / "test.npz").exists()


def test_a_failed_run_has_no_claims(run: Command, tmp_path: Path) -> None:
    outcome = run("train", *TINY_CNN, "optimizer.lr=1e30", "page=true", "hydra.run.dir=r", "logger=none")
    assert outcome.status == 1
    html = page(tmp_path / "r")
    assert "This run failed" in html
    assert "Nothing has been scored yet" in html
    assert "no epoch was finished" in html


def test_without_a_page(run: Command, tmp_path: Path) -> None:
    assert run("train", *TINY_CNN, "hydra.run.dir=r", "logger=none", "page=false").status == 0
    assert not (tmp_path / "r" / "report.html").exists()
    assert run("report", "run=r").status == 0
    assert "What is missing" not in page(tmp_path / "r")


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
    assert "on test images" not in page(finished)
    assert not (finished / "evidence" / "test.npz").exists()


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


def test_overfitting_is_called_so(run: Command, tmp_path: Path) -> None:
    options = ("trainer.overfit_batches=1", "batch_size=16", "epochs=2", "page=true", "hydra.run.dir=r", "logger=none")
    assert run("train", *TINY_CNN, *options).status == 0
    html = page(tmp_path / "r")
    assert "same few images" in html
    assert "nothing is to be compared" in html


def test_pictures_of_one_s_own_in_the_folder_stay(finished: Path, run: Command) -> None:
    (finished / "figures" / "mine.png").write_bytes(b"mine")
    assert run("report", "run=r").status == 0
    assert (finished / "figures" / "mine.png").read_bytes() == b"mine"


def test_where_the_data_lie_is_not_told(finished: Path) -> None:
    html = page(finished)
    assert "FASHSEG_DATA" in html
    assert str(finished.parent) not in html
    command = html[html.index("The same run") :]
    assert "notes=" not in command[: command.index("</pre>")]


def test_equal_runs_have_equal_pages(finished: Path, run: Command) -> None:
    assert run("report", "run=r").status == 0
    first = page(finished)
    assert run("report", "run=r").status == 0
    assert page(finished) == first
