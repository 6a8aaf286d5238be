"""Which runs words name, each once, and what is said where there are none."""

import json
from pathlib import Path

import pytest
from made_runs import make_run

from fashseg.compare.runs import find_runs, load_run
from fashseg.errors import UserError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*words: str) -> list[str]:
    return [run.name for run in find_runs(words)[0]]


def test_runs_folders_and_links_name_each_run_once(here: Path) -> None:
    for number in (10, 2, 1):
        make_run(here / "outputs" / "sweep" / str(number))
    make_run(here / "outputs" / "cnn" / "of today")
    (here / "outputs" / "latest").symlink_to("sweep/2")
    (here / "outputs" / "round").symlink_to(here / "outputs")
    (here / "outputs" / "sweep" / "multirun.yaml").write_text("", encoding="utf-8")
    every = ["outputs/cnn/of today", "outputs/sweep/1", "outputs/sweep/2", "outputs/sweep/10"]
    assert names("outputs") == every
    assert names("outputs", "outputs/latest", "outputs/sweep/1") == every
    assert names("outputs/latest") == ["outputs/sweep/2"]
    assert names("outputs/sweep/2/results.json", "outputs/cnn") == ["outputs/sweep/2", "outputs/cnn/of today"]
    assert names(*map(str, (here / "outputs" / "sweep").iterdir()), ".") != []


def test_a_pattern_may_name_what_hydra_leaves_beside_runs(here: Path) -> None:
    make_run(here / "sweep" / "0")
    (here / "sweep" / "multirun.yaml").write_text("", encoding="utf-8")
    runs, unreadable = find_runs(["sweep/0", "sweep/multirun.yaml"])
    assert [run.name for run in runs] == ["sweep/0"]
    assert not unreadable


def test_what_is_no_run_is_refused(here: Path) -> None:
    make_run(here / "run")
    (here / "empty").mkdir()
    (here / "text.txt").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="no runs are named"):
        find_runs([])
    with pytest.raises(UserError, match="nowhere does not exist"):
        find_runs(["run", "nowhere"])
    with pytest.raises(UserError, match="empty holds no runs"):
        find_runs(["run", "empty"])
    with pytest.raises(UserError, match=r"text\.txt"):
        find_runs(["text.txt"])


BROKEN = {
    "no json": ("{", "can't be read"),
    "no object": ("[]", "holds no results"),
    "no task": ('{"status": "finished", "data": "x"}', "it has no task"),
    "another task": ('{"status": "finished", "task": "detection", "data": "x"}', "task=detection is none of"),
    "no data": ('{"status": "running", "task": "classification"}', "it has no data"),
    "a list for a task": ('{"status": "running", "task": [], "data": "x"}', "it has no task"),
    "no scores": ('{"status": "finished", "task": "segmentation", "data": "x"}', "it has no val scores"),
    "other scores": (
        '{"status": "finished", "task": "segmentation", "data": "x", "val": {"accuracy": 1}}',
        "it has no val scores",
    ),
    "words for scores": (
        '{"status": "finished", "task": "classification", "data": "x", '
        '"val": {"accuracy": 1, "accuracy_per_class": {"coat": "good"}}}',
        "no numbers",
    ),
}


@pytest.mark.parametrize(("content", "why"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_run_is_an_error_alone_and_a_line_among_others(here: Path, content: str, why: str) -> None:
    make_run(here / "all" / "good")
    (here / "all" / "bad").mkdir()
    (here / "all" / "bad" / "results.json").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=why):
        find_runs(["all/bad"])
    runs, unreadable = find_runs(["all"])
    assert [run.name for run in runs] == ["all/good"]
    assert [other.name for other in unreadable] == ["all/bad"]
    assert why in unreadable[0].why


def test_options_are_read_whatever_state_the_configuration_is_in(here: Path) -> None:
    folder = make_run(here / "run")
    data = "{split_seed: '${seed}', root: '${nothing}', name: synthetic, mirrors: []}"
    text = f"seed: 3\ndata: {data}\nx: ???"
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    assert load_run(folder).options == {
        "seed": 3,
        "data.split_seed": 3,
        "data.root": "${nothing}",
        "data.name": "synthetic",
        "data.mirrors": [],
        "x": "???",
        # Of before the loss was a choice, and these were options.
        "loss.name": "cross_entropy",
        "loss.label_smoothing": 0.0,
        "callbacks.convergence.threshold": None,
        "callbacks.convergence.min_epochs": 0,
        "callbacks.ema.decay": None,
        "callbacks.progress": "auto",
    }
    for content in ("a: [", "- list", "a: ${oc.env:HOME}"):
        (folder / "config.yaml").write_text(content, encoding="utf-8")
        assert load_run(folder).options is None
    (folder / "config.yaml").unlink()
    assert load_run(folder).options is None


def test_scores_and_curves_of_a_run_with_gaps(here: Path) -> None:
    folder = make_run(here / "run", results={"parameters": "many", "train_seconds": None, "fingerprints": []})
    (folder / "metrics.csv").write_text("epoch,val_loss\n1,\n2,what\n3,0.5\n", encoding="utf-8")
    content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    content["val"] = {"accuracy": None, "accuracy_per_class": {"coat": None, "bag": 1}}
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    run = load_run(folder)
    assert run.score("val") != run.score("val"), "nan"
    assert run.number("parameters") is None
    assert run.number("train_seconds") is None
    assert run.entry("fingerprints", "test") is None
    assert [row["val_loss"] for row in run.epochs] == [None, None, 0.5]
    (folder / "metrics.csv").unlink()
    assert load_run(folder).epochs == []
