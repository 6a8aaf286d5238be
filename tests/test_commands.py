"""Commands to copy are understood by the shell and by Hydra."""

import shlex

import pytest

from fashseg.commands import command, same_again
from fashseg.composing import parse


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
