"""Plugins: what the command line names is read and nothing else, mistakes are told with their place."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import Command, assert_two_lines, results_of
from fashseg import plugins, register

PLUGIN = """
from dataclasses import dataclass

from fashseg.register import Data, Loss, Model, option, register_data, register_loss, register_model


@dataclass
class Line(Model):
    scale: float = option(1.0, "of the logits", gt=0)


@dataclass
class Dots(Data):
    images: int = 60


@dataclass
class Power(Loss):
    power: float = 1.0


def line(options, shape, classes):
    from .network import Net

    return Net(shape, classes, options.scale)


def describe(options):
    from fashseg.data.info import DataInfo

    return DataInfo("dots", "classification", ("dark", "light"), (1, 4, 4), (127.0,), (80.0,))


def read(options):
    import numpy as np

    labels = np.arange(options.images) % 2
    images = np.broadcast_to(np.uint8(200) * labels[:, None, None, None].astype(np.uint8), (len(labels), 1, 4, 4))
    return (images, labels), (images[:9], labels[:9])


def power(options, ignore):
    from torch.nn.functional import cross_entropy

    return lambda logits, targets: cross_entropy(logits, targets) ** options.power


register_model("line", Line, line, task="classification")
register_data("dots", Dots, task="classification", describe=describe, read=read)
register_loss("power", Power, power)
"""
NETWORK = """
from torch import nn


class Net(nn.Sequential):
    def __init__(self, shape, classes, scale):
        super().__init__(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], classes))
"""
MODEL = "# @package _global_\ndefaults:\n  - override /data@_global_.data: dots\nmodel:\n  name: line\n  scale: 1.0\n"
DATA = (
    "name: dots\nimages: 60\nroot: data\nsplit: random\nval_share: 0.2\nsplit_seed: 0\nresident: auto\nworkers: null\n"
)
LOSS = "name: power\npower: 1.0\n"
USE = "plugins=[own/plugin.py]"
QUICK = ("epochs=2", "batch_size=16", "page=false", "logger=none", "trainer.accelerator=cpu")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """What a test registers is forgotten."""
    yield
    as_in_a_new_process()


def as_in_a_new_process() -> None:
    register.forget(list(register.OWN))
    plugins._folders.clear()
    for name in list(sys.modules):
        if name.startswith(("fashseg_plugins_of_", "own")):
            del sys.modules[name]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A plugin with its network and its choices in ``own``."""
    folder = tmp_path / "own"
    files = {"plugin.py": PLUGIN, "network.py": NETWORK, "conf/model/line.yaml": MODEL, "conf/data/dots.yaml": DATA}
    for name, content in {**files, "conf/loss/power.yaml": LOSS}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_run_of_ones_own_and_what_is_done_with_it(run: Command, own: Path, tmp_path: Path) -> None:
    done = run("train", USE, "model=line", "loss=power", "loss.power=1.5", "hydra.run.dir=r", *QUICK)
    assert done.status == 0, done.err
    results = results_of(tmp_path / "r")
    assert (results["model"], results["data"], results["loss"]) == ("line", "dots", "power")
    assert results["plugins"] == [str(own / "plugin.py")]
    assert run("evaluate", "run=r", USE).status == 0
    as_in_a_new_process()
    shutil.move(own, tmp_path / "moved")
    gone_on = run("train", "resume=r", "epochs=3", "plugins=[moved/plugin.py]")
    assert gone_on.status == 0, gone_on.err
    assert f"goes on with plugins=['{tmp_path / 'moved' / 'plugin.py'}']" in gone_on.out
    assert results_of(tmp_path / "r")["epochs_run"] == 3


def test_without_the_plugin_nothing_is_imported_and_the_way_out_is_told(
    run: Command, own: Path, tmp_path: Path
) -> None:
    """A run folder is data that anybody may have made."""
    assert run("train", USE, "model=line", "hydra.run.dir=r", *QUICK).status == 0
    with (own / "plugin.py").open("a", encoding="utf-8") as file:
        file.write(f"\nopen({str(tmp_path / 'code_was_run')!r}, 'w').close()\n")
    change(tmp_path / "r" / "config.yaml", f"- {own / 'plugin.py'}", f"- {own / 'plugin.py'}\n- own.plugin\n- this")
    as_in_a_new_process()
    for verb, *words in (
        ("evaluate", "run=r"),
        ("report", "run=r", "refresh=true"),
        ("train", "resume=r", "epochs=3"),
        ("compare", "r"),
    ):
        done = run(verb, *words)
        assert not (tmp_path / "code_was_run").exists(), (verb, words)
        assert "this" not in sys.modules
        if verb != "compare":
            assert done.status == 2
            assert f"trained with plugins=[{own / 'plugin.py'},own.plugin,this]" in done.err
            assert "if you trust its code" in done.err
    assert run("evaluate", "run=r", USE).status == 0
    assert (tmp_path / "code_was_run").exists(), "the payload is a real one"


