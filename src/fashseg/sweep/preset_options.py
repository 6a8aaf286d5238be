"""From the configuration of a run to a preset that composes to it: choices of groups, and what else differs."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from fashseg import config as cfg
from fashseg.checking import check, free_mappings
from fashseg.command_words import as_additions
from fashseg.composing import compose, parse
from fashseg.errors import UserError
from fashseg.references import escaped
from fashseg.run import flat_options

# How a run is kept, watched and told of; a preset leaves it to who runs it. Code is named on the command line alone.
NOT_KEPT = (
    *("plugins", "resume", "notes", "page", "debug", "callbacks.progress", "trainer.profiler"),
    *("data.root", "data.download", "data.mirrors"),
)
NOT_KEPT_GROUPS = ("logger.",)
ROOT = "data.root"  # kept where the command names it, and of pictures of one's own: another folder is other data


@dataclass(frozen=True)
class Preset:
    """An experiment preset.

    Attributes:
        choices: by group the name that it overrides.
        options: by dotted path its value.
        wanted: every option of the run that it has to come to, by dotted path.
    """

    choices: dict[str, str]
    options: dict[str, Any]
    wanted: dict[str, Any]

    @property
    def text(self) -> str:
        """As YAML, below the line that names its package: groups first, as in the presets of the package."""
        lines = ["defaults:", *(f"  - override /{group}: {_scalar(name)}" for group, name in self.choices.items()), ""]
        tree = _tree(self.options)
        for key in sorted(tree, key=lambda key: not isinstance(tree[key], dict)):
            lines += [_yaml({key: tree[key]}).rstrip("\n"), *([""] if isinstance(tree[key], dict) else [])]
        return "\n".join(lines).rstrip("\n") + "\n"


def composed_of(words: Sequence[str]) -> DictConfig:
    """The configuration of a command, for a trial whose folder is elsewhere."""
    mappings = free_mappings(cfg.Train)
    return compose("train", [as_additions(mappings, word) for word in words])


def preset_of(config: DictConfig, words: Sequence[str]) -> Preset:
    """The preset of a run.

    Args:
        config: its configuration.
        words: those of its command: what they set is in the preset, default or not.

    Raises:
        UserError: the configuration can't be checked, or a choice that it names has no file.
    """
    wanted = _flat(config)
    named = {override.key_or_group for override in parse(words)}
    names = {group: str(wanted[f"{group}.name"]) for group in cfg.CHOICES}
    usual = compose("train", [f"model={names['model']}"])
    chosen = {
        group: name
        for group, name in names.items()
        if group == "model" or group in named or name != OmegaConf.select(usual, f"{group}.name")
    }
    base = compose("train", [f"{group}={name}" for group, name in names.items()])
    if OmegaConf.select(base, ROOT) == "":  # pictures of one's own are nowhere in particular
        named.add(ROOT)
        base.data.root = escaped(wanted[ROOT])
    before = _flat(base)
    options = {
        path: value
        for path, value in wanted.items()
        if _is_kept(path, named) and (path in named or path not in before or not _same(before[path], value))
    }
    for path in _follow_others(base, options, named):
        del options[path]
    return Preset(chosen, options, wanted)


def _follow_others(base: DictConfig, options: dict[str, Any], named: Iterable[str]) -> list[str]:
    """Options that refer to another one, data.split_seed to seed, and come right by themselves."""
    raw = flat_options(OmegaConf.to_container(base, resolve=False))
    references = [
        path for path in options if isinstance(raw.get(path), str) and "${" in raw[path] and path not in named
    ]
    others = {path: value for path, value in options.items() if path not in references}
    base = copy.deepcopy(base)
    OmegaConf.set_struct(base, False)  # free mappings have keys of their own
    merged = OmegaConf.merge(base, OmegaConf.create(escaped(_tree(others))))
    return [path for path in references if _same(OmegaConf.select(merged, path), options[path])]


def disagreement(folder: Path, name: str, preset: Preset) -> str:
    """Compose the preset as it is run by its name.

    Args:
        folder: of choices, with ``experiment/NAME.yaml``.
        name: of the preset.
        preset: what it has to come to.

    Returns:
        the first option that comes out otherwise; empty where none does.
    """
    try:
        found = _flat(compose("train", [f"hydra.searchpath=[file://{folder.absolute()}]", f"experiment={name}"]))
    except UserError as error:
        return error.what
    for path in {**found, **preset.wanted}:
        kept = path in preset.options or _is_kept(path, ())
        if kept and not _same(found.get(path), preset.wanted.get(path)):
            return f"{path} would be {found.get(path)}, not {preset.wanted.get(path)}"
    return ""


def _flat(config: DictConfig) -> dict[str, Any]:
    """Every option, checked and typed, by its dotted path."""
    return flat_options(asdict(check(cfg.Train, config)))


def _is_kept(path: str, named: Iterable[str]) -> bool:
    group, _, option = path.partition(".")
    if group in cfg.CHOICES and option == "name":
        return False  # it comes with the choice
    return (path == ROOT and path in named) or not (path in NOT_KEPT or path.startswith(NOT_KEPT_GROUPS))


def _same(one: Any, other: Any) -> bool:
    """Equal, and both or neither true or false: 1 and 1.0, but not 1 and true."""
    one, other = (list(value) if OmegaConf.is_list(value) else value for value in (one, other))
    return bool(one == other and isinstance(one, bool) is isinstance(other, bool))


def _tree(options: dict[str, Any]) -> dict[str, Any]:
    """Nested dictionaries of dotted paths."""
    tree: dict[str, Any] = {}
    for path, value in options.items():
        *above, leaf = path.split(".")
        node = tree
        for part in above:
            node = node.setdefault(part, {})
        node[leaf] = value
    return tree


def _scalar(name: str) -> str:
    """A name in quotes where YAML needs them."""
    return _yaml([name]).strip()[1:-1]


def _yaml(values: Any) -> str:
    """As OmegaConf writes it, lists on a line; what looks like a reference is text."""
    import yaml
    from omegaconf._utils import get_omega_conf_dumper  # quotes the text 1e-3

    class Dumper(get_omega_conf_dumper()):  # type: ignore[misc]
        """Lists on a line, groups not."""

    Dumper.add_representer(
        list, lambda dumper, items: dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True)
    )
    # Ends of lines that YAML alone takes for such are lost where letters are written as they are.
    odd = any(mark in repr(values) for mark in ("\\x85", "\\u2028", "\\u2029"))
    text: str = yaml.dump(
        escaped(values), Dumper=Dumper, sort_keys=False, allow_unicode=not odd, default_flow_style=False, width=120
    )
    return text
