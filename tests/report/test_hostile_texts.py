"""Texts of a run folder that somebody made to do harm: on pages and terminals they stay texts."""

import json
import os
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from conftest import Command, assert_two_lines, page_of, results_of


@pytest.fixture
def classifier(trained_once: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of a finished run, as ``r`` in the test's folder."""
    return Path(shutil.copytree(trained_once("cnn"), tmp_path / "r"))


def change_results(folder: Path, **values: object) -> None:
    results = results_of(folder) | values
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")


class Document(HTMLParser):
    """Elements and attributes of a page that were not meant to be there."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        for name, value in attrs:
            if name.startswith("on") or ("javascript:" in (value or "") and name in ("href", "src", "style")):
                self.found.append(f"{tag} {name}={value}")
        if tag in ("iframe", "object", "embed", "form", "base", "marquee", "b"):
            self.found.append(tag)


HARM = {
    "elements": "<script>window.hacked=1</script></style></title></pre></textarea><b>bold--><!--{{ 7 * 191 }}{% raw %}",
    "attributes": "\"><img src=x onerror=window.hacked=1>' onmouseover='window.hacked=1 <a href=javascript:hacked=1>",
    "address": "javascript:window.hacked=1",
    "terminal": "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b31m\x08\x08 \u202egnp.exe\u2066 \ud800",
    "markup": r"[red]x[/red] [/b] [link=http://e.x]y[/link] :smile: $\frac{1}{0}$ $\undefined$",
}


def full_of(text: str, folder: Path) -> None:
    """Put a text wherever a run folder has one."""
    results = results_of(folder)
    names = list(results["test"]["accuracy_per_class"])
    renamed = {name: f"{text}{number}" for number, name in enumerate(names)}
    for part in ("val", "test"):
        scores = results[part]["accuracy_per_class"]
        results[part]["accuracy_per_class"] = {renamed[name]: value for name, value in scores.items()}
    results |= {
        "model": text, "data": text, "notes": text, "split": text, "precision": text, "started": text, "seed": text,
        "versions": {text: text, "fashseg": text, "torch": text},
        "git": {"commit": text, "dirty": True},
        "overrides": [text, f"notes={text}"],
        "machine": {"gpus": [text], "processor": text, "cores": 2, "system": text},
        "images": {text: 3},
    }  # fmt: skip
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    data = json.loads((folder / "evidence" / "data.json").read_text(encoding="utf-8"))
    data["info"]["class_names"] = list(renamed.values())
    data["fingerprints"] = {**data["fingerprints"], text: text}
    (folder / "evidence" / "data.json").write_text(json.dumps(data), encoding="utf-8")
    layers = json.loads((folder / "evidence" / "network.json").read_text(encoding="utf-8"))
    for layer in layers:
        layer["kind"] = text
    (folder / "evidence" / "network.json").write_text(json.dumps(layers), encoding="utf-8")
    config = (folder / "config.yaml").read_text(encoding="utf-8")
    written = json.dumps(text.replace("\ud800", "?"))
    config = re.sub(r"(?m)^notes: .*$", lambda _: f"notes: {written}", config)
    config = re.sub(r"(?m)^  name: (adam|none)$", lambda _: f"  name: {written}", config)
    (folder / "config.yaml").write_text(config, encoding="utf-8")


def assert_harmless(html: str, text: str) -> None:
    document = Document(html)
    assert not document.found
    assert document.scripts == 1, "the page's own"
    if re.search("[<>\"']", text):
        assert text not in re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)
    assert "1337" not in html
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        *((text, "finished") for text in HARM.values()),
        *((HARM["elements"], status) for status in ("failed", "running")),
    ],
    ids=[*HARM, "failed", "running"],
)
def test_no_text_of_a_run_gets_out_of_its_place(
    classifier: Path, run: Command, text: str, status: str, request: pytest.FixtureRequest
) -> None:
    if status != "finished":
        request.getfixturevalue("undrawn")  # its charts are those of the first
    (classifier / "checkpoints" / "best.ckpt").unlink()
    full_of(text, classifier)
    change_results(classifier, status=status, error=f"error: {text}")
    outcome = run("report", "run=r")
    assert outcome.status == 0, outcome.err
    assert_harmless(page_of(classifier), text)
    compared = run("compare", "r")
    assert compared.status == 0, compared.err
    assert_harmless((classifier / "compare.html").read_text(encoding="utf-8"), text)
    for shown in (outcome.out, outcome.err, compared.out, compared.err):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    assert ("error:" in compared.out) == (status == "failed")


@pytest.mark.parametrize("text", ["<b>'\" ${oc.env:HOME}", "\x1b[31mred [red]x[b] \udcff"])
def test_names_of_folders_stay_names(classifier: Path, run: Command, text: str, tmp_path: Path) -> None:
    folder = classifier.rename(tmp_path / text)
    (folder / "checkpoints" / "best.ckpt").unlink()
    shutil.copytree(folder, tmp_path / "other" / text)
    from fashseg.commands import quoted

    outcome = run("report", f"run={quoted(folder)}")
    assert outcome.status == 0, outcome.err
    assert_harmless(page_of(folder), text)
    compared = run("compare", text, f"other/{text}")
    assert compared.status == 0, compared.err
    assert_harmless((tmp_path / "compare.html").read_text(encoding="utf-8"), text)
    missing = run("report", f"run={quoted('nowhere' + text)}")
    assert_two_lines(missing, "nowhere")
    for shown in (outcome.out, compared.out, missing.err):
        assert "\x1b" not in shown
        assert os.environ["HOME"] not in shown.replace(str(tmp_path), "")
