"""What a search is: its options, its space, what is fixed; and whether two are the same."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fashseg import config as cfg
from fashseg.config import Train
from fashseg.data_place import absolute_places
from fashseg.files import OUTPUTS
from fashseg.run import flat_options
from fashseg.sweep.options import SweepOptions
from fashseg.sweep.space import Dimension
from fashseg.text import listed

FORMAT = 1
# What may differ between two starts of one study: where things lie, and what is shown.
_FREE = (
    *("data.root", "data.resident", "data.workers", "eval_batch_size", "plugins", "notes", "page", "debug"),
    *("logger", "logger.", "checkpoint.", "callbacks.progress"),
)


@dataclass
class Search:
    """A search, checked.

    Attributes:
        options: ``hydra.sweeper.*``.
        space: what is searched, by option or group.
        fixed: the other words of the command, which every trial has.
        plans: checked options of trials at the ends of the space; one at least.
        command: to start it with, as it may be shown.
        study_name: given, or what follows from the rest.
        storage: as `fashseg.sweep.storage.in_full_url` gives it.
        folder: of the sweep.
    """

    options: SweepOptions
    space: dict[str, Dimension]
    fixed: list[str]
    plans: list[Train] = field(default_factory=list)
    command: str = ""
    study_name: str = ""
    storage: str = ""
    folder: Path = field(default_factory=Path)

    @property
    def shown_storage(self) -> str:
        """Without its password."""
        from fashseg.sweep.storage import without_password

        return without_password(self.storage)

    @property
    def epochs(self) -> int:
        """Of a trial, at most."""
        return max((plan.epochs for plan in self.plans), default=1)

    @property
    def identity(self) -> dict[str, Any]:
        """What has to be the same at each start of a study, as plain values."""
        fixed = {}
        for word in self.fixed:
            key, _, value = word.partition("=")
            if not any(key == name or (name.endswith(".") and key.startswith(name)) for name in _FREE):
                fixed[key] = value
        if "experiment" in fixed and self.plans:  # a preset of this name may have other content
            fixed["experiment"] += f" ({self._digest()})"
        return {
            "format": FORMAT,
            "space": {path: found.as_record() for path, found in sorted(self.space.items())},
            "fixed": dict(sorted(fixed.items())),
            "objectives": self.options.objectives,
            "directions": self.options.directions,
        }

    def _digest(self) -> str:
        """What the fixed options come to, in eight digits."""
        searched = [*self.space, *(f"{path}." for path in self.space)]
        values = {
            path: value
            for path, value in flat_options(asdict(self.plans[0])).items()
            if not any(path == name or (name.endswith(".") and path.startswith(name)) for name in (*searched, *_FREE))
        }
        return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:8]

    def default_name(self) -> str:
        """The same for the same search, sampler and pruner included."""
        models = {plan.model.name for plan in self.plans}
        options = self.options
        drawn = [self.identity, options.sampler, options.seed, options.pruner, options.warmup_epochs]
        data = self.plans[0].data
        if isinstance(data, cfg.ImageFolder | cfg.MaskFolder):  # pictures of one's own: another folder is other data
            drawn.append(absolute_places(data))
        digest = hashlib.sha256(json.dumps(drawn, sort_keys=True).encode()).hexdigest()[:8]
        return f"{'models' if len(models) > 1 else models.pop()}_{digest}"

    def default_folder(self) -> Path:
        """Where its runs are, unless ``hydra.sweep.dir`` says otherwise."""
        return OUTPUTS / "sweep" / self.study_name

    def words(self, params: Mapping[str, str]) -> list[str]:
        """The overrides of a trial."""
        return [*self.fixed, *(f"{path}={value}" for path, value in params.items())]


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """In words, what was not as it is now; None where nothing differs."""
    if before.get("format") != now["format"]:
        return "another version of fashseg."
    for name, what in (("space", "space"), ("fixed", "fixed options")):
        old, new = before.get(name), now[name]
        if not isinstance(old, Mapping):
            return f"another {what}."
        keys = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
        if keys:
            return (
                f"another {what}: "
                + listed([f"{key} {_shown(old.get(key))}, now {_shown(new.get(key))}" for key in keys])
                + "."
            )
    for name in ("objectives", "directions"):
        if before.get(name) != now[name]:
            return f"{name} {_shown(before.get(name))}, now {_shown(now[name])}."
    return None


def _shown(value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    if not isinstance(value, Mapping):
        return str(value)
    if value.get("kind") == "choice":
        return f"choice({','.join(value['choices'])})"
    ends = f"{value.get('kind')} from {value.get('low'):g} to {value.get('high'):g}"
    step = f" by {value['step']:g}" if value.get("step") else ""
    return f"{ends}{step}{' (log)' if value.get('log') else ''}"
