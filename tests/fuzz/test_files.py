"""Files of a finished run that were damaged or changed: a page, an answer, or an error in two lines; no traceback."""

import json
import logging
import os
import random
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated, mutated_json, mutated_npz, mutated_yaml
from trying import tries

from amounts import SLOW, amount, record
from conftest import Command, assert_two_lines, page_of
from fashseg.checking import check
from fashseg.compare.noise import measure, pair_of
from fashseg.compare.rows import group_runs
from fashseg.compare.runs import find_runs
from fashseg.compare.table import print_group, print_others, print_pair
from fashseg.config import Train
from fashseg.errors import UserError
from fashseg.report.loading import load_facts
from fashseg.run import RunFolder
from fashseg.scoring import load_weights
from fashseg.summary import console
from fashseg.tasks import task_class

Mutate = Callable[..., bytes]
KINDS: dict[str, Mutate] = {
    "config.yaml": mutated_yaml,
    "results.json": mutated_json,
    "metrics.csv": mutated,
    "evidence/test.npz": mutated_npz,
    "evidence/end.npz": mutated_npz,
    "evidence/data.json": mutated_json,
    "evidence/network.json": mutated_json,
}
# Files that hold one thing between them share their number.
SHARE = {"evidence/test.npz": 0.7, "evidence/end.npz": 0.3, "evidence/data.json": 0.5, "evidence/network.json": 0.5}
SEEDS = st.integers(0, 2**64)


