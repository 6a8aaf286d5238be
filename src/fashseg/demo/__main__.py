"""A page to try models on pictures: ``python -m fashseg.demo [run=RUN] [model=NAME]``."""

import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from fashseg import cli
from fashseg.checking import check
from fashseg.demo.choosing import check_models, load_models
from fashseg.demo.ports import HOST, claim
from fashseg.errors import UserError
from fashseg.files import in_full
from fashseg.importing import heavy_imports
from fashseg.ranks.options import several
from fashseg.two_lines import failing_in_two_lines
from fashseg.verb_options import Demo

_INSTALL = "Install it: pip install 'fashseg[demo]'."


def prepare(plans: Sequence[Demo], overrides: list[Override], multirun: bool) -> list[str]:
    """Look at options, models and port before torch is imported."""
    del overrides
    if multirun:
        raise UserError("demo makes one page; -m is for train.", "Leave out -m.")
    options = plans[0]
    _check_gradio()
    check_models(options)
    if several(options.trainer):
        raise UserError("demo computes on one device.", "Leave out trainer.devices and trainer.strategy.")
    _check_root(options.root)
    claim(options.port).close()
    return []


def _check_root(root: str | None) -> None:
    """The folder need not be there where nobody has named it."""
    usual = (None, "data", os.environ.get("FASHSEG_DATA"))
    if root not in usual and not in_full("root", str(root)).is_dir():
        raise UserError(f"root={root}: there is no such folder.", "Name one that holds data sets, or leave it out.")


def _check_gradio() -> None:
    """Its version is told without loading it, which takes seconds."""
    try:
        found = version("gradio")
    except PackageNotFoundError:
        raise UserError("the page is made with gradio, which is not installed.", _INSTALL) from None
    if int(found.partition(".")[0]) < 6:
        raise UserError(f"gradio {found} is installed; the page needs 6 or later.", _INSTALL)


def job(composed: DictConfig) -> None:
    """Serve the page until it is interrupted."""
    with failing_in_two_lines(composed.debug):
        _serve(check(Demo, composed))


def _serve(options: Demo) -> None:
    with claim(options.port) as listening, tempfile.TemporaryDirectory(prefix="fashseg_demo_") as name:
        examples_folder, folder = Path(name, "examples"), Path(name, "files")
        for path in (examples_folder, folder):
            path.mkdir()
        _silence(folder)
        with heavy_imports(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what gradio says of its own dependencies is nothing to the reader
            from fashseg.demo.examples import make_examples
            from fashseg.demo.page import Demo as Page
            from fashseg.demo.page import application
            from fashseg.demo.serving import serve
            from fashseg.predicting.work import set_up_process
            from fashseg.summary import console

        models = load_models(options)
        infos = [predictor.info for predictor in models.values()]
        set_up_process("classification" if all(info.task == "classification" for info in infos) else "segmentation")
        examples = make_examples(infos, in_full("root", options.root or "data"), examples_folder)
        screen = console()

        def ready() -> None:
            port = listening.getsockname()[1]
            screen.print(f"page http://{HOST}:{port} of {', '.join(models)}; Ctrl-C ends it")

        serve(application(Page(models, examples, folder)), listening, ready)


def _silence(folder: Path) -> None:
    """Have gradio call nobody, and leave nothing behind; it reads these when it is imported."""
    os.environ |= {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "1",
        "GRADIO_TEMP_DIR": str(folder),
    }
    for setting in ("GRADIO_WATCH_DIRS", "GRADIO_ROOT_PATH", "GRADIO_SHARE", "GRADIO_VIBE_MODE", "GRADIO_DEBUG"):
        os.environ.pop(setting, None)


def main(words: Sequence[str] | None = None) -> int:
    """The command; ``words`` take the place of the command line's."""
    return cli.main(cli.Verb("demo", Demo, job, prepare, renamed={"model": "weights"}), words)


if __name__ == "__main__":
    sys.exit(main())
