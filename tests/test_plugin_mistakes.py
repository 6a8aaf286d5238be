"""Mistakes with plugins and in them are told with their place, before anything is trained."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import Command, assert_two_lines
from own_plugin import QUICK, USE, as_in_a_new_process, change, write_plugin


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """A plugin with its network and its choices in ``own``; what it registers is forgotten."""
    yield write_plugin(tmp_path / "own")
    as_in_a_new_process()


GIVEN = {
    "no such file": ("plugins=[own/nothing.py]", "there is no file"),
    "a folder": ("plugins=[own/conf/]", "there is no file"),
    "no such module": ("plugins=[own.nothing]", "there is no module own.nothing"),
    "no name": ("plugins=['']", "no name of a module"),
    "no list": ("plugins=own/plugin.py", "Write plugins=[my/plugin.py]"),
    "a sweep of plugins": ("plugins=[own/plugin.py],[own/other.py]", "plugins is a list"),
    "numbers": ("plugins=[1]", "plugins is a list"),
    "of nobody": ("plugins=['~no_such_user_x/p.py']", "no such user"),
    "with a plus": ("+plugins=[own/plugin.py]", "without the +"),
    "a name with a NUL": ("plugins=['a\0.py']", "plugins="),
    "nothing registered": ("plugins=[own/network.py]", "registers nothing"),
    "twice by two names": ("plugins=[own/plugin.py,own.plugin]", "is taken"),
}


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(("word", "part"), GIVEN.values(), ids=GIVEN)
def test_plugins_that_are_none(run: Command, word: str, part: str) -> None:
    assert_two_lines(run("train", word, "--cfg=job"), part)


WRITTEN: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "error": (lambda own: change(own / "plugin.py", "def line", "1 / 0\n\n\ndef line"), "line 22", "ZeroDivisionError"),
    "no Python": (lambda own: change(own / "plugin.py", "class Line(", "class Line["), "line 8", "SyntaxError"),
    "exit": (lambda own: change(own / "plugin.py", "def line", "exit()\n\n\ndef line"), "line 22", "SystemExit"),
    "taken": (
        lambda own: change(own / "plugin.py", '"line", L', '"cnn", L'),
        "plugin.py, line",
        "taken: fashseg has it",
    ),
    "no name": (lambda own: change(own / "plugin.py", '"line", L', '"a/b", L'), "plugin.py, line", "letters, digits"),
    "task": (
        lambda own: change(own / "plugin.py", 'line, task="class', 'line, task="x'),
        "plugin.py, line",
        "segmentation",
    ),
    "no dataclass": (
        lambda own: change(own / "plugin.py", "@dataclass\nclass Line", "class Line"),
        "plugin.py, line",
        "Write @dataclass above class Line",
    ),
    "no options": (
        lambda own: change(own / "plugin.py", '"line", Line', '"line", Power'),
        "plugin.py, line",
        "extend Model",
    ),
    "type": (
        lambda own: change(own / "plugin.py", "images: int = 60", "images: object = 60"),
        "plugin.py, line",
        "type",
    ),
    "no YAML": (lambda own: (own / "conf/model/line.yaml").unlink(), "has model/line.yaml", "conf/model/line.yaml"),
    "no name in YAML": (lambda own: change(own / "conf/model/line.yaml", "  name: line\n", ""), "model.name", "name:"),
    "plugins in YAML": (
        lambda own: change(own / "conf/loss/power.yaml", "name: power", "# @package _global_\nplugins: [a]\n#"),
        "loss",
        "",
    ),
}


@pytest.mark.parametrize(("break_it", "part", "other"), WRITTEN.values(), ids=WRITTEN)
def test_mistakes_in_a_plugin(run: Command, own: Path, break_it: Callable[[Path], None], part: str, other: str) -> None:
    break_it(own)
    assert_two_lines(run("train", USE, "model=line", "loss=power", "--cfg=job"), part, other)


LATE: dict[str, tuple[str, str, str, str]] = {
    "shape": ("network.py", ", classes)", ", 7)", "it gave (2, 7)"),
    "layer": ("network.py", "shape[2], classes", "3, classes", "cannot be multiplied"),
    "no network": ("plugin.py", "return Net(shape, classes, options.scale)", "return 3", "gave int"),
    "loss of a batch": (
        "plugin.py",
        "(logits, targets) **",
        "(logits, targets, reduction='none') **",
        "not one number",
    ),
    "facts": ("plugin.py", "(127.0,)", "(127.0, 3.0)", "for 1 channels"),
    "images": ("plugin.py", "(images, labels), (", "(images / 255, labels), (", "float64 (60, 1, 4, 4)"),
    "labels": ("plugin.py", "np.arange(options.images) % 2", "np.arange(options.images) % 3", "has the value 2"),
    "read": ("plugin.py", "    labels = np", "    labels = nq", "plugin.py, line 37"),
}


@pytest.mark.parametrize(("name", "old", "new", "part"), LATE.values(), ids=LATE)
def test_mistakes_in_the_parts_are_found_before_training(
    run: Command, own: Path, tmp_path: Path, name: str, old: str, new: str, part: str
) -> None:
    change(own / name, old, new)
    done = run("train", USE, "model=line", "loss=power", "hydra.run.dir=r", *QUICK)
    assert_two_lines(done, part)
    assert not (tmp_path / "r").exists()