@pytest.fixture
def two(trained_once: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Copies of one run, of which the first is changed; the current folder is above them, and there are no weights."""
    for task in ("cnn", "segnet"):
        for name in ("r", "whole"):
            folder = Path(shutil.copytree(trained_once(task), tmp_path / task / name))
            shutil.rmtree(folder / "checkpoints")  # else each page would look at the images again
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numbers that are too large for a chart
        logging.disable()  # the run that was trained in this process has left its handlers
        yield tmp_path
        logging.disable(logging.NOTSET)


def assert_error(error: UserError) -> None:
    assert len(str(error).splitlines()) == 2, error


def read_all_of(folder: Path) -> bool:
    """Read a run as report, evaluate and compare do, without drawing; returns whether all of it was as it should be."""
    whole = True
    try:
        facts = load_facts(RunFolder(folder))
        whole = not facts.missing
        assert facts.class_names == list(facts.class_names)
    except UserError as error:
        assert_error(error)
        whole = False
    try:
        check(Train, RunFolder(folder).read_config())
    except UserError as error:
        assert_error(error)
        whole = False
    screen = console()
    runs, unreadable = find_runs([str(folder), str(folder.parent / "whole")])
    for group in group_runs(runs):
        print_group(screen, group)
        noise = measure(group, 100)
        if (pair := pair_of(group)) is not None:
            print_pair(screen, group, pair, noise)
    print_others(screen, [run for run in runs if not run.finished], unreadable)
    return whole and not unreadable


@pytest.mark.parametrize("name", KINDS)
def test_a_changed_file_is_read_or_refused(two: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    whole = 0
    tried = 0

    @tries(amount(15, int(500 * SHARE.get(name, 1))), simplify=False)
    @given(SEEDS, st.sampled_from(["cnn", "segnet"]))
    def try_it(seed: int, task: str) -> None:
        nonlocal whole, tried
        path = two / task / "r" / name
        original = (two / task / "whole" / name).read_bytes()
        path.write_bytes(KINDS[name](original, random.Random(seed)))
        try:
            whole += read_all_of(path.parents[name.count("/")])
        finally:
            path.write_bytes(original)
        tried += 1
        said = capsys.readouterr()
        assert "\x1b" not in said.out + said.err

    try_it()
    record(f"{name}, changed, read", tried=tried, survived=tried, remarks=f"{whole} of them as good as the original")


@pytest.mark.parametrize("name", KINDS)
def test_a_changed_file_makes_a_page_or_an_error(
    two: Path, run: Command, name: str, request: pytest.FixtureRequest
) -> None:
    if not (SLOW or name.endswith(".npz")):
        request.getfixturevalue("undrawn")  # its charts are of the arrays
    os.chdir(two)
    tried = 0

    @tries(amount(1, 25), simplify=False)
    @given(SEEDS, st.sampled_from(["cnn", "segnet"]))
    def try_it(seed: int, task: str) -> None:
        nonlocal tried
        folder = two / task / "r"
        original = (two / task / "whole" / name).read_bytes()
        (folder / name).write_bytes(KINDS[name](original, random.Random(seed)))
        for words in (["report", f"run={task}/r"], ["compare", f"{task}/r", f"{task}/whole"]):
            outcome = run(*words)
            assert outcome.status in (0, 2), (words, outcome.err)
            assert len(outcome.err.splitlines()) == (2 if outcome.status else 0), outcome.err
            assert "Traceback" not in outcome.out + outcome.err
            if words[0] == "report" and not outcome.status:
                assert "</html>" in page_of(folder)
        (folder / name).write_bytes(original)
        tried += 1

    try_it()
    record(f"{name}, changed, its page and its comparison", tried=tried, survived=tried)


@pytest.mark.parametrize("task", ["cnn", "segnet"])
def test_changed_weights_are_refused_or_the_same(
    task: str, trained_once: Callable[[str], Path], tmp_path: Path
) -> None:
    """Whatever loads gives the scores of the unchanged file, as it has its weights to the last bit."""
    folder = RunFolder(trained_once(task))
    original = folder.checkpoint("best").read_bytes()
    other = folder.checkpoint("last").read_bytes()
    model = task_class(str(folder.read_results()["task"])).load_from_checkpoint(
        folder.checkpoint("best"), map_location="cpu", weights_only=True
    )
    expected = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    path = tmp_path / "best.ckpt"
    tried = loaded = 0

    @tries(amount(20, 250), simplify=False)
    @given(SEEDS)
    def try_it(seed: int) -> None:
        nonlocal tried, loaded
        path.write_bytes(mutated(original, random.Random(seed), (other,)))
        tried += 1
        with torch.no_grad():
            for tensor in model.state_dict().values():
                tensor.zero_()
        try:
            load_weights(model, path)
        except UserError as error:
            assert_error(error)
            return
        loaded += 1
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, expected[name]), f"other weights of {name} with seed {seed}"

    try_it()
    record(f"best.ckpt of {task}, changed", tried=tried, survived=tried, remarks=f"{loaded} of them loaded, unharmed")


@pytest.mark.parametrize("task", ["cnn", "segnet"])
def test_evaluate_of_changed_weights_says_the_same_or_refuses(
    task: str, trained_once: Callable[[str], Path], tmp_path: Path, run: Command
) -> None:
    folder = RunFolder(shutil.copytree(trained_once(task), tmp_path / "r"))
    path = folder.checkpoint("best")
    original, other = path.read_bytes(), folder.checkpoint("last").read_bytes()
    expected, told = folder.read_results()["test"], folder.path / "evaluate_test_best.json"
    tried = scored = 0

    @tries(amount(3, 60), simplify=False)
    @given(SEEDS)
    def try_it(seed: int) -> None:
        nonlocal tried, scored
        path.write_bytes(mutated(original, random.Random(seed), (other,)) if tried else original)
        told.unlink(missing_ok=True)
        outcome = run("evaluate", "run=r")
        tried += 1
        if outcome.status:
            assert_two_lines(outcome, "best.ckpt")
            assert not told.exists(), "there is nothing to tell"
            return
        scored += 1
        assert json.loads(told.read_text(encoding="utf-8"))["test"] == expected, f"other scores with seed {seed}"

    try_it()
    assert scored, "the first one is the original"
    record(f"best.ckpt of {task}, changed, scored", tried=tried, survived=tried, remarks=f"{scored} of them unharmed")
