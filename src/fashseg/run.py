"""The run folder: its paths and its files. Imports no torch."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from fashseg import config as cfg
from fashseg.errors import UserError
from fashseg.files import hold, is_held, write_atomically
from fashseg.ranks.places import here
from fashseg.references import escaped, without_references
from fashseg.untrusted import RefusedError, read_json, read_table, read_yaml

_LARGEST = 1e39  # beyond any float32 is no measurement, and no chart has room for it


def is_first_process() -> bool:
    """Whether this process writes: of those that train together, the one of rank 0 does. Known without torch."""
    return here().rank == 0


class RunFolder:
    """Paths and files of one run.

    Args:
        path: the folder, which need not exist yet.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def config(self) -> Path:
        """The whole composed configuration."""
        return self.path / "config.yaml"

    @property
    def results(self) -> Path:
        """Status, scores, and what was run where."""
        return self.path / "results.json"

    @property
    def metrics(self) -> Path:
        """One row an epoch."""
        return self.path / "metrics.csv"

    @property
    def log(self) -> Path:
        """Everything that was logged, tracebacks too."""
        return self.path / "run.log"

    @property
    def tensorboard(self) -> Path:
        """Event files."""
        return self.path / "tensorboard"

    @property
    def evidence(self) -> Path:
        """Folder of what the page is drawn from: see `fashseg.report.evidence`."""
        return self.path / "evidence"

    @property
    def page(self) -> Path:
        """The page that explains the run."""
        return self.path / "report.html"

    @property
    def figures(self) -> Path:
        """Folder of the pictures of the page, one file each."""
        return self.path / "figures"

    @property
    def checkpoints(self) -> Path:
        """Folder of best.ckpt and last.ckpt."""
        return self.path / "checkpoints"

    def checkpoint(self, name: str) -> Path:
        """``best`` or ``last``."""
        return self.checkpoints / f"{name}.ckpt"

    def require_checkpoint(self, name: str) -> Path:
        """The same, where it is there.

        Raises:
            UserError: no epoch has been trained.
        """
        path = self.checkpoint(name)
        if not path.is_file():
            raise UserError(f"{path} does not exist.", "Name a run that has trained at least one epoch.")
        return path

    def hold(self) -> contextlib.AbstractContextManager[None]:
        """Have the folder to oneself in a block.

        Raises:
            HeldError: another process trains in it.
        """
        return hold(self._lock)

    @property
    def is_live(self) -> bool:
        """Whether a process trains in it."""
        return is_held(self._lock)

    @property
    def _lock(self) -> Path:
        return self.path / ".lock"

    def read_results(self) -> dict[str, Any]:
        """The content of results.json; a run whose process is gone is ``interrupted``, whatever it could still write.

        Raises:
            UserError: where it is missing or no results file.
        """
        try:
            content = read_json(self.results)
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(
                f"{self.results} does not exist: {self.path} is no run folder.", "Name a folder that train has made."
            ) from None
        except (OSError, RefusedError) as error:
            raise UserError(f"{self.results} can't be read: {error}", "Name another run, or run it again.") from error
        if not isinstance(content, dict) or "status" not in content:
            raise UserError(f"{self.results} holds no results of a run.", "Name another run, or run it again.")
        if content["status"] == "running" and not self.is_live:
            content["status"] = "interrupted"
        return content

    def read_metrics(self) -> list[dict[str, float | None]]:
        """The rows of metrics.csv; empty cells, and those that hold no number or a huge one, are None.

        Raises:
            OSError: it is missing or can't be read.
            ValueError: it is no table.
        """
        rows = [{key: _number(text) for key, text in row.items()} for row in read_table(self.metrics)]
        return [{k: v if v is not None and abs(v) <= _LARGEST else None for k, v in row.items()} for row in rows]

    def read_options(self) -> dict[str, Any]:
        """Every option of the run by its dotted path.

        Raises:
            UserError: config.yaml is missing or no YAML.
        """
        config = self.read_config()
        flat = flat_options(OmegaConf.to_container(config, resolve=False))
        return {path: _resolved(config, path, value) for path, value in flat.items()}

    def write_results(self, **values: Any) -> None:
        """Replace results.json as a whole: it is complete at any moment."""
        if is_first_process():
            write_atomically(self.results, json.dumps(values, indent=2, ensure_ascii=False) + "\n")

    def update_results(self, **values: Any) -> None:
        """Change some of its entries."""
        self.write_results(**{**self.read_results(), **values})

    def discard(self) -> None:
        """Take back what a run wrote before it began to train; the folder too, where it holds nothing else."""
        if not is_first_process():
            return
        for path in (self.results, self.config, self.log, self.path / "trackers.json", self._lock):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def read_config(self) -> DictConfig:
        """The configuration of the run, unchecked.

        Raises:
            UserError: where it is missing or no YAML.
        """
        try:
            content = read_yaml(self.config)
            whole = {**cfg.BEFORE, **without_references(content)} if isinstance(content, dict) else None
            composed = OmegaConf.create(whole) if whole is not None else None
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(
                f"{self.config} does not exist: {self.path} is no run folder.", "Name a folder that train has made."
            ) from None
        except Exception as error:
            raise UserError(f"{self.config} can't be read: {error}", "Name another run, or start a new one.") from error
        if not isinstance(composed, DictConfig):
            raise UserError(f"{self.config} holds no configuration.", "Name another run, or start a new one.")
        return composed

    def write_config(self, values: DictConfig) -> None:
        """Every value resolved, so that it means the same on another machine; what looks like a reference is text."""
        if is_first_process():
            write_atomically(self.config, _as_yaml(escaped(OmegaConf.to_container(values, resolve=True))))


def flat_options(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Values of nested dictionaries by their dotted paths."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= flat_options(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _resolved(config: DictConfig, path: str, value: Any) -> Any:
    """Train writes values, but files are edited: what refers to another value is looked up, or stays as it is."""
    if not isinstance(value, str) or "${" not in value:
        return value
    found = OmegaConf.select(config, path, throw_on_resolution_failure=False)
    return value if found is None or OmegaConf.is_config(found) else found


def _as_yaml(values: Any) -> str:
    """As OmegaConf writes it, which loses those ends of lines that YAML alone takes for such."""
    import yaml
    from omegaconf._utils import get_omega_conf_dumper  # quotes the text 1e-3

    def dumped(unicode: bool) -> str:
        text = yaml.dump(
            values, default_flow_style=False, allow_unicode=unicode, sort_keys=False, Dumper=get_omega_conf_dumper()
        )
        return str(text)

    text = dumped(unicode=True)
    return dumped(unicode=False) if re.search("[\x85\u2028\u2029]", text) else text


def _number(text: Any) -> float | None:
    try:
        return float(text) if text else None
    except (TypeError, ValueError):
        return None
