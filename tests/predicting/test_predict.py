"""The verb: pictures in, tables, sheets, masks and overlays out, and nothing of the user's is touched."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import Command, assert_two_lines
from data.tiny import tree, write_png_header
from fashseg.data.info import UInt8Array
from fashseg.predicting.fitting import size_seen
from fashseg.predicting.predictor import Predictor
from fashseg.trained import load_trained

Trained = Callable[[str], Path]


def picture(height: int = 40, width: int = 60, seed: int = 0) -> Image.Image:
    """Blurred noise in colour."""
    small = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def kinds_of_pixels(folder: Path) -> None:
    """One picture in all ways that files keep it."""
    image = picture(120, 90)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.rotate(90, expand=True).save(folder / "turned.jpg", quality=95, exif=exif)
    image.save(folder / "plain.png")
    image.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    image.convert("RGBA").save(folder / "opaque.png")
    image.quantize(200).save(folder / "palette.gif")
    image.convert("L").save(folder / "grey.png")
    image.convert("LA").save(folder / "grey_opaque.png")
    Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257).save(folder / "deep.png")
    image.convert("1").save(folder / "two_levels.png")
    image.save(folder / "moving.webp", save_all=True, append_images=[image.rotate(180)], lossless=True)


def test_every_kind_of_pixels_gives_a_mask_of_its_size(run: Command, trained_once: Trained, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    kinds_of_pixels(tmp_path / "in")
    before = tree(tmp_path / "in")
    outcome = run("predict", f"run={trained_once('segnet')}", "input=in", "output=out")
    assert outcome.status == 0, outcome.err
    assert tree(tmp_path / "in") == before
    content = json.loads((tmp_path / "out/predictions.json").read_text(encoding="utf-8"))
    assert len(content["pictures"]) == 10
    masks = {}
    for row in content["pictures"]:
        with Image.open(tmp_path / "out" / row["mask"]) as mask, Image.open(tmp_path / "out" / row["overlay"]) as over:
            assert mask.size == over.size == (row["width"], row["height"]) == (90, 120)
            assert mask.mode == "P"
            masks[Path(row["path"]).name] = np.asarray(mask)
        assert abs(sum(row["shares"].values()) - 1) < 1e-5
    for group in (("plain.png", "opaque.png", "moving.webp"), ("grey.png", "grey_opaque.png", "deep.png")):
        assert all((masks[name] == masks[group[0]]).all() for name in group)
    for name in ("turned.jpg", "palette.gif"):
        assert (masks[name] == masks["plain.png"]).mean() > 0.8, name
    assert [row["path"] for row in rows(tmp_path / "out/predictions.csv")] == [r["path"] for r in content["pictures"]]


def test_at_its_own_size_a_mask_is_what_the_network_says(trained_once: Trained) -> None:
    predictor = Predictor(load_trained(run=str(trained_once("segnet"))))
    pixels: UInt8Array = np.asarray(picture(64, 96))
    with torch.inference_mode():
        expected = predictor.network(torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy())).argmax(1)[0]
    assert (predictor.segment(pixels, short_side="native").mask == expected.numpy()).all()
    odd = predictor.segment(pixels[:63, :95], short_side="native")
    assert odd.mask.shape == (63, 95)
    assert (odd.mask[:50, :80] == expected.numpy()[:50, :80]).all()
    mirrored = predictor.segment(pixels[:, ::-1].copy(), tta=True).mask[:, ::-1]
    assert (mirrored == predictor.segment(pixels, tta=True).mask).mean() > 0.98


@pytest.mark.parametrize(("size", "scaled"), [((100, 80), (358, 286)), ((600, 900), (286, 429)), ((286, 300), None)])
def test_pictures_are_brought_to_the_scale_of_training(
    size: tuple[int, int], scaled: tuple[int, int] | None, trained_once: Trained
) -> None:
    predictor = Predictor(load_trained(run=str(trained_once("segnet"))))
    found = predictor.segment(picture(*size))
    assert found.scaled == (scaled or size)
    assert found.mask.shape == size


def test_a_line_is_not_enlarged_without_end(trained_once: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Predictor(load_trained(run=str(trained_once("segnet"))))
    height, width = size_seen((1, 100_000), predictor.info)
    assert height * width < 1.1 * 2**22
    monkeypatch.setattr("fashseg.predicting.fitting.MOST_ENLARGED", 2**16)
    assert predictor.segment(np.zeros((1, 3000), np.uint8)).mask.shape == (1, 3000)


PEAK = """
import sys
from fashseg.predict import main
peaks = []
for name, side in (("small.jpg", "auto"), ("large.jpg", "auto"), ("large.jpg", "native")):
    assert main([sys.argv[1], f"short_side={side}", f"input={name}", f"output={name}.{side}"]) == 0
    # Not ru_maxrss, which a process has from the one that started it.
    status = open("/proc/self/status").read()
    peaks.append(int(status.partition("VmHWM:")[2].split()[0]))
