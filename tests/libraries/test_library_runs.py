"""model=timm and model=smp: they train, and what is trained is scored, shown, used and exported like any other."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from conftest import TINY_CNN, TINY_SEGNET, Command, assert_two_lines, page_of, results_of
from fashseg import config as cfg
from fashseg.models import build_model
from libraries.published import needs_smp, needs_timm

TIMM = (*TINY_CNN[1:], "model=timm", "model.architecture=test_vit", "model.options.patch_size=4", "epochs=1")
SMP = (
    *(*TINY_SEGNET[1:], "model=smp", "model.encoder=tu-test_efficientnet", "epochs=1", "batch_size=4"),
    "model.options={encoder_depth:4,decoder_channels:[16,16,8,8]}",
)


def use(run: Command, tmp_path: Path, *commands: tuple[str, ...]) -> None:
    """Do with a run what one does with it, on a picture of another size."""
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 190, 3), np.uint8)).save(tmp_path / "picture.png")
    for command in commands:
        outcome = run(*command)
        assert outcome.status == 0, (command, outcome.err)
    evaluated = json.loads((tmp_path / "r" / "evaluate_test_best.json").read_text(encoding="utf-8"))
    results = results_of(tmp_path / "r")
    assert evaluated["test"]["loss"] == results["test"]["loss"]
    assert results["initial_weights"] is None
    torch.load(tmp_path / "r" / "checkpoints" / "best.ckpt", weights_only=True)


@needs_timm
def test_a_transformer_of_timm_is_a_classifier_like_any_other(run: Command, tmp_path: Path) -> None:
    use(
        run,
        tmp_path,
        ("train", *TIMM, "page=true", "hydra.run.dir=r"),
        ("evaluate", "run=r"),
        ("predict", "run=r", "input=picture.png", "output=labels"),
        ("export", "run=r", "format=safetensors"),
        ("predict", "model=r/export/timm.safetensors", "input=picture.png", "output=again"),
    )
    first, again = ((tmp_path / name / "predictions.csv").read_bytes() for name in ("labels", "again"))
    assert first == again
    page = page_of(tmp_path / "r")
    assert "LayerNorm((64,)" in page
    assert "elsewhere in the network" in page, "the embedding of positions belongs to no layer"
    assert f"{results_of(tmp_path / 'r')['parameters']:,}" in page
    # Such a folder may come from anybody.
    path = tmp_path / "r" / "config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    for options, part in (
        ({"patch_size": 4, "depth": 60_000}, "far more layers"),
        ({"patch_size": 4, "pretrained_cfg": {"file": "/etc/passwd"}}, "pretrained_cfg is not free"),
    ):
        config["model"]["options"] = options
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        assert_two_lines(run("evaluate", "run=r"), part)


@needs_smp
def test_a_network_of_smp_is_a_segmenter_like_any_other(run: Command, tmp_path: Path) -> None:
    use(
        run,
        tmp_path,
        ("train", *SMP, "trainer.steps_per_call=1", "hydra.run.dir=r"),
        ("evaluate", "run=r"),
        ("predict", "run=r", "input=picture.png", "output=labels"),
        ("export", "run=r", "format=onnx"),
    )
    with Image.open(tmp_path / "labels" / "masks" / "picture.png") as mask:
        assert mask.size == (190, 200)


@needs_timm
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 40, 48)], ids=["grey", "colour"])
@pytest.mark.parametrize("side", [None, 64])
def test_channels_and_sides_of_the_data(shape: tuple[int, int, int], side: int | None) -> None:
    for name, options in (("test_resnet", {}), ("test_vit", {"patch_size": 4})):
        choice = cfg.Timm(name="timm", architecture=name, image_size=side, options=options)
        assert build_model(choice, shape, 7).eval()(torch.zeros(2, *shape)).shape == (2, 7)


@needs_smp
def test_sides_that_no_level_of_the_network_divides_are_refused() -> None:
    choice = cfg.SMP(name="smp", encoder="tu-test_resnet", options={"decoder_channels": [8] * 5})
    assert build_model(choice, (3, 64, 96), 5).eval()(torch.zeros(1, 3, 64, 96)).shape == (1, 5, 64, 96)
    with pytest.raises(ValueError, match="multiples of 32"):
        build_model(choice, (3, 64, 80), 5)


TOLD = {
    "unknown network": (["model.architecture=resnet81"], ["model.architecture=resnet81", "Did you mean resnet"]),
    "unknown weights": (["model.architecture=resnet18.a9_in1k"], ["no weights by the tag a9_in1k", "a1_in1k"]),
    "network of a hub": (["model.architecture='hf-hub:a/b'"], ["hf-hub:a/b is no network of timm"]),
    "network of a folder": (["model.architecture='local-dir:/tmp'"], ["local-dir:/tmp is no network of timm"]),
    "unknown argument": (["model.architecture=test_resnet", "model.options.foo=3"], ["'foo'", "model.options"]),
    "argument of the wrong kind": (
        ["model.architecture=test_vit", "model.options={patch_size:4,depth:-x}"],
        ["model=timm: test_vit can't be built"],
    ),
    "argument out of range": (
        ["model.architecture=test_resnet", "model.options.drop_rate=7"],
        ["with model.options.drop_rate=7: ", "between 0 and 1", "Change or leave out model.options.drop_rate"],
    ),
    "patches beyond the image": (["model.architecture=test_vit"], ["16×16", "28×28", "model.options.patch_size"]),
    "image too small": (["model.architecture=densenet121"], ["does not take the images of data=synthetic_fashion"]),
}


@needs_timm
@pytest.mark.parametrize(("words", "parts"), TOLD.values(), ids=TOLD.keys())
def test_what_timm_does_not_do_is_told_before_training(
    run: Command, tmp_path: Path, words: list[str], parts: list[str]
) -> None:
    assert_two_lines(run("train", *TINY_CNN[1:], "model=timm", *words), *parts)
    assert not list(tmp_path.rglob("config.yaml"))


@needs_smp
@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["model.architecture=unett"], ["model.architecture=unett", "Did you mean unet?"]),
        (["model.encoder=resnet81"], ["model.encoder=resnet81", "Did you mean resnet"]),
        (["model.encoder=tu-resnet17"], ["model.encoder=tu-resnet17", "Did you mean tu-resnet18?"]),
        (["model.options.foo=3"], ["model.options.foo is no argument of unet", "There are encoder_depth, decoder_"]),
        (["model.options.encoder_nam=3"], ["model.options.encoder_nam", "There are encoder_depth"]),
        (["model.options.encoder_depht=3"], ["Did you mean encoder_depth?"]),
        (["model.architecture=dpt"], ["model=smp", "tu-"]),
    ],
)
def test_what_smp_does_not_do_is_told_before_training(run: Command, words: list[str], parts: list[str]) -> None:
    assert_two_lines(run("train", *TINY_SEGNET[1:], "model=smp", *words), *parts)


@needs_timm
def test_a_tag_without_its_weights_is_said(run: Command, tmp_path: Path) -> None:
    words = (*TINY_CNN[1:], "model=timm", "model.architecture=test_resnet.r160_in1k", "epochs=1", "hydra.run.dir=r")
    outcome = run("train", *words)
    assert outcome.status == 0, outcome.err
    said = "model.architecture=test_resnet.r160_in1k begins with fresh weights"
    assert f"{said}: those of r160_in1k come with model.pretrained=true" in outcome.out
    assert said in (tmp_path / "r" / "run.log").read_text(encoding="utf-8")
    assert said not in run("train", "resume=r", "epochs=2").out


@needs_timm
def test_a_network_that_ends_with_a_pixel_is_trained_on_two_images_or_more(run: Command, tmp_path: Path) -> None:
    # 271 images are trained on: the one that two batches leave joins the second of them.
    words = (*TINY_CNN[1:], "model=timm", "model.architecture=test_resnet", "epochs=1", "data.val_share=0.1")
    outcome = run("train", *words, "data.train_images=301", "batch_size=135", "hydra.run.dir=r")
    assert outcome.status == 0, outcome.err
    assert results_of(tmp_path / "r")["images"]["train"] == 271
    alone = run("train", *words, "batch_size=1")
    assert alone.status == 1
    assert "Set batch_size to 2 or more" in alone.err