@pytest.mark.usefixtures("own")
def test_a_sweep_and_a_plugin_that_is_a_module(run: Command, tmp_path: Path) -> None:
    words = ["plugins=[own.plugin]", "model=line", "loss=power,focal", "hydra.sweep.dir=s", *QUICK]
    done = run("train", "-m", *words)
    assert done.status == 0, done.err
    assert [results_of(tmp_path / "s" / job)["loss"] for job in "01"] == ["power", "focal"]
    assert results_of(tmp_path / "s" / "0")["plugins"] == ["own.plugin"]


@pytest.mark.usefixtures("own")
def test_every_rank_reads_it(tmp_path: Path) -> None:
    words = [USE, "model=line", "loss=power", "hydra.run.dir=r", "trainer.devices=2", *QUICK[1:], "epochs=1"]
    done = subprocess.run(
        [sys.executable, "-m", "fashseg.train", *words], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert results_of(tmp_path / "r")["status"] == "finished"


def test_an_installed_package_needs_no_option(
    run: Command, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    shutil.move(own, site / "own_dots")
    facts = site / "own_dots-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: own-dots\nVersion: 1.0\n", encoding="utf-8")
    (facts / "entry_points.txt").write_text("[fashseg.plugins]\ndots = own_dots.plugin\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))
    done = run("train", "model=line", "hydra.run.dir=r", *QUICK)
    assert done.status == 0, done.err
    assert results_of(tmp_path / "r")["plugins"] == ["own_dots.plugin"]
    assert run("evaluate", "run=r").status == 0
    as_in_a_new_process()
    with (site / "own_dots" / "plugin.py").open("a", encoding="utf-8") as file:
        file.write("\nraise ValueError('so')\n")
    assert_two_lines(run("train", "model=cnn", "--cfg=job"), "own_dots.plugin", "uninstall own-dots 1.0")


@pytest.mark.usefixtures("own")
def test_options_of_ones_own_are_checked_before_torch_is_there(tmp_path: Path) -> None:
    code = "import sys; from fashseg.train import main; print(main()); print('torch' in sys.modules)"
    for words, part in (
        (["model=line", "model.scale=0"], "greater than 0"),
        (["model=line", "model.scael=1"], "Did you mean model.scale?"),
        (["model=lime"], "Did you mean line?"),
        (["model=segnet", "data=dots"], "classification"),
    ):
        command = [sys.executable, "-c", code, USE, *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.stdout.split() == ["2", "False"], done.stderr
        assert part in done.stderr


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


def test_choices_without_the_plugin(run: Command, own: Path) -> None:
    assert_two_lines(run("train", "--config-dir=own/conf", "model=line", "--cfg=job"), "plugins=[my/plugin.py]")
    (own / "conf" / "experiment").mkdir()
    (own / "conf/experiment/mine.yaml").write_text("# @package _global_\nplugins: [own/plugin.py]\n", encoding="utf-8")
    assert_two_lines(run("train", "--config-dir=own/conf", "experiment=mine"), "stands in a file of choices")


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


def test_help_lists_the_choices_of_plugins(run: Command, own: Path) -> None:
    shown = run("train", USE, "--help")
    assert "line" in shown.out
    assert "power" in shown.out
    more = own.parent / "more" / "loss"
    more.mkdir(parents=True)
    (more / "strong.yaml").write_text("name: power\npower: 3.0\n", encoding="utf-8")
    for word in (f"hydra.searchpath=[file://{more.parent}]", "--config-dir=more"):
        both = run("train", USE, word, "model=line", "loss=strong", "--cfg=job")
        assert "name: line" in both.out, both.err
        assert "power: 3.0" in both.out
