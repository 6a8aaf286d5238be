"""What a preset sets for one model or optimizer and another one is trained with, told ahead. Imports no torch."""

from collections.abc import Callable, Collection, Iterator, Sequence

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from fashseg.checking import option_paths
from fashseg.composing import sweep_values
from fashseg.config import Train
from fashseg.errors import UserError
from fashseg.text import shown_option

# Whose numbers are of one choice: a learning rate of sgd is another one for adamw.
GROUPS = ("model", "optimizer")
PRESET = "experiment"
MOST_TOLD = 8


def kept_values(
    overrides: Sequence[Override], composer: Callable[[Sequence[str]], DictConfig], searched: Collection[str] = ()
) -> list[str]:
    """A line for each choice of the command line that takes over values of the preset's own one.

    Args:
        overrides: of the command line, checked.
        composer: from words to options.
        searched: options of a search, of which a file may have named some.
    """
    named = {override.key_or_group: override for override in overrides}
    if PRESET not in named or "resume" in named or not any(group in named for group in GROUPS):
        return []
    try:
        pairs = [
            (preset, group, name)
            for preset in _words(named[PRESET])
            for group in GROUPS
            if group in named
            for name in _words(named[group])
        ]
        return [line for pair in pairs[:MOST_TOLD] for line in _line(*pair, {*named, *searched}, composer)]
    except UserError:
        return []  # of a combination that none of the runs has


def _words(override: Override) -> list[str]:
    if override.is_sweep_override():
        return [f"{override.key_or_group}={value}" for value in sweep_values(override)]
    return [str(override.input_line)]


def _line(
    preset: str, group: str, word: str, given: set[str], composer: Callable[[Sequence[str]], DictConfig]
) -> Iterator[str]:
    before, now = composer([preset]), composer([preset, word])
    if before[group].name == now[group].name:
        return
    usual = composer([f"model={now.model.name}", word] if group != "model" else [word])
    paths = [path for path in option_paths(Train, {group: now[group].name}) if path.startswith(f"{group}.")]
    kept = {
        path: OmegaConf.select(now, path)
        for path in paths
        if path not in given and OmegaConf.select(now, path) != OmegaConf.select(usual, path)
    }
    if kept:
        values = " ".join(f"{path}={shown_option(value).replace(' ', '')}" for path, value in kept.items())
        yield f"{word} is trained with {values}, which {preset} sets for {group}={before[group].name}"
