"""The verb: what it prints, the page it writes, what it refuses."""

import html
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_runs import make_run

from conftest import Command, assert_two_lines
from fashseg.files import hold
from pages.browser import check_page, chromium_path


def page_text(path: Path) -> str:
    """What a reader sees: no style, no script, no pictures, no tags."""
    content = re.sub(r"<(style|script)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", content)).split())


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Two learning rates of three seeds, one that failed, one that runs, one broken."""
    folder = tmp_path / "outputs" / "sweep"
    for number in range(6):
        rate, skill = ((0.001, 0.9), (0.01, 0.6))[number // 3]
        make_run(folder / str(number), seed=number % 3, skill=skill, optimizer__lr=rate)
    error = "error: the run failed: RuntimeError: <b>no memory</b>\n       More in run.log"
    make_run(folder / "6", results={"status": "failed", "error": error}, seed=3)
    make_run(folder / "7", results={"status": "running"}, seed=4, epochs=50)
    (folder / "8").mkdir()
    (folder / "8" / "results.json").write_text("{", encoding="utf-8")
    return folder


def test_a_sweep_becomes_a_table_and_a_page_in_its_folder(run: Command, sweep: Path) -> None:
    with hold(sweep / "7" / ".lock"):  # as the process does that trains there
        outcome = run("compare", "outputs/sweep")
    assert outcome.status == 0, outcome.err
    assert outcome.err == ""
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    assert lines[0] == "Accuracy on fashion_mnist: runs in outputs/sweep"
    assert "run optimizer.lr n validation test parameters training" in lines
    rows = [line for line in lines if "±" in line and "113,386" in line]
    assert [row.split(" 3 ")[0] for row in rows] == ["0, 1, 2 0.001", "3, 4, 5 0.01"]
    assert re.fullmatch(r"0, 1, 2 0\.001 3 0\.\d{4} ± 0\.\d{4} 0\.\d{4} ± 0\.\d{4} 113,386 1:41", rows[0])
    text = " ".join(lines)
    assert "6 failed 3 of 3 epochs; error: the run failed: RuntimeError: <b>no memory</b> More in run.log" in text
    assert "7 running 3 of 50 epochs" in text
    assert "8 unreadable" in text
    assert lines[-1] == "page outputs/sweep/compare.html"
    page = page_text(sweep / "compare.html")
    for part in (
        *("0.001", "0.01", "Curves", "Options and score", "Run by run", "Not compared", "<b>no memory</b>"),
        *(
            "test: difference from the first row",
            "bold ones leave out 0",
            "beyond noise",
            "choice of test images, not that of the seed",
            "3 more are not compared",
        ),
    ):
        assert part in page, part


def test_a_second_look_does_not_find_its_own_page(run: Command, sweep: Path) -> None:
    first = run("compare", "outputs")
    assert first.out == run("compare", "outputs").out
    assert [path.name for path in (sweep.parent).iterdir() if not path.is_dir()] == ["compare.html"]


def test_two_runs_are_compared_class_by_class(run: Command, tmp_path: Path) -> None:
    make_run(tmp_path / "a b", skill=0.95, optimizer__lr=0.1)
    make_run(tmp_path / "it's", skill=0.5, optimizer__lr=0.2)
    outcome = run("compare", "a b", "it's")
    assert outcome.status == 0, outcome.err
    assert "lr=0.1 is better beyond noise in coat" in outcome.out
    assert outcome.out.splitlines()[-1] == "page compare.html"
    page = page_text(tmp_path / "compare.html")
    for part in (
        "lr=0.1 and lr=0.2, class by class",
        "95% interval",
        "verdict",
        "add seeds to tell",
        "lr=0.1 is better",
    ):
        assert part in page, part


@pytest.mark.parametrize("task", ["classification", "segmentation"])
def test_all_that_may_be_missing_is_missing(run: Command, tmp_path: Path, task: str) -> None:
    """An old version's runs, without evidence, configuration, curves and half of the entries."""
    gone = ("seed", "overrides", "synthetic", "limited", "split", "parameters", "precision", "versions", "fingerprints")
    for name in ("a", "b", "c"):
        folder = make_run(
            tmp_path / "old" / name,
            task=task,
            evidence=False,
            results=dict.fromkeys((*gone, "epochs_run", "train_seconds")),
        )
        (folder / "config.yaml").unlink()
        (folder / "metrics.csv").unlink()
    outcome = run("compare", "old", "output=pages/old.html")
    assert outcome.status == 0, outcome.err
    assert "there is no evidence/test.npz" in outcome.out or "no evidence" in page_text(tmp_path / "pages/old.html")
    assert "python -m fashseg.report run=old/a" in page_text(tmp_path / "pages" / "old.html")


