"""What a process does by its place: lead others, start them, follow, or train alone. Imports no torch by itself."""

from collections.abc import Callable

from fashseg.config import Trainer
from fashseg.importing import heavy_imports
from fashseg.ranks.company import Company
from fashseg.ranks.crew import Crew
from fashseg.ranks.elsewhere import Elsewhere, lead
from fashseg.ranks.options import AUTO, several
from fashseg.ranks.places import ALONE, here
from fashseg.run import RunFolder
from fashseg.two_lines import two_line_errors


def in_place(command: Callable[[], int]) -> int:
    """Run a command where this process is alone or the first one; the others of torchrun and srun wait for their job.

    Returns:
        The exit status.
    """
    place = ALONE
    with two_line_errors(debug=False) as status:
        place = here()
    if status.code or not place.started_elsewhere:
        return status.code or command()
    if place.rank:
        from fashseg.ranks.follower import follow_elsewhere

        return follow_elsewhere(place)
    return lead(place, command)


def company_of(options: Trainer, folder: RunFolder) -> Company:
    """Those that train together, this process being the first; they are started here where that is its task.

    Args:
        options: of the run.
        folder: of the run.
    """
    place, devices = here(), options.devices
    if place.started_elsewhere:
        return Elsewhere(place)
    if not several(options):
        return Company()
    if not isinstance(devices, int):
        with heavy_imports():
            from fashseg.devices import device_count
        devices = device_count(options)
    return Crew(devices, folder) if devices > 1 or options.strategy != AUTO else Company()
