"""Weights that others have trained: out of a file, out of a hub, and only where a training begins."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from conftest import TINY_CNN, Command, assert_two_lines, results_of
from data.serving import closed_port
from fashseg import config as cfg
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.errors import UserError
from fashseg.models import build_model
from fashseg.models.adapters.beginning import begin, normalisation
from fashseg.tasks.options import task_options
from libraries.published import COMMIT, REPOSITORY, TIMM, hub, needs_smp, needs_timm, weights_of_timm

GREY, COLOUR = (1, 28, 28), (3, 32, 32)
DATA = ((70.0,), (90.0,))


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of huggingface_hub that nothing is in yet."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def timm_options(path: Path, **more: object) -> cfg.Timm:
    options = cfg.Timm(name="timm", architecture=TIMM, weights_file=str(path))
    for name, value in more.items():
        setattr(options, name, value)
    return options


@needs_timm
@pytest.mark.parametrize("shape", [GREY, COLOUR], ids=["grey", "colour"])
def test_a_file_gives_what_timm_itself_gives_of_the_same_pictures(shape: tuple[int, int, int], tmp_path: Path) -> None:
    import timm

    path = tmp_path / "model.safetensors"
    weights_of_timm(path)
    channels = shape[0]
    mean, std = (70.0, 80.0, 90.0)[:channels], (60.0, 61.0, 62.0)[:channels]
    options = timm_options(path)
    network = build_model(options, shape, 1000).eval()
    begin(network, options, shape, 1000, (mean, std))
    overlay = {"file": str(path)}
    reference = timm.create_model(TIMM, pretrained=True, in_chans=channels, pretrained_cfg_overlay=overlay).eval()
    pixels = torch.randint(0, 256, (2, *shape), generator=torch.Generator().manual_seed(0)).float()
    ours = (pixels - torch.tensor(mean).reshape(1, -1, 1, 1)) / torch.tensor(std).reshape(1, -1, 1, 1)
    wanted_mean, wanted_std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in normalisation(options))
    if channels == 1:
        wanted_mean, wanted_std = wanted_mean.mean(1, keepdim=True), wanted_std.mean(1, keepdim=True)
    with torch.no_grad():
        wanted = reference((pixels / 255 - wanted_mean) / wanted_std)
        torch.testing.assert_close(network(ours), wanted, rtol=1e-4, atol=1e-5)
    assert network.initial_weights == {
        "name": "model.safetensors",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


@needs_timm
def test_the_classifier_is_taken_over_for_as_many_classes_and_fresh_for_others(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    state = weights_of_timm(path, classes=4)
    options = timm_options(path, normalisation="data")
    for classes, same in ((4, True), (5, False)):
        network = build_model(options, COLOUR, classes)
        begin(network, options, COLOUR, classes, ((0.0,) * 3, (1.0,) * 3))
        own = network.network.state_dict()
        assert torch.equal(own["blocks.0.0.conv.weight"], state["blocks.0.0.conv.weight"])
        assert (own["classifier.weight"].shape == state["classifier.weight"].shape) == same
        assert not same or torch.equal(own["classifier.weight"], state["classifier.weight"])
        assert network.scale.tolist() == [1.0] * 3, "normalisation=data leaves images as they are"


@needs_timm
def test_a_file_of_something_else_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    options = timm_options(path)

    def refused(shape: tuple[int, int, int] = GREY) -> str:
        with pytest.raises(UserError) as error:
            begin(build_model(options, shape, 10), options, shape, 10, DATA)
        assert "a.safetensors" in error.value.what
        return error.value.what

    state = weights_of_timm(path)
    wrong = state | {"conv_stem.weight": torch.zeros(3)}
    save_file(wrong, path)
    assert "conv_stem.weight" in refused()
    del state["blocks.0.0.conv.weight"]
    save_file(state, path)
    for shape in (GREY, COLOUR):
        assert "blocks.0.0.conv.weight" in refused(shape)
    save_file({"somebody.elses": torch.zeros(3)}, path)
    assert "Missing key" in refused()
    path.write_bytes(b"\x80\x04junk that is no safetensors")
    refused()


@needs_timm
def test_a_file_that_can_not_be_one_is_told_before_anything_starts(run: Command, tmp_path: Path) -> None:
    words = [*TINY_CNN[1:], "model=timm", f"model.architecture={TIMM}"]
    (tmp_path / "folder.safetensors").mkdir()
    for name, part in (
        ("nowhere.safetensors", "no file"),
        ("folder.safetensors", "no file"),
        ("model.pth", "may hold code"),
        ("'~no_such_user_x/a.safetensors'", "there is no such user"),
    ):
        assert_two_lines(run("train", *words, f"model.weights_file={name}"), name.strip("'"), part)
    both = ("model.weights_file=a.safetensors", "model.pretrained=true")
    assert_two_lines(run("train", *words, *both), "model.pretrained=true", "model.weights_file")
    assert not (tmp_path / "outputs").exists()


@needs_timm
@pytest.mark.usefixtures("empty_cache")
def test_weights_that_nobody_gives_are_told_with_their_place(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = closed_port()
    monkeypatch.setenv("HF_ENDPOINT", nobody)
    words = [*TINY_CNN[1:], "model=timm", f"model.architecture={TIMM}", "model.pretrained=true"]
    assert_two_lines(run("train", *words), REPOSITORY, nobody, "does not answer", "model.weights_file", "HF_HOME")
    with hub({}) as (address, _):
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert_two_lines(run("train", *words), REPOSITORY, address, "model.safetensors")


@needs_timm
def test_a_run_fetches_its_weights_once_and_what_uses_it_fetches_nothing(
    run: Command, empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "published.safetensors"
    weights_of_timm(file)
    words = [*TINY_CNN[1:], "model=timm", f"model.architecture={TIMM}", "model.pretrained=true", "epochs=1"]
    with hub({f"{REPOSITORY}/resolve/main/model.safetensors": file.read_bytes()}) as (address, asked):
        monkeypatch.setenv("HF_ENDPOINT", address)
        outcome = run("train", *words, "hydra.run.dir=r")
        assert outcome.status == 0, outcome.err
    assert f"GET {REPOSITORY}/resolve/main/model.safetensors" in asked
    assert list(empty_cache.rglob(f"{COMMIT}/model.safetensors"))
    content = hashlib.sha256(file.read_bytes()).hexdigest()
    assert results_of(tmp_path / "r")["initial_weights"] == {"name": REPOSITORY, "sha256": content}
    # The address is of nobody by now. A second run finds the file in the cache, and the first needs it no more.
    options = cfg.Timm(name="timm", architecture=TIMM, pretrained=True)
    begin(build_model(options, GREY, 10), options, GREY, 10, DATA)
    for path in sorted(empty_cache.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    for command in (["evaluate", "run=r"], ["train", "resume=r", "epochs=2"]):
        outcome = run(*command)
        assert outcome.status == 0, outcome.err
    assert results_of(tmp_path / "r")["initial_weights"] == {"name": REPOSITORY, "sha256": content}
    saved = torch.load(tmp_path / "r" / "checkpoints" / "best.ckpt", weights_only=True)
    assert saved["hyper_parameters"]["options"]["model"]["pretrained"] is True
    assert saved["state_dict"]["model.scale"].item() != 1.0


def test_where_a_file_lay_is_not_told_to_who_gets_the_weights() -> None:
    words = ["model=timm", "data=synthetic_fashion", "model.weights_file=mine.safetensors"]
    kept = task_options(check(cfg.Train, compose("train", words)))["model"]
    assert kept["architecture"] == "resnet18"
    assert kept["weights_file"] is None


@needs_smp
@pytest.mark.parametrize("shape", [(1, 64, 64), (3, 64, 64)], ids=["grey", "colour"])
def test_a_file_gives_an_encoder_of_smp_what_the_library_would(shape: tuple[int, int, int], tmp_path: Path) -> None:
    import segmentation_models_pytorch as smp

    path = tmp_path / "model.safetensors"
    torch.manual_seed(3)
    reference = smp.encoders.get_encoder("mobilenet_v2", weights=None)
    save_file({name: value.contiguous() for name, value in reference.state_dict().items()}, path)
    reference.set_in_channels(shape[0], pretrained=True)
    options = cfg.SMP(name="smp", encoder="mobilenet_v2", weights_file=str(path), options={"decoder_channels": [8] * 5})
    network = build_model(options, shape, 5)
    begin(network, options, shape, 5, ((0.0,) * shape[0], (1.0,) * shape[0]))
    own = network.network.encoder.state_dict()
    assert all(torch.equal(own[name], value) for name, value in reference.state_dict().items())


@needs_smp
def test_an_encoder_of_timm_takes_a_file_of_timm(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    state = weights_of_timm(path)
    options = cfg.SMP(name="smp", encoder=f"tu-{TIMM}", weights_file=str(path), options={"decoder_channels": [8] * 5})
    network = build_model(options, (3, 64, 64), 5)
    begin(network, options, (3, 64, 64), 5, ((0.0,) * 3, (1.0,) * 3))
    own = network.network.encoder.model.state_dict()
    assert len(own) > 50
    assert all(torch.equal(value, state[name]) for name, value in own.items())


@needs_smp
def test_weights_that_an_encoder_does_not_have_are_told(run: Command) -> None:
    words = ["model=smp", "data=synthetic_facade", "data.train_images=10", "data.test_images=3"]
    outcome = run("train", *words, "model.encoder=mobilenet_v2", "model.encoder_weights=imagnet")
    assert_two_lines(outcome, "model.encoder_weights=imagnet", "There are imagenet")
