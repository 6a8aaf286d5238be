"""What Hydra composes once for a whole sweep: without the groups that are swept, and so without their choices' options.

An option that only some choices of a group have would meet the default choice there. It is left to the jobs, each of
which is composed, and checked, with its own choice.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from hydra.core.override_parser.types import Override, OverrideType

from fashseg.errors import UserError

SWEEPER = "hydra.sweeper."


def without_space(overrides: Iterable[Override], known: Mapping[str, Sequence[str]]) -> list[str]:
    """The words that can be composed before the sweeper is known.

    Args:
        overrides: of the command line.
        known: all options, as `fashseg.checking.option_paths` gives them.

    Returns:
        Those that are no sweep, no option of the sweeper, and no option of a choice.
    """
    return [
        str(o.input_line)
        for o in overrides
        if not (o.is_sweep_override() or o.key_or_group.startswith(SWEEPER) or known.get(o.key_or_group))
    ]


def left_to_jobs(
    overrides: Sequence[Override], known: Mapping[str, Sequence[str]], searched: Collection[str] = ()
) -> list[str]:
    """The words of a sweep for Hydra, in which it leaves options of a choice to the jobs where groups are swept.

    They become sweeps of one value, which Hydra takes out when it composes the whole.

    Args:
        overrides: of the command line.
        known: all options, as `fashseg.checking.option_paths` gives them.
        searched: options and groups of a search, of which a file may have named some.

    Raises:
        UserError: an option is taken out where presets are swept: Hydra looks for it where there is no preset.
    """
    swept = {*searched, *(o.key_or_group for o in overrides if o.is_sweep_override())}
    for override in overrides if "experiment" in swept else ():
        if override.type is OverrideType.DEL and known.get(override.key_or_group):
            raise UserError(
                f"{override.input_line} can't be taken out of several presets at once.", "Sweep one preset at a time."
            )
    by_group = any(key not in known and "." not in key for key in swept)
    return [_as_sweep(o) if by_group and _is_of_choice(o, known) else str(o.input_line) for o in overrides]


def _is_of_choice(override: Override, known: Mapping[str, Sequence[str]]) -> bool:
    is_value = override.type is OverrideType.CHANGE and not override.is_sweep_override()
    return is_value and bool(known.get(override.key_or_group))


def _as_sweep(override: Override) -> str:
    if override.value() is None:  # which no choice(...) of Hydra's takes; with ++ it does for any configuration
        return f"++{override.input_line}"
    text = override.get_value_element_as_str()
    return f"{override.get_key_element()}=choice({text or repr('')})"
