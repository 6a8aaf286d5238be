"""Commands to copy are understood by the shell and by Hydra."""

import shlex
from pathlib import Path

import pytest

from fashseg.commands import command, same_again
from fashseg.composing import parse
from fashseg.run import RunFolder
from fashseg.summary import print_sweep


@pytest.mark.parametrize(
    "path", ["outputs/cnn/1", "sp a, (é%20)<b>", "it's", "a=b", "back\\slash", "$HOME", "ümlaut", "[1,2]", "~/x", "a#b"]
)
def test_any_path_comes_through(path: str) -> None:
    words = shlex.split(command("report", run=path))
    assert words[:3] == ["python", "-m", "fashseg.report"]
    (override,) = parse(words[3:])
    assert override.value() == path


def test_the_same_run_again_takes_the_last_value_of_each_option() -> None:
    words = ["model=cnn", "epochs=1", "data.root=/home/me", "resume=r", "epochs=5", "notes='a b'"]
    again = same_again(words, ("data.root",))
    assert shlex.split(again) == ["python", "-m", "fashseg.train", "model=cnn", "epochs=5", "notes='a b'"]


def test_arguments_of_a_library_are_shown_as_they_are_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [["model=timm", f"++model.options.drop_rate={value}"] for value in (0, 0.1)]
    assert shlex.split(same_again(words[1]))[3:] == ["model=timm", "model.options.drop_rate=0.1"]
    folders = [RunFolder(tmp_path / str(number)) for number in range(2)]
    for folder, overrides in zip(folders, words, strict=True):
        folder.path.mkdir()
        folder.write_results(status="failed", task="classification", model="timm", overrides=overrides)
    print_sweep(folders)
    assert [line.split()[-4] for line in capsys.readouterr().out.splitlines() if "failed" in line] == [
        "model.options.drop_rate=0",
        "model.options.drop_rate=0.1",
    ]
