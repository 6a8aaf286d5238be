"""Plugins: what the command line names is read and nothing else."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Command, assert_two_lines, results_of
from own_plugin import QUICK, USE, as_in_a_new_process, change, write_plugin


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """A plugin with its network and its choices in ``own``; what it registers is forgotten."""
    yield write_plugin(tmp_path / "own")
    as_in_a_new_process()


def test_a_run_of_ones_own_and_what_is_done_with_it(run: Command, own: Path, tmp_path: Path) -> None:
    done = run("train", USE, "model=line", "loss=power", "loss.power=1.5", "hydra.run.dir=r", *QUICK)
    assert done.status == 0, done.err
    results = results_of(tmp_path / "r")
    assert (results["model"], results["data"], results["loss"]) == ("line", "dots", "power")
    assert results["plugins"] == [str(own / "plugin.py")]
    assert run("evaluate", "run=r", USE).status == 0
    as_in_a_new_process()
    shutil.move(own, tmp_path / "moved")
    gone_on = run("train", "resume=r", "epochs=3", "plugins=[moved/plugin.py]")
    assert gone_on.status == 0, gone_on.err
    assert f"goes on with plugins=['{tmp_path / 'moved' / 'plugin.py'}']" in gone_on.out
    assert results_of(tmp_path / "r")["epochs_run"] == 3


def test_without_the_plugin_nothing_is_imported_and_the_way_out_is_told(
    run: Command, own: Path, tmp_path: Path
) -> None:
    """A run folder is data that anybody may have made."""
    assert run("train", USE, "model=line", "hydra.run.dir=r", *QUICK).status == 0
    with (own / "plugin.py").open("a", encoding="utf-8") as file:
        file.write(f"\nopen({str(tmp_path / 'code_was_run')!r}, 'w').close()\n")
    change(tmp_path / "r" / "config.yaml", f"- {own / 'plugin.py'}", f"- {own / 'plugin.py'}\n- own.plugin\n- this")
    as_in_a_new_process()
    for verb, *words in (
        ("evaluate", "run=r"),
        ("report", "run=r", "refresh=true"),
        ("train", "resume=r", "epochs=3"),
        ("compare", "r"),
    ):
        done = run(verb, *words)
        assert not (tmp_path / "code_was_run").exists(), (verb, words)
        assert "this" not in sys.modules
        if verb != "compare":
            assert done.status == 2
            assert f"trained with plugins=[{own / 'plugin.py'},own.plugin,this]" in done.err
            assert "if you trust its code" in done.err
    assert run("evaluate", "run=r", USE).status == 0
    assert (tmp_path / "code_was_run").exists(), "the payload is a real one"


@pytest.mark.usefixtures("own")
def test_a_sweep_and_a_plugin_that_is_a_module(run: Command, tmp_path: Path) -> None:
    words = ["plugins=[own.plugin]", "model=line", "loss=power,focal", "hydra.sweep.dir=s", *QUICK]
    done = run("train", "-m", *words)
    assert done.status == 0, done.err
    assert [results_of(tmp_path / "s" / job)["loss"] for job in "01"] == ["power", "focal"]
    assert results_of(tmp_path / "s" / "0")["plugins"] == ["own.plugin"]


@pytest.mark.usefixtures("own")
def test_every_rank_reads_it(tmp_path: Path) -> None:
    words = [USE, "model=line", "loss=power", "hydra.run.dir=r", "trainer.devices=2", *QUICK[1:], "epochs=1"]
    done = subprocess.run(
        [sys.executable, "-m", "fashseg.train", *words], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert results_of(tmp_path / "r")["status"] == "finished"


def test_an_installed_package_needs_no_option(
    run: Command, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    shutil.move(own, site / "own_dots")
    facts = site / "own_dots-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: own-dots\nVersion: 1.0\n", encoding="utf-8")
    (facts / "entry_points.txt").write_text("[fashseg.plugins]\ndots = own_dots.plugin\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))
    done = run("train", "model=line", "hydra.run.dir=r", *QUICK)
    assert done.status == 0, done.err
    assert results_of(tmp_path / "r")["plugins"] == ["own_dots.plugin"]
    assert run("evaluate", "run=r").status == 0
    as_in_a_new_process()
    with (site / "own_dots" / "plugin.py").open("a", encoding="utf-8") as file:
        file.write("\nraise ValueError('so')\n")
    assert_two_lines(run("train", "model=cnn", "--cfg=job"), "own_dots.plugin", "uninstall own-dots 1.0")


@pytest.mark.usefixtures("own")
def test_options_of_ones_own_are_checked_before_torch_is_there(tmp_path: Path) -> None:
    code = "import sys; from fashseg.train import main; print(main()); print('torch' in sys.modules)"
    for words, part in (
        (["model=line", "model.scale=0"], "greater than 0"),
        (["model=line", "model.scael=1"], "Did you mean model.scale?"),
        (["model=lime"], "Did you mean line?"),
        (["model=segnet", "data=dots"], "classification"),
    ):
        command = [sys.executable, "-c", code, USE, *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.stdout.split() == ["2", "False"], done.stderr
        assert part in done.stderr


def test_choices_without_the_plugin(run: Command, own: Path) -> None:
    assert_two_lines(run("train", "--config-dir=own/conf", "model=line", "--cfg=job"), "plugins=[my/plugin.py]")
    (own / "conf" / "experiment").mkdir()
    (own / "conf/experiment/mine.yaml").write_text("# @package _global_\nplugins: [own/plugin.py]\n", encoding="utf-8")
    assert_two_lines(run("train", "--config-dir=own/conf", "experiment=mine"), "stands in a file of choices")


def test_help_lists_the_choices_of_plugins(run: Command, own: Path) -> None:
    shown = run("train", USE, "--help")
    assert "line" in shown.out
    assert "power" in shown.out
    more = own.parent / "more" / "loss"
    more.mkdir(parents=True)
    (more / "strong.yaml").write_text("name: power\npower: 3.0\n", encoding="utf-8")
    for word in (f"hydra.searchpath=[file://{more.parent}]", "--config-dir=more"):
        both = run("train", USE, word, "model=line", "loss=strong", "--cfg=job")
        assert "name: line" in both.out, both.err
        assert "power: 3.0" in both.out


def test_a_split_of_ones_own_that_knows_no_folds_is_not_cross_validated(
    run: Command, own: Path, tmp_path: Path
) -> None:
    change(own / "conf" / "data" / "dots.yaml", "split_seed: 0\n", "split_seed: 0\nfold: null\nfolds: 5\n")
    words = (USE, "model=line", "data.fold=1", "hydra.run.dir=r", *QUICK)
    assert run("train", *words).status == 0
    results = results_of(tmp_path / "r")
    assert (results["fold"], results["images"]["val"]) == (1, 12)
    as_in_a_new_process()
    change(own / "plugin.py", "read=read)", "read=read, split=lambda options, n: (range(50), range(50, n)))")
    assert_two_lines(run("train", *words[:3], "hydra.run.dir=s", *QUICK), "data=dots", "function split", "data.fold=1")
