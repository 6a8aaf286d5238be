"""What a preset sets of another choice of a group than the one that is made, and the way out. Imports no torch."""

from collections.abc import Callable, Collection, Mapping, Sequence

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from fashseg.config import CHOICES
from fashseg.errors import UserError
from fashseg.option_rules import RefusedValueError


class LeftOverError(UserError):
    """Options of a preset that the chosen choice of their group does not have.

    Args:
        group: such as ``optimizer``.
        chosen: choice of it.
        names: dotted paths of the options.
        others: choices that take all that the preset sets.
    """

    def __init__(self, group: str, chosen: str, names: Sequence[str], others: Sequence[str]) -> None:
        are, them = ("is no option", "it") if len(names) == 1 else ("are no options", "them")
        instead = " or ".join(f"{group}={name}" for name in others)
        self.group, self.chosen, self.names = group, chosen, list(names)
        self.taken_out = " ".join(f"~{name}" for name in names)
        super().__init__(
            f"{' and '.join(names)} {are} of {group}={chosen}, and a preset sets {them}.",
            f"Add {self.taken_out} to take {them} out{f', or choose {instead}' if instead else ''}.",
        )

    def among(self, swept: Mapping[str, Collection[str]], known: Mapping[str, Collection[str]]) -> UserError:
        """The error where several runs are started: what one has to leave out, another may have to have.

        Args:
            swept: names by group that is swept, ``experiment`` too.
            known: choices by option that have it.
        """
        if "experiment" in swept:
            return UserError(self.what, f"Sweep one preset at a time, with {self.taken_out}.")
        having = [name for name in swept.get(self.group, ()) if any(name in known[path] for path in self.names)]
        if not having:
            return self
        apart = ",".join(name for name in swept[self.group] if name not in having)
        needed = " and ".join(path for path in self.names if having[0] in known[path])
        return UserError(
            self.what,
            f"Run {self.group}={apart} by a command of its own, with {self.taken_out}: "
            f"{self.group}={having[0]} has to have {needed}.",
        )


def left_over(
    path: str,
    known: Mapping[str, Sequence[str]],
    choices: Mapping[str, str],
    given: DictConfig,
    is_valid: Callable[[DictConfig], bool],
) -> LeftOverError | None:
    """The error of a preset's options beside another choice; None where an option is unknown for another reason.

    Args:
        path: of the option that was found to be none.
        known: choices by option that have it.
        choices: chosen name by group.
        given: the composed configuration.
        is_valid: whether a configuration can be run.
    """
    group = path.partition(".")[0]
    if not known.get(path) or group not in choices:
        return None
    chosen = choices[group]
    names = _foreign(given, group, known)
    others = []
    for name in known[path]:
        changed = _with_choice(given, group, name, known)
        if not _foreign(changed, group, known) and is_valid(changed):
            others.append(name)
    return LeftOverError(group, chosen, names, others)


def of_preset(
    error: RefusedValueError, overrides: Sequence[Override], composed_of: Callable[[Sequence[str]], DictConfig]
) -> UserError:
    """The error with the name of the preset, where the value is one that it sets; else the error as it is.

    Args:
        error: of a value that the chosen choice of its group does not take.
        overrides: of the command line.
        composed_of: composes the configuration of some words.
    """
    words = {override.key_or_group: override for override in overrides}
    preset = words.get("experiment")
    if preset is None or preset.is_sweep_override() or error.path in words:
        return error
    alone = composed_of([f"experiment={preset.value()}"])
    is_its_own = OmegaConf.select(alone, error.path, throw_on_resolution_failure=False) == error.value
    return error.set_by(str(preset.value())) if is_its_own else error


def _foreign(given: DictConfig, group: str, known: Mapping[str, Sequence[str]]) -> list[str]:
    """Options of other choices of a group than the one that it names."""
    chosen = given[group].name
    return [
        path
        for path, having in known.items()
        if path.startswith(f"{group}.") and chosen not in having and _is_given(given, path)
    ]


def _with_choice(given: DictConfig, group: str, name: str, known: Mapping[str, Sequence[str]]) -> DictConfig:
    """The same with another choice, without the defaults of the one before; it takes its own."""
    changed = given.copy()
    node = changed[group]
    before = OmegaConf.structured(CHOICES[group][node.name])
    node.name = name
    OmegaConf.set_struct(node, False)
    for path in _foreign(changed, group, known):
        option = path.partition(".")[2]
        default, value = (
            OmegaConf.select(options, option, throw_on_resolution_failure=False) for options in (before, node)
        )
        if option in before and value == default:
            del node[option]
    return changed


def _is_given(given: DictConfig, path: str) -> bool:
    above, _, name = path.rpartition(".")
    node = OmegaConf.select(given, above, throw_on_resolution_failure=False)
    return isinstance(node, DictConfig) and name in node.keys()  # noqa: SIM118 - ``in`` alone asks for values
