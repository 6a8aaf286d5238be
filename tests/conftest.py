"""Shared by all tests: real data where $FASHSEG_DATA is set, and commands run in this process."""

import csv
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


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One cache for all tests, which leave the user's alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASHSEG_CACHE", str(tmp_path_factory.mktemp("cache")))
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
    "trainer.accelerator=cpu",
)
TINY_SEGNET = (
    "model=segnet",
    "data=synthetic_facade",
    "data.train_images=10",
    "data.test_images=3",
    "data.val_share=0.2",
    "page=false",
    "epochs=2",
    "trainer.accelerator=cpu",
)


@pytest.fixture(params=[TINY_CNN, TINY_SEGNET], ids=["cnn", "segnet"])
def tiny_options(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Both models, each on little synthetic data."""
    options: tuple[str, ...] = request.param
    return options


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """From ``cnn`` or ``segnet`` to the folder of a finished run of two epochs, trained when it is first asked for."""
    from fashseg import train

    folders: dict[str, Path] = {}

    def folder(model: str) -> Path:
        if model not in folders:
            folders[model] = tmp_path_factory.mktemp("trained") / model
            options = TINY_CNN if model == "cnn" else TINY_SEGNET
            words = [*options, "page=true", f"hydra.run.dir={folders[model]}", "logger=none", "notes='<b>mine</b>'"]
            assert train.main(words) == 0
        return folders[model]

    return folder


@pytest.fixture(params=["cnn", "segnet"])
def finished(request: pytest.FixtureRequest, trained_once: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of a finished run of each task, as ``r`` in the test's folder."""
    return Path(shutil.copytree(trained_once(request.param), tmp_path / "r"))


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
