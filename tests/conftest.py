"""Shared by all tests: real data where $FASHSEG_DATA is set, and commands run in this process.

Time is what the suite is short of, and most of it goes into runs, pages and starts of Python, each of which takes
seconds. So that a test has a finished run cheaply:

- ``trained_once("cnn")`` is one, with page, weights and evidence, to read from; ``finished`` is a copy to spoil, once
  of each task. ``trained_once("cnn", "optimizer=sgd")`` is another, trained once for all that ask for the same words.
- ``run`` calls the verbs in this process. One of its own (4 s until torch is loaded) is for what the process is about.
- ``compare.made_runs`` and ``demo.models`` write folders and weights that nobody has trained, in milliseconds.
- Options as small as the assertion allows: few images, ``page=false`` (a page takes 3 s) and ``logger=none``, which
  ``TINY_CNN`` and ``TINY_SEGNET`` have. ``undrawn`` makes pages without their charts.
"""

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

# Tests run side by side, and so do the commands that they start: a core for each. Before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from filelock import FileLock

# Read here, for the fixture `run` takes it away.
REAL_DATA = os.environ.get("FASHSEG_DATA")


class Outcome(NamedTuple):
    """What a command has left: exit status and both outputs."""

    status: int
    out: str
    err: str


Command = Callable[..., Outcome]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in a file that tries a sample of what ``make test-slow`` tries all of."""
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item.module, "record"):
            item.add_marker("sampled")


@pytest.fixture(scope="session")
def of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this session, which the workers of pytest-xdist share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session", autouse=True)
def _own_cache(of_all_workers: Path) -> Iterator[None]:
    """One cache for all tests, which leave the user's alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASHSEG_CACHE", str(of_all_workers / "cache"))
        yield


@pytest.fixture(autouse=True)
def _denormals_as_they_are() -> None:
    """A run has this process flush them to 0, which no other test is to depend on."""
    torch.set_flush_denormal(False)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """``run("train", "model=cnn", ...)`` in an empty folder, without data; other tests than these start a process."""
    from fashseg import evaluate, predict, train
    from fashseg.compare import __main__ as compare
    from fashseg.demo import __main__ as demo
    from fashseg.export import __main__ as export
    from fashseg.prepare import __main__ as prepare
    from fashseg.report import __main__ as report

    verbs = {
        "train": train.main,
        "evaluate": evaluate.main,
        "report": report.main,
        "compare": compare.main,
        "export": export.main,
        "predict": predict.main,
        "prepare": prepare.main,
        "demo": demo.main,
    }
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FASHSEG_DATA", raising=False)

    def command(verb: str, *words: str) -> Outcome:
        try:
            status = verbs[verb](words)
        except SystemExit as end:
            status = int(end.code or 0)
        return Outcome(status, *capfd.readouterr())

    return command


@pytest.fixture
def real_data() -> Path:
    """The data root; skips where there is none."""
    if not REAL_DATA:
        pytest.skip("needs the real data: set FASHSEG_DATA to the folder that holds FashionMNIST and facade")
    return Path(REAL_DATA)


@pytest.fixture
def always_class_by_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count scores as for many pixels on the CPU, in several pieces and small chunks."""
    from fashseg.metrics import score_histogram as counting

    monkeypatch.setattr(counting, "_count_all_classes", counting._count_class_by_class)
    monkeypatch.setattr(counting, "_SMALLEST_PIECE", 3000)
    monkeypatch.setattr(counting, "_CHUNK_SCORES", 500)


# Options that make a run take a second or two.
TINY_CNN = (
    "model=cnn",
    "data=synthetic_fashion",
    "data.train_images=300",
    "data.test_images=60",
    "epochs=2",
    "eval_batch_size=100",
    "page=false",
    "logger=none",
    "trainer.accelerator=cpu",
)
TINY_SEGNET = (
    "model=segnet",
    "data=synthetic_facade",
    "data.train_images=10",
    "data.test_images=3",
    "data.val_share=0.2",
    "page=false",
    "logger=none",
    "epochs=2",
    "trainer.accelerator=cpu",
)


@pytest.fixture(params=[TINY_CNN, TINY_SEGNET], ids=["cnn", "segnet"])
def tiny_options(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Both models, each on little synthetic data."""
    options: tuple[str, ...] = request.param
    return options


@pytest.fixture(scope="session")
def trained_once(of_all_workers: Path) -> Callable[..., Path]:
    """From ``cnn`` or ``segnet``, and options, to the folder of a finished run of two epochs.

    It is trained when it is first asked for, by one worker for all.
    """
    from fashseg import train

    def folder(model: str, *words: str) -> Path:
        place = of_all_workers / f"trained_{hashlib.sha256(repr(words).encode()).hexdigest()[:8]}" / model
        place.parent.mkdir(exist_ok=True)
        with FileLock(f"{place}.lock"):
            if not (done := place.with_suffix(".done")).exists():
                options = TINY_CNN if model == "cnn" else TINY_SEGNET
                fixed = ("page=true", f"hydra.run.dir={place}", "notes='<b>mine</b>'")
                assert train.main([*options, *fixed, *words]) == 0
                done.touch()
        return place

    return folder


@pytest.fixture(params=["cnn", "segnet"])
def finished(request: pytest.FixtureRequest, trained_once: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of a finished run of each task, as ``r`` in the test's folder."""
    return Path(shutil.copytree(trained_once(request.param), tmp_path / "r"))


@pytest.fixture
def undrawn(trained_once: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts of pages are made and not drawn, which takes most of a page's time: for tests of what it says."""
    from fashseg.report import album

    for model in ("cnn", "segnet"):
        trained_once(model)  # whose page is for all tests
    monkeypatch.setattr(album, "png", lambda _: b"")
    monkeypatch.setattr(album, "svg", lambda _: "<svg/>")


@pytest.fixture
def trained(trained_once: Callable[..., Path], tmp_path: Path) -> Path:
    """A copy of a finished run of ``cnn`` without a page, as ``r`` in the test's folder, to go on with."""
    return Path(shutil.copytree(trained_once("cnn", "page=false"), tmp_path / "r"))


def assert_two_lines(outcome: Outcome, *parts: str) -> None:
    """The contract's error: two lines on standard error, nothing else, exit status 2, and the parts are in it."""
    assert outcome.status == 2, outcome
    lines = outcome.err.splitlines()
    assert len(lines) == 2, outcome.err
    assert lines[0].startswith("error: ")
    for part in parts:
        assert part in outcome.err, f"{part!r} is not in {outcome.err!r}"


def results_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return content


def page_of(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def table(folder: Path) -> list[dict[str, str]]:
    """metrics.csv without its times."""
    with (folder / "metrics.csv").open(encoding="utf-8") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def weights(folder: Path, name: str = "last") -> dict[str, torch.Tensor]:
    content = torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)
    state: dict[str, torch.Tensor] = content["state_dict"]
    return state
