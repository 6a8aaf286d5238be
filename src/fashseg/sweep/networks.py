"""Whether the networks of a sweep can be had, ahead of its first job: a single run finds out when it builds its own."""

from collections.abc import Iterable
from dataclasses import replace

from fashseg import config as cfg
from fashseg.importing import heavy_imports
from fashseg.misfits import require_sides
from fashseg.sides import divisor_of, known_sides


def require_networks(plans: Iterable[cfg.Train]) -> None:
    """Refuse networks that do not take the images, where their size is known, and those that no library has.

    torch is loaded only where a library has to be asked for its names.

    Args:
        plans: options of the jobs, whose data and libraries are there.

    Raises:
        UserError: for the first of them.
    """
    seen = list[tuple[cfg.Model, cfg.Data]]()
    for plan in plans:
        pair = (plan.model, replace(plan.data, fold=None))
        if pair in seen:
            continue
        seen.append(pair)
        if isinstance(plan.model, cfg.Library):
            _ask_library(plan.model)
        elif divisor_of(plan.model) > 1 and (sides := known_sides(pair[1])):
            require_sides(plan, *sides)


def _ask_library(model: cfg.Library) -> None:
    with heavy_imports():
        from fashseg.models.adapters.smp_network import require_known
        from fashseg.models.adapters.timm_network import require_name
    if isinstance(model, cfg.Timm):
        require_name(model.architecture, f"model.architecture={model.architecture}")
    elif isinstance(model, cfg.SMP):
        require_known(model)
