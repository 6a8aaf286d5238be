"""Options of networks of other libraries: what is refused before torch is loaded, and files that ask for too much."""

from pathlib import Path

import pytest
import yaml

from conftest import Command, assert_two_lines
from fashseg import extras
from libraries.published import needs_smp, needs_timm

REFUSED = {
    "argument that is taken": (["model.options.num_classes=3"], ["model.options.num_classes is not free"]),
    "weights by the back door": (["model.options.pretrained_cfg={file:/etc/passwd}"], ["pretrained_cfg is not free"]),
    "file by the back door": (["model.options.checkpoint_path=x.pth"], ["checkpoint_path is not free"]),
    "no number": (["model.options.drop_rate=nan"], ["model.options.drop_rate=nan", "finite"]),
    "number without end": (["model.options={depths:[1,100000000]}"], ["model.options.depths=100000000"]),
    "no name": (["model.options.a-b=1"], ["model.options.a-b"]),
    "no mapping": (["model.options=3"], ["model.options=3", "a mapping"]),
    "of another model": (["model=cnn", "model.options.x=1"], ["model.options is no option of model=cnn", "model=timm"]),
    "misspelt": (["model.optoins={}"], ["Did you mean model.options?"]),
}


@pytest.mark.parametrize(("words", "parts"), REFUSED.values(), ids=REFUSED.keys())
def test_what_no_library_is_given(run: Command, tmp_path: Path, words: list[str], parts: list[str]) -> None:
    assert_two_lines(run("train", "model=timm", *words), *parts)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("model", "package"), [("timm", "timm"), ("smp", "segmentation_models_pytorch")])
def test_a_library_that_is_not_installed_is_told(
    run: Command, model: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = extras.importlib.util.find_spec
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None if name == package else there(name))
    data = "synthetic_fashion" if model == "timm" else "synthetic_facade"
    outcome = run("train", f"model={model}", f"data={data}")
    assert_two_lines(outcome, f"model={model} needs {package}", f"fashseg[{model}]")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(
            ["model=timm", "data=synthetic_fashion", "model.architecture=resnet18,resnet19"],
            marks=needs_timm,
            id="timm",
        ),
        pytest.param(
            ["model=smp", "data=synthetic_facade", "model.encoder=resnet18,resnet19"], marks=needs_smp, id="smp"
        ),
    ],
)
def test_a_name_of_a_later_job_is_refused_ahead_of_the_first(run: Command, tmp_path: Path, words: list[str]) -> None:
    assert_two_lines(run("train", "-m", *words), f"{words[2].partition('=')[0]}=resnet19 is no", "resnet18?")
    assert not list(tmp_path.iterdir())


def test_keyword_arguments_are_typed_like_options(run: Command) -> None:
    words = ["model.options.drop_rate=0.25", "+model.options.act_layer=gelu", "model.options={depths:[1,2]}"]
    shown = run("train", "model=timm", *words, "--cfg", "job")
    assert shown.status == 0, shown.err
    wanted = {"drop_rate": 0.25, "act_layer": "gelu", "depths": [1, 2]}
    assert yaml.safe_load(shown.out)["model"]["options"] == wanted
