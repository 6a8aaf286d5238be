"""Run folders that somebody made to do harm: nothing of them runs, nothing of the reader gets in, and it ends soon."""

import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Command, assert_two_lines
from fashseg.run import RunFolder
from fashseg.untrusted import RefusedError, read_json, read_yaml


@pytest.fixture
def classifier(trained_once: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of a finished run, as ``r`` in the test's folder."""
    return Path(shutil.copytree(trained_once("cnn"), tmp_path / "r"))


def everything_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("where", ["notes", "data.root", "model", "new", "list", "key"])
def test_the_environment_is_not_read(
    classifier: Path, run: Command, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setenv("SOME_SECRET", "hunter2hunter2")
    path = classifier / "config.yaml"
    text = path.read_text(encoding="utf-8")
    secret = "${oc.env:SOME_SECRET}"
    changed = {
        "notes": re.sub(r"(?m)^notes: .*$", f"notes: '{secret}'", text),
        "data.root": re.sub(r"(?m)^  root: .*$", f"  root: '/{secret}'", text),
        "model": re.sub(r"(?m)^  name: cnn$", f"  name: '{secret}'", text),
        "new": f"{text}\nnew: '{secret}'\n",
        "list": f"{text}\nnew: [1, ['x {secret}']]\n",
        "key": f"{text}\n'{secret}': 1\n",
    }[where]
    assert secret in changed
    path.write_text(changed, encoding="utf-8")
    assert_two_lines(run("evaluate", "run=r"), "config.yaml", "oc.env" if where != "key" else "reference")
    assert_two_lines(run("train", "resume=r", "epochs=3"), "config.yaml")
    for words in (["report", "run=r"], ["compare", "r"]) if where in ("notes", "data.root") else ():
        outcome = run(*words)
        assert outcome.status == 0
        assert "hunter2" not in outcome.out + outcome.err
    assert b"hunter2" not in everything_of(classifier)


@pytest.mark.parametrize("resolver", ["oc.env:HOME", "oc.decode:1", "hydra:job.name", "now:%Y", "oc.create:{}", "x:"])
def test_no_resolver_is_run(classifier: Path, resolver: str) -> None:
    (classifier / "config.yaml").write_text(f"a: 1\nb: ${{{resolver}}}\n", encoding="utf-8")
    for read in (RunFolder(classifier).read_config, RunFolder(classifier).read_options):
        with pytest.raises(Exception, match="no plain reference") as error:
            read()
        assert len(str(error.value).splitlines()) == 2


def test_references_between_options_are_looked_up(tmp_path: Path) -> None:
    text = "seed: 3\ndata: {split_seed: '${seed}', name: 'a ${notes} \\${seed}'}\nnotes: of ${data.split_seed}\nx: ${y}"
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    config = RunFolder(tmp_path).read_config()
    assert config.data.split_seed == 3
    assert config.data.name == "a of 3 ${seed}", "the last one is text"
    assert RunFolder(tmp_path).read_options()["x"] == "${y}", "it is not there"


LOOPS = {
    "itself": "a: ${a}",
    "two": "a: ${b}\nb: ${a}",
    "three, in text": "a: x${b}\nb: y${c.d}\nc: {d: 'z${a}'}",
    "its group": "a: {b: '${a}'}",
    "doubling": "\n".join(["a0: " + "x" * 1000, *(f"a{n + 1}: ${{a{n}}}${{a{n}}}" for n in range(40))]),
    "doubling groups": "\n".join(["a0: {p: 1}", *(f"a{n + 1}: {{p: '${{a{n}}}', q: '${{a{n}}}'}}" for n in range(40))]),
}


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS.keys())
def test_references_that_do_not_end_are_refused_soon(classifier: Path, run: Command, text: str) -> None:
    (classifier / "config.yaml").write_text(text, encoding="utf-8")
    start = time.process_time()
    assert_two_lines(run("evaluate", "run=r"), "config.yaml")
    assert time.process_time() - start < 2


BOMBS = {
    "billion laughs": "a: &a [x, x]\n"
    + "\n".join(f"{n}: &{n} [{f'*{p}, ' * 9}]" for p, n in zip("abcdefgh", "bcdefghi", strict=True)),
    "an anchor": "a: &x 1",
    "an alias": "a: *x",
    "a merge": "a: &x {b: 1}\nc: {<<: *x}",
    "deep lists": "a: " + "[" * 50_000,
    "deep groups": "a: " + "{a: " * 50_000,
    "deep indentation": "\n".join(" " * n + "a:" for n in range(1000)),
    "many values": "a: [" + "1," * 300_000 + "]",
    "a long text": "a: " + "x" * 5_000_000,
    "a key twice": "a: 1\na: 2",
    "a tag": "a: !!python/object/apply:os.system ['true']",
    "a path": "a: !!python/object/apply:pathlib.Path ['/']",
    "bytes": "a: !!binary aGk=",
    "a number without end": "a: " + "9" * 10_000,
    "a number of base 60": "a: 1" + ":1" * 300_000,
    "a long number": "a: 0x" + "f" * 100,
    "a NUL": "a: \0",
    "a NUL, written": 'a: "\\0"',
    "no unicode": "a: \xff",
    "two documents": "a: 1\n---\nb: 1",
    "a list": "- a",
    "a number": "1",
    "nothing": "",
    "a key that is no text": "1: 2",
    "a key that is a list": "? [a, b]\n: c",
    "unclosed": "a: ${b",
    "many references": "a: 1\nb: '" + "${a}" * 10_000 + "'",
    "many escapes": "a: '" + "\\${a}" * 100_000 + "'",
    "something to instantiate": "_target_: os.system\ncommand: 'true'",
    "something to instantiate, inside": "model: {_target_: os.system, name: cnn}",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_configurations_that_no_run_writes_are_refused_soon(classifier: Path, run: Command, text: str) -> None:
    (classifier / "config.yaml").write_bytes(text.encode("latin-1"))
    start = time.process_time()
    assert_two_lines(run("evaluate", "run=r"))
    assert time.process_time() - start < 2


def test_a_configuration_of_a_thousand_options_is_read_in_no_time(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("a: &a [x]\n" + "b: [" + "*a," * 100_000 + "]", encoding="utf-8")
    start = time.perf_counter()
    with pytest.raises(RefusedError, match="anchor"):
        read_yaml(tmp_path / "c.yaml")
    assert time.perf_counter() - start < 0.2


def test_what_a_file_names_is_not_instantiated(classifier: Path, run: Command, tmp_path: Path) -> None:
    text = (classifier / "config.yaml").read_text(encoding="utf-8")
    harm = f"optimizer:\n  _target_: os.mkdir\n  path: {tmp_path / 'made'}\n"
    (classifier / "config.yaml").write_text(text.replace("optimizer:\n", harm, 1), encoding="utf-8")
    assert_two_lines(run("evaluate", "run=r"), "optimizer._target_ is not an option")
    assert run("report", "run=r", "refresh=true").status == 2
    assert not (tmp_path / "made").exists()


JSON_BOMBS = {
    "deep": "[" * 100_000,
    "deep objects": '{"a":' * 100_000,
    "closed": "[" * 500 + "]" * 500,
    "a number without end": '{"status": ' + "9" * 100_000 + "}",
    "a key twice": '{"status": "finished", "status": "failed"}',
    "large": '{"status": "' + "x" * 5_000_000 + '"}',
    "a NUL": '{"status": "\0"}',
}


@pytest.mark.parametrize("text", JSON_BOMBS.values(), ids=JSON_BOMBS.keys())
def test_results_that_no_run_writes_are_refused_soon(run: Command, tmp_path: Path, text: str) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "results.json").write_text(text, encoding="utf-8")
    start = time.perf_counter()
    for words in (["evaluate", "run=r"], ["report", "run=r"], ["compare", "r"]):
        assert_two_lines(run(*words), "results.json")
    assert time.perf_counter() - start < 3


def test_numbers_that_are_not_finite_are_absent(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("[NaN, Infinity, -Infinity, 1e999, 1e300]", encoding="utf-8")
    assert read_json(tmp_path / "r.json") == [None, None, None, None, 1e300]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_pipes_and_devices_are_not_waited_for(classifier: Path, run: Command, kind: str) -> None:
    def replace(path: Path) -> None:
        path.unlink()
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        else:
            path.mkdir()

    files = [path for path in classifier.rglob("*") if path.is_file() and path.name != "report.html"]
    files = [path for path in files if path.suffix in (".yaml", ".csv", ".npz", ".json", ".ckpt")]
    for path in files:
        if path.name != "results.json":
            replace(path)
    outcome = run("report", "run=r")
    assert outcome.status == 0, outcome.err
    for name in ("config.yaml", "metrics.csv", "test.npz", "data.json", "network.json"):
        assert name in outcome.out
    assert run("compare", "r").status == 0
    assert run("evaluate", "run=r").status == 2
    replace(classifier / "results.json")
    for words in (["report", "run=r"], ["compare", "r"], ["evaluate", "run=r"], ["train", "resume=r"]):
        assert run(*words).status == 2