assert not {"torch._dynamo", "sympy", "lightning", "matplotlib"} & set(sys.modules)
print("MORE", (peaks[1] - peaks[0]) // 1024, (peaks[2] - peaks[0]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux counts it")
def test_a_large_photograph_takes_little_memory(trained_once: Trained, tmp_path: Path) -> None:
    """3,000×2,000 pixels, a quarter of what a camera takes: 24 MB as Pillow has them; their logits would be 120 MB.

    Nor is anything imported that masks have no use for, which takes as much: PyTorch's compiler alone 150 MB.
    """
    picture(200, 300).save(tmp_path / "small.jpg")
    picture(2000, 3000).save(tmp_path / "large.jpg")
    command = [sys.executable, "-c", PEAK, f"run={trained_once('segnet')}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True)
    scaled, native = map(int, done.stdout.rpartition("MORE ")[2].split())
    print("more than a small picture:", scaled, native)
    assert scaled < 100
    assert native < 190


def test_classes_are_told_in_tables_and_on_a_sheet(run: Command, trained_once: Trained, tmp_path: Path) -> None:
    (tmp_path / "in/deeper").mkdir(parents=True)
    for number in range(3):
        picture(seed=number).save(tmp_path / f"in/{number}.png")
    picture(28, 28).convert("L").save(tmp_path / "in/deeper/0.png")
    (tmp_path / "in/notes.txt").write_text("x", encoding="utf-8")
    (tmp_path / "in/.hidden.png").write_text("x", encoding="utf-8")
    outcome = run("predict", f"run={trained_once('cnn')}", "input=in", "output=out", "top=2")
    assert outcome.status == 0, outcome.err
    assert "1 file left alone" in outcome.out
    assert "1 taken as they are" in outcome.out
    table = rows(tmp_path / "out/predictions.csv")
    assert [Path(row["path"]).parts[1:] for row in table] == [("0.png",), ("1.png",), ("2.png",), ("deeper", "0.png")]
    content = json.loads((tmp_path / "out/predictions.json").read_text(encoding="utf-8"))
    predictor = Predictor(load_trained(run=str(trained_once("cnn"))))
    again = predictor.classify([tmp_path / row["path"] for row in table])
    for row, entry, chances in zip(table, content["pictures"], again.probabilities, strict=True):
        assert row["label"] == predictor.info.class_names[chances.argmax()]
        assert float(row["probability"]) == entry["probability"] == pytest.approx(chances.max(), abs=1e-5)
        assert list(entry["probabilities"].values()) == pytest.approx(chances.tolist(), abs=1e-5)
        assert float(row["probability_2"]) <= float(row["probability"])
        assert "label_3" not in row
    with Image.open(tmp_path / "out/contact_sheet.png") as sheet:
        assert sheet.width > 4 * 150


def test_a_name_of_several_lines_takes_one(run: Command, finished: Path, tmp_path: Path) -> None:
    picture().save("a\nb\tc.png")
    outcome = run("predict", f"run={finished}", "input=*.png", "output=out")
    assert outcome.status == 0, outcome.err
    assert "a\\nb\\tc.png" in outcome.out
    assert len((tmp_path / "out/predictions.csv").read_text(encoding="utf-8").splitlines()) == 2
    assert not [path for path in (tmp_path / "out").rglob("*") if "\n" in path.name]


def test_what_cannot_be_read_costs_nothing_else(
    run: Command, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture().save("good.png")
    Path("a.jpg").write_text("no picture", encoding="utf-8")
    Path("b.png").write_bytes(b"")
    Path("c.png").write_bytes(Path("good.png").read_bytes()[:-300])
    write_png_header(Path("d.png"), 60_000)
    Path("e\x1b[31m[bold].png").write_bytes(b"")
    Path("f.png").symlink_to("nowhere")
    outcome = run("predict", f"run={finished}", "input=*.*g", "output=out")
    assert outcome.status == 1
    assert outcome.err.startswith("error: 6 pictures could not be read")
    assert "e\\x1b[31m[bold].png is empty" in outcome.out
    assert "more than 250,000,000" in outcome.out
    assert "\x1b" not in outcome.out
    content = json.loads((tmp_path / "out/predictions.json").read_text(encoding="utf-8"))
    assert [row["path"] for row in content["pictures"]] == ["good.png"]
    assert len(content["unreadable"]) == 6
    assert_two_lines(run("predict", f"run={finished}", "a.jpg", "b.png"), "a.jpg is no picture", "1 other")
    lines = b"good.png\nmissing.png\n\n*\0?.png\n"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines)))
    outcome = run("predict", f"run={finished}", "input=-")
    assert outcome.status == 1
    assert "missing.png does not exist" in outcome.out
    assert len(list(Path("predictions").glob("*/predictions.csv"))) == 1


def test_equal_names_get_masks_of_their_own(run: Command, trained_once: Trained, tmp_path: Path) -> None:
    for number, name in enumerate(("a/x.png", "a/x.jpg", "b/x.png", "b/X.webp", "b/x_2.png")):
        Path(name).parent.mkdir(exist_ok=True)
        picture(40 + number, 60).save(name)
    word = "it's (1), [b]=$.png"
    picture(50, 60).save(word)
    outcome = run("predict", f"run={trained_once('segnet')}", "a", "b", word, "output=o")
    assert outcome.status == 0, outcome.err
    content = json.loads((tmp_path / "o/predictions.json").read_text(encoding="utf-8"))
    assert len({row["mask"].casefold() for row in content["pictures"]}) == 6
    for row in content["pictures"]:
        with Image.open(tmp_path / "o" / row["mask"]) as mask:
            assert mask.height == row["height"]
    again = run("predict", f"run={trained_once('segnet')}", "input=.", "output=again")
    assert again.status == 0, again.err
    assert len(rows(tmp_path / "again/predictions.csv")) == 6  # masks and overlays of before are no pictures
