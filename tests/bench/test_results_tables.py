"""docs/results: what is kept of a run, and that the page says what the files give."""

import json
import shlex
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from finished_run import make_run, scores
from PIL import Image

from bench.results import __main__ as command
from bench.results import page
from bench.results.changes import changed_options, command_of
from bench.results.goals import GOALS
from bench.results.keeping import Wish, keep
from bench.results.kept import FOLDER, read_presets
from bench.results.picture import draw
from bench.results.presets import caveats, classes, costs, flips, summary
from bench.ship import main as ship_command
from bench.ship import ship
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.config import Train
from fashseg.errors import UserError
from fashseg.provenance import git_state
from fashseg.run import RunFolder


def test_the_page_says_what_the_files_give() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.with_tables(text) == text, "python -m bench.results write"
    assert page.without_table(text) == []
    for path in FOLDER.rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
        assert path.stat().st_size < 20_000, path


def test_what_is_kept_and_the_tables_of_it(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for seed, test in enumerate((0.69, 0.70, 0.68)):
        both = {"val": scores(0.72), "test": scores(test + 0.01)}
        more = {"flips": both} if seed < 2 else {}
        run = make_run(tmp_path / str(seed), "trainer.compile=true", seed=seed, test=test, **more)
        path = keep(run, Wish("facade_small"), kept)
        assert path == kept / f"facade_small_seed{seed}.json"
        assert "/home" not in path.read_text(encoding="utf-8")
    presets = read_presets(kept)
    rows = [line for line in summary(presets).splitlines() if "facade_small" in line]
    assert "≥ 0.680 | 0.624" in rows[0]
    assert "0.690 ± 0.010 | 3 seeds | yes" in rows[0]
    assert summary(presets).count("not measured") == (len(GOALS) - 1) * 2
    (row,) = [line for line in costs(presets).splitlines() if "facade_small" in line]
    assert (
        "`python -m fashseg.train -m experiment=facade_small seed=0,1,2` | 1,000,000 | 2,540 million | 110 | 3:52"
        in row
    )
    assert "NVIDIA H200, bf16, PyTorch 2.15.0" in row
    by_class = classes("facade_small", presets)
    assert "| pillar | 0.700 ± 0.000 | 0.690 ± 0.010 | 0.227 |" in by_class
    assert "| **mean** | **0.700 ± 0.000** | **0.690 ± 0.010** | 0.624 |" in by_class
    assert "0.700 ± 0.000 | 0.720 ± 0.000 | 0.695 ± 0.007 | 0.705 ± 0.007 | 2 seeds" in flips(presets), (
        "of the same runs"
    )
    assert "None" in caveats(presets)
    presets["facade_small"][2].results["resumed"] = 1
    assert caveats(presets).splitlines()[1:] == [
        "",
        "Gone on with by `resume=`, so not trained in one go: `facade_small`, seed 2.",
    ]
    picture = draw(presets)
    assert Image.open(BytesIO(picture)).size[0] > 400
    assert len(picture) < 60_000


def test_a_class_below_its_goal_is_told(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", test=0.76)
    keep(run, Wish("facade_small"), tmp_path)
    path = tmp_path / "facade_small_seed0.json"
    path.rename(tmp_path / "facade_best_seed0.json")
    (row,) = [line for line in summary(read_presets(tmp_path)).splitlines() if "facade_best" in line]
    assert row.endswith("not in facade, window |"), "0.75 and 0.77 against 0.792 and 0.87"


@pytest.mark.parametrize(
    ("words", "more", "why"),
    [
        ([], {"git": {"commit": "1" * 40, "dirty": True}}, "its code had changes that were not committed"),
        ([], {"git": None}, "it does not know of which commit its code was"),
        (["epochs=30", "loss=focal"], {}, "it is no run of the preset, but with loss=focal epochs=30"),
        ([], {"limited": True}, "it used few batches"),
    ],
)
def test_what_speaks_against_a_run_is_told_or_noted(
    tmp_path: Path, words: list[str], more: dict[str, Any], why: str
) -> None:
    run = make_run(tmp_path / "run", *words, **more)
    with pytest.raises(UserError, match="not kept") as error:
        keep(run, Wish("facade_small"), tmp_path)
    assert why in error.value.what
    assert not list(tmp_path.glob("*.json"))
    keep(run, Wish("facade_small", anyway=True), tmp_path)
    presets = read_presets(tmp_path)
    assert presets["facade_small"][0].results["against"] == [why]
    assert why in caveats(presets)
    assert f"facade_small {' '.join(reversed(words))} seed=0".replace("  ", " ") in costs(presets)


def test_the_file_of_another_run_stays_but_where_it_is_asked_for(tmp_path: Path) -> None:
    good = make_run(tmp_path / "good")
    path = keep(good, Wish("facade_small"), tmp_path)
    before = path.read_bytes()
    other = make_run(tmp_path / "other", "epochs=30", val=0.6)
    with pytest.raises(UserError, match="is of another run") as error:
        keep(other, Wish("facade_small", anyway=True), tmp_path)
    assert "--replace" in error.value.way_out
    assert path.read_bytes() == before
    keep(good, Wish("facade_small"), tmp_path)
    keep(other, Wish("facade_small", anyway=True, replace=True), tmp_path)
    assert read_presets(tmp_path)["facade_small"][0].main("val") == 0.6


def test_a_run_of_another_task_is_never_kept(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    with pytest.raises(UserError, match="is of segmentation, and cnn_best of classification"):
        keep(run, Wish("cnn_best", anyway=True, replace=True), tmp_path)


def test_the_costs_tell_options_that_all_runs_share(tmp_path: Path) -> None:
    anyway = Wish("facade_small", anyway=True)
    keep(make_run(tmp_path / "0", "epochs=30", "loss=focal"), anyway, tmp_path)
    keep(make_run(tmp_path / "1", "epochs=30", seed=1), anyway, tmp_path)
    presets = read_presets(tmp_path)
    assert "`python -m fashseg.train -m experiment=facade_small epochs=30 seed=0,1`" in costs(presets)
    assert "seed 0: it is no run of the preset, but with loss=focal epochs=30." in caveats(presets)


def test_a_card_tells_of_no_other_recipe_than_that_of_the_run(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", "epochs=30", git=None)
    with pytest.raises(UserError, match=r"of which commit its code was; it is no run of the preset.* epochs=30"):
        ship(RunFolder(run), "facade", "facade_small")


def test_a_run_that_knows_no_commit_can_be_given_one(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", git=None)
    with pytest.raises(UserError, match="no commit of this repository"):
        keep(run, Wish("facade_small", commit="f" * 40), tmp_path)
    if git_state():  # not where the tests were unpacked from an archive
        path = keep(run, Wish("facade_small", commit="HEAD"), tmp_path)
        assert json.loads(path.read_text(encoding="utf-8"))["git"]["stated"] is True


def test_flips_of_a_later_evaluation_are_kept_if_they_are_of_the_same_weights(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    told = {"test": scores(0.69), "flips": {"test": scores(0.71)}}
    (run / "evaluate_test_best.json").write_text(json.dumps(told), encoding="utf-8")
    path = keep(run, Wish("facade_small"), tmp_path)
    flips = json.loads(path.read_text(encoding="utf-8"))["flips"]
    assert flips["test"]["average_precision"]["mean"] == 0.71
    assert "confusion_matrix" not in flips["test"]
    told["test"]["loss"] = 0.6
    (run / "evaluate_test_best.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(UserError, match="other weights"):
        keep(run, Wish("facade_small"), tmp_path)


def test_the_command_of_another_choice_comes_to_the_options_of_the_run(tmp_path: Path) -> None:
    given = ["optimizer=adamw", "~optimizer.momentum", "~optimizer.nesterov", "optimizer.lr=0.001"]  # its default
    given.append("optimizer.weight_decay=0.012345678912")
    run = RunFolder(tmp_path)
    run.write_config(compose("train", ["experiment=small_best", *given]))
    changes = changed_options(run, "small_best")
    assert changes == {
        "optimizer.name": "adamw",
        "optimizer.lr": 0.001,
        "optimizer.weight_decay": 0.012345678912,
        "~optimizer.momentum": None,
        "~optimizer.nesterov": None,
    }
    words = shlex.split(command_of("small_best", changes, [0]))[3:]
    assert check(Train, compose("train", words)) == check(Train, run.read_config())


def test_options_of_another_choice_are_those_that_were_given(tmp_path: Path) -> None:
    run = RunFolder(
        make_run(tmp_path / "run", "augment=flip", "model.widths=[8,16]", "logger=csv", "data.resident=false")
    )
    changes = changed_options(run, "facade_small")
    assert changes == {"augment.name": "flip", "model.widths": [8, 16]}
    assert command_of("facade_small", changes, [1]) == (
        "python -m fashseg.train experiment=facade_small 'model.widths=[8,16]' augment=flip seed=1"
    )


def test_a_page_with_a_mistake_is_left_alone(tmp_path: Path) -> None:
    for text, why in (
        ("<!-- table: nothing -->\n<!-- end -->", "names no table"),
        ("<!-- table: flips -->\n\n<!-- table: costs -->\n<!-- end -->", "before the next"),
        ("<!-- table: flips -->\n", "not every table"),
    ):
        with pytest.raises(UserError, match=why):
            page.with_tables(text, tmp_path)
    (tmp_path / "ablations" / "small_best").mkdir(parents=True)
    (tmp_path / "ablations" / "small_best" / "adamw_seed0.json").touch()
    assert page.without_table("<!-- table: ablations cnn_best -->\n<!-- end -->", tmp_path) == ["small_best"]
    made = page.with_tables("a\n<!-- table: flips -->\nold\n<!-- end -->\nb\n", tmp_path)
    assert made == "a\n<!-- table: flips -->\n\nNot measured yet.\n\n<!-- end -->\nb\n"
    (tmp_path / "cnn_best_seed0.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="cnn_best_seed0"):
        page.with_tables(made, tmp_path)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["nowhere", "--as", "facade_small"], "no run folder"),
        ([str(page.PAGE), "--as", "facade_small"], "results.md is no run folder"),
        (["nowhere", "--as", "facade_smal"], "no preset"),
        (["nowhere", "--as", "facade_small", "--variant", "../x"], "no name for a file"),
    ],
)
def test_the_command_refuses_in_two_lines(words: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["keep", *words]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert why in told[0]


def test_what_is_personal_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", versions={"torch": "2.15.0", "mine": "/home/me/torch"})
    with pytest.raises(UserError, match=r"versions.mine names a folder of the machine"):
        keep(run, Wish("facade_small"), tmp_path)


def test_a_card_is_refused_in_two_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "results.json").write_text('{"seed": 0}', encoding="utf-8")
    for name, part in (("nowhere", "does not exist"), ("broken", "holds no results of a run")):
        assert ship_command([str(tmp_path / name), "--as", "fashion", "--preset", "small_best"]) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ")
        assert part in said
        assert said.count("\n") == 2