def test_unfinished_runs_alone_make_no_table(run: Command, tmp_path: Path) -> None:
    make_run(tmp_path / "x", results={"status": "interrupted"})
    outcome = run("compare", "x", "output=x.html")
    assert outcome.status == 0, outcome.err
    assert "interrupted" in outcome.out
    assert "No run is finished yet" in page_text(tmp_path / "x.html")


def test_synthetic_and_limited_runs_are_marked(run: Command, tmp_path: Path) -> None:
    results = {"data": "synthetic_fashion", "synthetic": True, "limited": True}
    make_run(tmp_path / "x", results=results, trainer__limit_batches=2)
    outcome = run("compare", "x", "output=x.html")
    assert "synthetic data" in outcome.out
    assert "x (few batches)" in outcome.out
    page = page_text(tmp_path / "x.html")
    assert "Synthetic data" in page
    assert "only some batches" in page


def test_tasks_have_tables_of_their_own(run: Command, tmp_path: Path) -> None:
    for seed in range(2):
        make_run(tmp_path / "all" / f"c{seed}", seed=seed)
        make_run(tmp_path / "all" / f"s{seed}", seed=seed, task="segmentation")
    outcome = run("compare", "all")
    assert outcome.status == 0, outcome.err
    assert "Accuracy on fashion_mnist" in outcome.out
    assert "Mean average precision by logits on facade" in outcome.out


REFUSED = {
    "nothing": ([], "no runs are named"),
    "nowhere": (["nowhere"], "nowhere does not exist"),
    "no runs below": (["empty"], "empty holds no runs"),
    "broken": (["broken"], "can't be read"),
    "another version": (["other"], "it has no val scores"),
    "unknown option": (["good", "outputt=x"], "Did you mean output?"),
    "a folder for a page": (["good", "output=empty"], "output=empty is a folder"),
    "a page below a file": (["good", "output=good/results.json/x.html"], "can't be written"),
    "a sweep": (["good", "-m"], "Leave out -m"),
    "both ways of naming": (["good", "runs=[other]"], "runs= is given beside good"),
    "too few resamples": (["good", "resamples=1"], "at least 100"),
}


@pytest.mark.parametrize(("words", "part"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_is_said_in_two_lines(run: Command, tmp_path: Path, words: list[str], part: str) -> None:
    make_run(tmp_path / "good")
    make_run(tmp_path / "other", results={"val": None})
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "results.json").write_text("{", encoding="utf-8")
    assert_two_lines(run("compare", *words), part)
    assert not list(tmp_path.rglob("compare.html"))


def test_a_word_with_an_equals_sign_is_a_run_where_it_exists(run: Command, tmp_path: Path) -> None:
    name = "lr=0.1,seed=${x} \\ü"
    make_run(tmp_path / name)
    outcome = run("compare", name, "output=x.html")
    assert outcome.status == 0, outcome.err
    assert name in outcome.out


def test_a_page_that_is_there_stays_whole_where_a_new_one_fails(run: Command, sweep: Path) -> None:
    page = sweep / "compare.html"
    page.write_text("old", encoding="utf-8")
    assert run("compare", "outputs/sweep", "resamples=0").status == 2
    assert page.read_text(encoding="utf-8") == "old"
    assert run("compare", "outputs/sweep").status == 0
    assert page.read_text(encoding="utf-8").endswith("</html>\n")


def test_torch_is_not_imported(sweep: Path) -> None:
    code = (
        "import sys; from fashseg.compare.__main__ import main; status = main();"
        "print([name for name in ('torch', 'pytorch_lightning') if name in sys.modules]); sys.exit(status)"
    )
    start = time.perf_counter()
    command = [sys.executable, "-c", code, str(sweep)]
    done = subprocess.run(command, cwd=sweep, capture_output=True, text=True, check=True)
    print(f"{time.perf_counter() - start:.1f} s")
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_page_in_a_browser(run: Command, sweep: Path) -> None:
    chromium_path()
    assert run("compare", "outputs/sweep").status == 0
    check_page(sweep / "compare.html")


def test_the_page_is_written_though_nobody_reads_the_tables(sweep: Path) -> None:
    end, pipe = os.pipe()
    os.close(end)
    words = [sys.executable, "-m", "fashseg.compare", str(sweep)]
    ended = subprocess.run(words, stdout=pipe, stderr=subprocess.PIPE, check=False, timeout=100)
    os.close(pipe)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert "Not compared" in page_text(sweep / "compare.html")
