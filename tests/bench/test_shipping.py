"""bench.ship: a model of the package is replaced when all is measured, and by a run that its card can tell of."""

from pathlib import Path
from typing import Any

import pytest
from finished_run import make_run, scores

from bench import ship as shipping
from fashseg.run import RunFolder
from fashseg.trained import Trained, load_trained, read_weights

MADE = {"torch": "2.15.0", "pytorch-lightning": "2.6.6"}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the facade model alone; any run has its weights, and scores as `make_run` says."""
    trained, files = load_trained(model="facade"), shipping.FOLDER
    folder = tmp_path / "weights"
    folder.mkdir()
    for suffix in ("safetensors", "md"):
        (folder / f"facade.{suffix}").write_bytes((files / f"facade.{suffix}").read_bytes())

    def of_run(run: str) -> Trained:
        assert Path(run).is_dir()
        return trained

    def measured(path: Path, _run: Any) -> dict[str, Any]:
        assert read_weights(path).info == trained.info
        found = {part: shipping.rounded(scores(main)) for part, main in (("val", 0.7), ("test", 0.69))}
        return {**found, "test": {**found["test"], "interval_95": [0.66, 0.72]}}

    monkeypatch.setattr(shipping, "FOLDER", folder)
    monkeypatch.setattr(shipping, "load_trained", of_run)
    monkeypatch.setattr(shipping, "measured", measured)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """Every file by its name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("more", "status", "why"),
    [
        ({"status": "interrupted"}, 2, "not finished: its status is interrupted"),
        ({"train_seconds": None}, 2, "does not say train_seconds"),
        ({"task": "classification"}, 2, "is of classification, and the model facade is of segmentation"),
        ({"versions": {"torch": "2.15.0"}}, 2, "it has no 'pytorch-lightning'"),
        ({"val": scores(0.715), "versions": MADE}, 1, "score 0.7000 (val), and 0.7150"),
    ],
)
def test_a_model_stays_where_a_run_is_refused(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: dict[str, Any], status: int, why: str
) -> None:
    before, run = content(package), RunFolder(make_run(tmp_path / "run"))
    run.update_results(**more)
    assert shipping.main([str(run.path), "--as", "facade", "--preset", "facade_small"]) == status
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 2
    assert content(package) == before


def test_a_good_run_becomes_the_model_and_its_card(package: Path, tmp_path: Path) -> None:
    run = RunFolder(make_run(tmp_path / "run", versions=MADE))
    path = shipping.ship(run, "facade", "facade_small")
    about = read_weights(path).about
    assert about["scores"]["test"]["average_precision"]["mean"] == 0.69
    assert about["in_32_bits"] == {"val": 0.7, "test": 0.69}
    assert about["fingerprints"] == {"val": "val images"}, "by which a pupil knows what it has not seen"
    card = (package / "facade.md").read_text("utf-8")
    assert f"facade.safetensors, {path.stat().st_size:,} bytes" in card
    assert "0.6900 (95% interval over the images 0.6600 to 0.7200)" in card
    assert card.startswith("# facade\n")
    assert "## Limits" in card
    assert set(content(package)) == {"facade.md", "facade.safetensors"}
