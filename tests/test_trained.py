"""Models as they are used: what is saved comes back, what is not a model is refused, and takes no memory."""

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from amounts import amount, record
from fashseg.checking import check
from fashseg.config import Train
from fashseg.errors import UserError
from fashseg.run import RunFolder
from fashseg.scoring import build_data, predict
from fashseg.trained import Trained, load_trained, read_weights, save_weights

Trainings = Callable[[str], Path]


@pytest.fixture
def saved(trained_once: Trainings, tmp_path: Path) -> Path:
    """The weights of a classifier in a file."""
    path = tmp_path / "mine.safetensors"
    save_weights(path, load_trained(run=str(trained_once("cnn"))).network, {"scores": {"test": 0.5}})
    return path


def images_for(trained: Trained) -> torch.Tensor:
    return torch.randint(256, (3, *trained.info.shape), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def logits_of(trained: Trained) -> torch.Tensor:
    return torch.cat(list(predict(trained.network, images_for(trained), 2)))


@pytest.mark.parametrize("model", ["cnn", "segnet"])
def test_what_is_saved_comes_back(model: str, trained_once: Trainings, tmp_path: Path) -> None:
    ours = load_trained(run=str(trained_once(model)))
    path = tmp_path / "my weights.safetensors"
    about = {"scores": {"test": 0.5}, "licence": "MIT, ${x} ü"}
    save_weights(path, ours.network, about)
    again = load_trained(model=str(path))
    assert torch.equal(logits_of(again), logits_of(ours))
    assert (again.name, again.origin, again.about, again.info) == ("my weights", str(path), about, ours.info)
    assert not again.network.training
    whole = path.stat().st_size
    save_weights(path, ours.network, {}, numbers="float16")
    assert path.stat().st_size < 0.6 * whole
    halved = read_weights(path)
    assert next(halved.network.parameters()).dtype == torch.float32
    assert torch.allclose(logits_of(halved), logits_of(ours), atol=0.02)


@pytest.mark.parametrize("model", ["cnn", "segnet"])
@pytest.mark.parametrize("checkpoint", ["best", "last"])
def test_a_run_predicts_as_it_did(model: str, checkpoint: str, trained_once: Trainings) -> None:
    folder = RunFolder(trained_once(model))
    trained = load_trained(run=str(folder.path), checkpoint=checkpoint)
    assert trained.name == model
    weights = torch.load(folder.checkpoint(checkpoint), weights_only=True)["state_dict"]
    ours = trained.network.model.state_dict()
    assert {f"model.{name}" for name in ours} <= set(weights)
    assert all(torch.equal(value, weights[f"model.{name}"]) for name, value in ours.items())
    if checkpoint == "last":
        return
    run = check(Train, folder.read_config())
    data = build_data(run)
    data.setup()
    part = data.part("test")
    rows = part.indices
    logits = torch.cat(list(predict(trained.network, part.images.index_select(0, rows), 7)))
    right = (logits.argmax(1) == part.targets.index_select(0, rows)).double().mean().item()
    scores = folder.read_results()["test"]
    assert right == pytest.approx(scores["accuracy" if model == "cnn" else "pixel_accuracy"], abs=0.002)


def assert_two_lines(error: UserError) -> None:
    assert len(str(error).splitlines()) == 2


def test_damaged_files_are_refused_or_the_same(saved: Path) -> None:
    whole, expected = saved.read_bytes(), load(saved.read_bytes())
    chance = random.Random(0)
    (length,) = struct.unpack("<Q", whole[:8])
    places = [*range(0, 8 + length, amount(50, 1)), *(chance.randrange(len(whole)) for _ in range(amount(40, 2000)))]
    survived = 0
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        saved.write_bytes(changed if chance.random() < 0.8 else whole[:place])
        try:
            again = read_weights(saved)
        except UserError as error:
            assert_two_lines(error)
            continue
        survived += 1
        assert all(torch.equal(value, expected[name]) for name, value in again.network.model.state_dict().items())
        assert again.about == {"scores": {"test": 0.5}}
    assert survived < len(places) / 2
    record(
        "a file of weights, changed", tried=len(places), survived=len(places), remarks=f"{survived} loaded, unharmed"
    )


@pytest.mark.parametrize(
    "words", [{}, {"run": "r", "model": "m"}, {"model": "fashin"}, {"model": "x.pt"}, {"run": "r"}]
)
def test_wrong_names_are_errors_in_two_lines(words: dict[str, str]) -> None:
    with pytest.raises(UserError) as error:
        load_trained(**words)
    assert len(str(error.value).splitlines()) == 2
