"""``logger=wandb``: a run of Weights & Biases."""

import secrets
import shutil
import sys
from pathlib import Path
from typing import Any

from fashseg.config import Logger
from fashseg.text import printable
from fashseg.trackers.secrets import redacted
from fashseg.trackers.tracker import Tracker
from fashseg.trackers.wandb_login import logged_in, wandb_settings

_INIT_SECONDS = 30
_FINISH_SECONDS = 60  # for what is still to be sent; the folder keeps it
# A file of this name is made by wandb itself, at the end of a run that is sent, over whatever is there.
_NAMES = {"config.yaml": "fashseg_config.yaml"}


class WandbRun(Tracker):
    """Options and facts as the configuration, scores, pictures; files as files.

    Args:
        options: of the logger.
        run_name: of the run.
        group: what it is shown with; None where it stands alone.
        folder: of the run, in which wandb keeps its files.
    """

    def __init__(self, options: Logger, run_name: str, group: str | None, folder: Path) -> None:
        super().__init__("Weights & Biases")
        self.options, self.run_name, self.group, self.folder = options, run_name, group, folder
        self.offline = True

    def _open(self, facts: dict[str, str], kept: dict[str, str]) -> None:
        import wandb

        self.kept = {"id": kept.get("id", secrets.token_hex(4))}
        mode = self.options.wandb_mode
        if mode == "online":
            self._init(facts, offline=False)
            return
        try:
            if mode == "auto" and logged_in(verify=True):
                self._init(facts, offline=False)
                return
        except (wandb.errors.Error, OSError) as error:
            reason = redacted(str(error).partition("\n")[0][:300])
            print(printable(f"Weights & Biases: {reason}; the run is kept on disk"), file=sys.stderr)
            wandb.teardown()  # what is left of the attempt has its id
        self._init(facts, offline=True)

    def _init(self, facts: dict[str, str], *, offline: bool) -> None:
        import wandb
        from pytorch_lightning.loggers import WandbLogger

        wandb.setup(wandb_settings())  # else it warns of what Lightning hands it before it has heard of silence
        logger = WandbLogger(
            name=self.run_name,
            save_dir=self.folder,
            id=self.kept["id"],
            project=self.options.project,
            entity=self.options.wandb_entity,
            group=self.group,
            tags=list(self.options.tags),
            notes=facts.get("notes") or None,
            mode="offline" if offline else "online",
            settings=wandb_settings(init_timeout=_INIT_SECONDS, finish_timeout=_FINISH_SECONDS),
        )
        logger.experiment.config.update(
            {name: value for name, value in facts.items() if name != "notes"}, allow_val_change=True
        )
        self.inner, self.offline = logger, offline

    def _log_picture(self, tag: str, pixels: Any, step: int) -> None:
        self.inner.log_image(tag, [pixels], step)

    def _log_files(self, files: list[Path]) -> None:
        kept = Path(self.inner.experiment.dir)
        for path in files:
            # A copy: by itself wandb makes a link, which leads nowhere once the folder is moved.
            copy = shutil.copy(path, kept / _NAMES.get(path.name, path.name))
            self.inner.experiment.save(str(copy), base_path=str(kept), policy="now")

    def _close(self, status: str) -> None:
        self.inner.experiment.summary["status"] = status
        self.inner.experiment.finish(exit_code=0 if status in ("finished", "pruned") else 1)

    def where(self) -> str | None:
        """How an offline run is sent, or its address."""
        if self.inner is None:
            return None
        if self.offline:
            return f"wandb       wandb sync {self.folder / 'wandb'}/offline-run-*"
        return f"wandb       {self.inner.experiment.url}"
