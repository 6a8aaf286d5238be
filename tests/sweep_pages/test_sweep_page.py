"""compare on the folder of a search: what it prints, the page it writes, what it makes of odd records."""

import copy
import html
import os
import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from amounts import SLOW, amount
from compare.made_runs import make_run
from conftest import TINY_CNN, Command, assert_two_lines, results_of
from fashseg.compare.search_page import headline, sections_of, summary
from fashseg.compare.searches import find
from fashseg.pages.blocks import Page
from fashseg.pages.render import render
from fashseg.run import RunFolder
from fuzz.mutations import changed_tree
from pages.browser import PHONE, Opened, check_page, chromium
from pages.using import pictures_not_loaded, sideways_scroll
from sweep_pages.made_studies import made_study, with_runs, write_study


def page_text(path: Path) -> str:
    """What a reader sees: no style, no script, no pictures, no tags."""
    content = re.sub(r"<(style|script)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", content)).split())


def lines_of(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the search is."""
    return tmp_path / "outputs" / "sweep" / "cnn-1a2b3c"


def test_the_best_trials_the_states_and_the_command_are_told_and_drawn(run: Command, folder: Path) -> None:
    with_runs(folder, made_study(40))
    (folder / "conf" / "experiment").mkdir(parents=True)
    (folder / "conf" / "experiment" / "best.yaml").write_text("# @package _global_\n", encoding="utf-8")
    outcome = run("compare", "outputs/sweep/cnn-1a2b3c")
    assert outcome.status == 0, outcome.err
    lines = lines_of(outcome.out)
    assert lines[0] == "Search cnn-1a2b3c: best 10 of 15 finished trials in outputs/sweep/cnn-1a2b3c"
    assert "37 0.9361 0.003405 adamw 48 64 10 2:00" in lines
    assert "cnn-1a2b3c: 15 finished, 22 pruned, 3 failed and 1 lost, of 40 wanted" in lines
    assert "pruning: 214 of 389 epochs were run, 45% less, about 36:14 saved" in lines
    assert "best by validation: trial 37: validation score 0.9361" in lines
    command = "python -m fashseg.train model=cnn data=synthetic_fashion epochs=10 optimizer.lr=0.00340501882"
    assert f"{command} optimizer=adamw model.features=48 batch_size=64" in lines
    assert "Not compared" not in outcome.out, "pruned and failed trials are told as such"
    assert lines[-1] == "page outputs/sweep/cnn-1a2b3c/compare.html"
    assert len(lines) < 30
    page = page_text(folder / "compare.html")
    for part in (
        *("Search cnn-1a2b3c: validation score 0.9361 in trial 37", "History", "Importance of the options"),
        *("Option by option", "All options at once", "Curves of the trials", "Trials", "Failed trials"),
        *("tpe, median", "0.0001 to 0.1, logarithmic", "8 to 64, whole numbers, in steps of 8", "adam, sgd, adamw"),
        *("about 36:14 saved", "is flattered by the choice", "out of memory: DefaultCPUAllocator"),
        *("--config-dir outputs/sweep/cnn-1a2b3c/conf experiment=best", "1 trial was lost when the process ended"),
        *("Accuracy on synthetic_fashion, synthetic data", "test: difference from the first row"),
    ):
        assert part in page, part
    assert "so far" not in page.replace("best so far", "")
    assert "Not compared" not in page


@pytest.mark.parametrize(
    "content", [{**made_study(0), "trials": []}, {**made_study(5), "trials": made_study(5)["trials"][5:]}]
)
def test_a_search_without_a_run_or_a_result_has_a_page(run: Command, folder: Path, content: dict[str, Any]) -> None:
    write_study(folder, content)
    outcome = run("compare", str(folder))
    assert outcome.status == 0, outcome.err
    assert "no trial is finished yet" in outcome.out
    assert "no trial is finished yet" in page_text(folder / "compare.html")


def test_a_search_of_several_objectives_that_goes_on(run: Command, folder: Path) -> None:
    content = made_study(12, objectives=2, n_trials=40, importance=None)
    content["trials"][-1] |= {"state": "running", "values": None, "ended": None, "seconds": None}
    with_runs(folder, content)
    outcome = run("compare", str(folder))
    assert outcome.status == 0, outcome.err
    assert "1 running and 1 lost, of 40 wanted" in outcome.out
    assert "parameters" in lines_of(outcome.out)[2]
    assert "(best in the first objective)" in outcome.out
    page = page_text(folder / "compare.html")
    assert "has come to 11 of 40 trials so far" in page
    assert "Importance" not in page
    assert "Pareto front" in page
    assert "than which no other is as good in every objective" in page


def test_searches_and_runs_beside_them_are_told_apart(run: Command, tmp_path: Path, folder: Path) -> None:
    with_runs(folder, made_study(6, study_name="first"))
    with_runs(folder.with_name("b"), made_study(6, study_name="second", seed=1))
    make_run(tmp_path / "outputs" / "alone", results={"data": "synthetic_fashion", "synthetic": True})
    make_run(tmp_path / "outputs" / "ended", results={"status": "interrupted"})
    outcome = run("compare", "outputs")
    assert outcome.status == 0, outcome.err
    assert "Search first" in outcome.out
    assert "Accuracy on synthetic_fashion, synthetic data: runs in outputs" in outcome.out
    assert "ended interrupted" in " ".join(outcome.out.split())
    page = page_text(tmp_path / "outputs" / "compare.html")
    for part in ("Search first", "Search second", "History of first", "History of second"):
        assert part in page, part


def test_a_record_that_can_t_be_read_leaves_the_runs(run: Command, folder: Path) -> None:
    with_runs(folder, made_study(6))
    (folder / "study.json").write_text('{"format": 9}', encoding="utf-8")
    outcome = run("compare", str(folder))
    assert outcome.status == 0, outcome.err
    assert "its format is 9, this version reads 1" in " ".join(outcome.out.split())
    assert "Accuracy on synthetic_fashion" in outcome.out
    assert "its format is 9" in page_text(folder / "compare.html")


def test_what_is_beside_the_trials_is_no_run(folder: Path) -> None:
    with_runs(folder, made_study(3))
    (folder / "conf" / "experiment").mkdir(parents=True)
    for name in ("study.journal", "optimization_results.yaml", "compare.html"):
        (folder / name).write_text("", encoding="utf-8")
    runs, unreadable, (search,) = find([str(path) for path in folder.iterdir()])
    assert (len(runs), unreadable) == (4, [])
    assert set(search.runs) == {0, 1, 2, 3}


def test_a_folder_that_is_nowhere_is_refused_beside_a_search(run: Command, folder: Path) -> None:
    write_study(folder, made_study(2))
    assert_two_lines(run("compare", str(folder), "nowhere"), "nowhere does not exist")


def test_names_are_text_and_paths_are_not_opened(run: Command, tmp_path: Path, folder: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>\x1b[31m[red]$x$"
    content = made_study(8, study_name=hostile, sampler=hostile, command=hostile, objectives=1)
    content["space"] = {hostile: {"kind": "choice", "choices": [hostile, "b"]}}
    content["importance"] = {hostile: 0.5, "other": 0.2}
    os.mkfifo(tmp_path / "pipe")
    for number, trial in enumerate(content["trials"]):
        trial |= {
            "params": {hostile: hostile if number % 2 else "b"},
            "error": hostile,
            "folder": "../../../pipe",
        }
    write_study(folder, content)
    outcome = run("compare", str(folder))
    assert outcome.status == 0, outcome.err
    assert "\x1b[31m" not in outcome.out
    assert "\\x1b[31m[red]" in outcome.out
    content = (folder / "compare.html").read_text(encoding="utf-8")
    assert "<img src=x" not in content
    assert "\x1b" not in content


def test_a_thousand_trials_stay_readable(folder: Path) -> None:
    write_study(folder, made_study(1000, objectives=2))
    _, _, (search,) = find([str(folder)])
    page = Page("t", headline(search), summary(search), [], sections_of(search, ""), "f")
    text = render(page)
    assert len(text) < 3_000_000
    assert text.count("<tr>") < 200
    assert "The first 50 of 1,001; the others are folded below" in text
    assert "The other 951 trials" in text


def test_odd_records_are_refused_or_shown(folder: Path) -> None:
    whole = made_study(10, objectives=2)
    shown = 0
    for seed in range(amount(6, 200)):
        content = changed_tree(copy.deepcopy(whole), random.Random(seed))
        shutil.rmtree(folder, ignore_errors=True)
        write_study(folder, content)
        _, unreadable, searches = find([str(folder)])
        for search in searches:
            assert render(Page("t", headline(search), summary(search), [], sections_of(search, ""), "f"))
        shown += len(searches)
        assert len(searches) + len(unreadable) == 1
    assert shown


def test_a_grid_has_slices_too(run: Command, tmp_path: Path) -> None:
    for number in range(8):
        make_run(tmp_path / "grid" / str(number), skill=0.5 + number / 20, optimizer__lr=10 ** -(number % 4))
    assert run("compare", "grid").status == 0
    assert "The validation accuracy against each option" in page_text(tmp_path / "grid" / "compare.html")


def test_more_rows_than_a_table_takes_are_left_out(run: Command, tmp_path: Path) -> None:
    for number in range(53):
        make_run(
            tmp_path / "grid" / f"{number}",
            evidence=False,
            skill=0.3 + number / 100,
            optimizer__lr=0.001 * (number + 1),
        )
    outcome = run("compare", "grid")
    assert "The best 50 by validation; 3 more are left out." in outcome.out
    page = page_text(tmp_path / "grid" / "compare.html")
    assert "The best 50 by validation; 3 more are left out." in page


def test_the_page_of_a_search_in_a_browser(run: Command, folder: Path) -> None:
    write_study(folder, made_study(12, objectives=2, epochs=3))
    assert run("compare", str(folder)).status == 0
    with chromium() as browser:
        if SLOW:
            check_page(folder / "compare.html", browser)
        with Opened(browser, folder / "compare.html", width=PHONE, scheme="dark") as opened:
            assert not pictures_not_loaded(opened.page) + sideways_scroll(opened.page) + opened.findings


def test_a_search_of_this_package_has_its_page_and_preset(run: Command, tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="optuna is not installed: pip install -e .[sweep]")
    words = [word for word in TINY_CNN if not word.startswith("epochs")]
    space = ["optimizer.lr=tag(log,interval(1e-4,1e-1))", "optimizer=adam,sgd"]
    search = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=3", "hydra.sweeper.study_name=s"]
    outcome = run("train", "-m", *search, *words, "epochs=1", "logger=none", *space)
    assert outcome.status == 0, outcome.err
    assert "experiment=best" in outcome.out
    outcome = run("compare", "outputs/sweep/s")
    assert outcome.status == 0, outcome.err
    assert "s: 3 finished, of 3 wanted" in outcome.out
    command = next(line for line in outcome.out.splitlines() if "experiment=best" in line)
    assert command.strip() == "python -m fashseg.train --config-dir outputs/sweep/s/conf experiment=best"
    outcome = run("train", "--config-dir", "outputs/sweep/s/conf", "experiment=best", "--cfg", "job")
    assert outcome.status == 0, outcome.err
    best = max(range(3), key=lambda number: results_of(tmp_path / f"outputs/sweep/s/{number}")["val"]["accuracy"])
    rate = RunFolder(tmp_path / "outputs" / "sweep" / "s" / str(best)).read_options()["optimizer.lr"]
    assert OmegaConf.create(outcome.out).optimizer.lr == rate
