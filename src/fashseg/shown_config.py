"""What ``--cfg`` shows of a command, which has been checked before. Imports no torch."""

import argparse
import sys

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fashseg.composing import compose
from fashseg.errors import UserError


def is_shown(verb: str, arguments: argparse.Namespace, words: list[str], composed: DictConfig | None) -> bool:
    """Show the options of a job as Hydra does, which would compose them once more: a third of the time.

    Args:
        verb: such as ``train``.
        arguments: of the command line.
        words: overrides that its configuration is composed of.
        composed: the configuration without Hydra's own part; None where many runs are searched for.

    Returns:
        False where Hydra is to show what was asked for: its own part, one package, or values in place of references.

    Raises:
        UserError: several runs are started, or there is no such package.
    """
    if arguments.multirun:
        raise UserError(f"--cfg={arguments.cfg} shows one run, and -m starts several.", "Leave out one of the two.")
    _check_package(verb, arguments, words)
    if composed is None or arguments.cfg != "job" or arguments.package or arguments.resolve:
        return False
    sys.stdout.write(OmegaConf.to_yaml(composed))
    return True


def _check_package(verb: str, arguments: argparse.Namespace, words: list[str]) -> None:
    """Refuse ``--package`` of what is not there, for which Hydra ends the process."""
    package, shown = arguments.package, arguments.cfg
    if package in (None, "_global_"):
        return
    composed = compose(verb, words, with_hydra=shown != "job")
    try:
        found = OmegaConf.select(composed, package)
    except (OmegaConfBaseException, ValueError):
        found = None
    if found is None or (shown == "hydra" and package.partition(".")[0] != "hydra"):
        raise UserError(f"--package={package} is no part of the configuration.", f"All of it: --cfg {shown}.")
