"""Your own models, data sets and losses, by name: what a plugin calls. Imports neither torch nor Hydra.

A plugin is a Python file or module that is given by ``plugins=[my/plugin.py]``. It names each part of its own with the
dataclass of its options, and with functions that are called when a run needs the part, so that they are the place for
imports which take long, torch above all:

    @dataclass
    class Tiny(Model):
        features: int = option(16, "channels of the convolutions", ge=1)

    def tiny(options, shape, classes):
        from .network import TinyNet  # my/network.py

        return TinyNet(shape[0], classes, options.features)

    register_model("tiny", Tiny, tiny, task="classification")

``docs/own_model.md`` goes through all of it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any

from fashseg.choices import CHOICES, TASKS, Loss
from fashseg.data_choices import Data
from fashseg.declaring import option
from fashseg.errors import UserError
from fashseg.model_choices import Model

__all__ = ["OWN", "Data", "Loss", "Model", "Own", "option", "register_data", "register_loss", "register_model"]

TASK_NAMES = ("classification", "segmentation")
_BASES: dict[str, type] = {"model": Model, "data": Data, "loss": Loss}


@dataclass(frozen=True)
class Own:
    """A choice from outside the package.

    Attributes:
        options: dataclass of its options.
        parts: its functions by name; None where one is left out.
        task: of a model or a data set; None of a loss.
    """

    options: type
    parts: Mapping[str, Callable[..., Any] | None]
    task: str | None

    def call(self, part: str, *arguments: Any) -> Any:
        """What a function gives that is there."""
        function = self.parts[part]
        assert function is not None
        return function(*arguments)


# By group and name.
OWN: dict[tuple[str, str], Own] = {}

# Which plugin has registered a choice, as it is given to ``plugins``, with the package that has installed it.
ORIGINS: dict[tuple[str, str], "Origin"] = {}


@dataclass(frozen=True)
class Origin:
    """Where a choice comes from.

    Attributes:
        plugin: what to give to ``plugins``: the full path of a file, or the name of a module.
        package: the installed package that brings it; None where it was given by ``plugins``.
    """

    plugin: str
    package: str | None = None


# The plugin that is being read.
reading: Origin | None = None


def register_model(
    name: str, options: type, builder: Callable[[Any, tuple[int, int, int], int], Any], *, task: str
) -> None:
    """Have ``model=NAME``.

    Args:
        name: letters, digits, ``_`` and ``-``.
        options: dataclass of its options, which extends `Model`; each has a default.
        builder: from the options, the shape of an image (channels, height, width) and the number of classes to the
            network, a ``torch.nn.Module`` from float32 images (N, C, H, W), normalised, to logits: (N, classes), or for
            segmentation (N, classes, H, W).
        task: ``classification`` or ``segmentation``.

    Raises:
        UserError: one of these is not as it has to be, or the name is taken.
    """
    _register("model", name, Own(options, {"builder": builder}, task))


def register_data(
    name: str,
    options: type,
    *,
    task: str,
    describe: Callable[[Any], Any],
    read: Callable[[Any], Any],
    counts: Callable[[Any], tuple[int, int]] | None = None,
    inputs: Callable[[Any], Any] | None = None,
    groups: Callable[[Any], Any] | None = None,
    split: Callable[[Any, int], Any] | None = None,
) -> None:
    """Have ``data=NAME``.

    Args:
        name: letters, digits, ``_`` and ``-``.
        options: dataclass of its options, which extends `Data`; each has a default.
        task: ``classification`` or ``segmentation``.
        describe: from the options to the facts, a `fashseg.data.info.DataInfo`.
        read: from the options to the training set, validation images included, and the test set: each is a pair of
            images, uint8 (N, C, H, W), and label values, (N,), or for segmentation masks (N, H, W).
        counts: from the options to the number of images of both sets, for data that should not be read to be counted.
        inputs: from the options to a `fashseg.data.source.Inputs`: what the arrays follow from, so that they are kept
            in the cache; without it they are read each time.
        groups: see `fashseg.data.source.Source`, as for the next.
        split: ways to hold out validation images that are this data set's own.

    Raises:
        UserError: one of these is not as it has to be, or the name is taken.
    """
    parts = {"describe": describe, "read": read}
    more = {"counts": counts, "inputs": inputs, "groups": groups, "split": split}
    _register("data", name, Own(options, {**parts, **{key: part for key, part in more.items() if part}}, task))


def register_loss(name: str, options: type, builder: Callable[[Any, int | None], Any]) -> None:
    """Have ``loss=NAME``.

    Args:
        name: letters, digits, ``_`` and ``-``.
        options: dataclass of its options, which extends `Loss`; each has a default.
        builder: from the options, and the label value that counts for nothing (None where all count), to a module or a
            function: from float32 logits (N, C, *) and int64 targets (N, *) to a scalar, the mean over what counts.

    Raises:
        UserError: one of these is not as it has to be, or the name is taken.
    """
    _register("loss", name, Own(options, {"builder": builder}, None))


def forget(choices: Iterable[tuple[str, str]]) -> None:
    """Take choices back, by group and name: those of a plugin that has failed."""
    for group, name in choices:
        del OWN[group, name], CHOICES[group][name]
        TASKS.get(group, {}).pop(name, None)
        ORIGINS.pop((group, name), None)


def _register(group: str, name: str, own: Own) -> None:
    known = CHOICES[group]
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}", name):
        raise UserError(f"register_{group}: the name {name!r:.80} is none.", "Use letters, digits, _ and -.")
    if own == OWN.get((group, name)):
        return
    if name in known:
        whose = ORIGINS.get((group, name))
        by = (
            f"{whose.plugin} has registered it"
            if whose
            else "it is in use"
            if (group, name) in OWN
            else "fashseg has it"
        )
        raise UserError(f"register_{group}: the name {name} is taken: {by}.", "Choose another name.")
    if own.task not in (None, *TASK_NAMES):
        raise UserError(f"register_{group}: {name} has task={own.task!r:.80}.", f"It is {' or '.join(TASK_NAMES)}.")
    for part, function in own.parts.items():
        if not callable(function):
            raise UserError(f"register_{group}: {part} of {name} can't be called.", "Give a function.")
    _check_options(group, name, own.options)
    known[name] = own.options
    if own.task:
        TASKS[group][name] = own.task
    OWN[group, name] = own
    if reading:
        ORIGINS[group, name] = reading


def _check_options(group: str, name: str, options: Any) -> None:
    base = _BASES[group]
    says = f"register_{group}: the options of {name}"
    if not isinstance(options, type) or not issubclass(options, base):
        raise UserError(
            f"{says} do not extend {base.__name__}.",
            f"Write @dataclass, then class {name.capitalize()}({base.__name__}), with an option a line.",
        )
    if not is_dataclass(options) or "__dataclass_fields__" not in vars(options):
        raise UserError(f"{says} are no dataclass.", f"Write @dataclass above class {options.__name__}.")
    try:
        options()
    except Exception as error:
        raise UserError(f"{says} have no value by default: {error}.", "Give each option one.") from error

    from omegaconf import OmegaConf  # not where nothing is registered

    try:
        OmegaConf.structured(options)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"{says} can't be checked: {reason}.",
            "An option is bool, int, float, str, a list of these, or may be None.",
        ) from error
