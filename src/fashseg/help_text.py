"""The text of ``--help``, which Hydra itself would take twice as long to put together."""

import string
from pathlib import Path

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from fashseg import option_help as option_help  # fills in the options, for Hydra too

CHOICES = "APP_CONFIG_GROUPS"


def help_text(composed: DictConfig) -> str | None:
    """The help of a verb; None where only Hydra can make it.

    Args:
        composed: with the node ``hydra``, whose ``help.template`` is filled in.
    """
    try:
        template = string.Template(composed.hydra.help.template)
        names = template.get_identifiers()
    except OmegaConfBaseException:
        return None
    folders = [source for source in composed.hydra.runtime.config_sources if source.provider not in ("hydra", "schema")]
    in_code = [name for name in ConfigStore.instance().repo if name != "hydra" and not name.endswith(".yaml")]
    in_files = all(source.schema == "file" for source in folders) and not in_code
    if not (in_files and template.is_valid() and set(names) <= {CHOICES}):
        return None
    return template.substitute({CHOICES: _choices([Path(source.path) for source in folders])})


def _choices(folders: list[Path]) -> str:
    """A line for each group with the names of its files, as Hydra writes it."""
    groups: dict[str, set[str]] = {}
    for folder in folders:
        for file in folder.rglob("*.yaml"):
            group = file.parent.relative_to(folder).as_posix()
            if group != "." and group.partition("/")[0] != "hydra":
                groups.setdefault(group, set()).add(file.stem)
    return "".join(f"{group}: {', '.join(sorted(names))}\n" for group, names in sorted(groups.items()))
