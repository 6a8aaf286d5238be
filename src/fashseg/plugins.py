"""Reads plugins: files and modules of the user's that register models, data sets and losses. Imports no torch.

Read are those that the command line names by ``plugins=[...]``, and those that installed packages name as entry
points of the group ``fashseg.plugins``. A run folder names the plugins that it was trained with, for its reader; they
are never imported for that, as such a folder may come from anybody.
"""

import contextlib
import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from fashseg import register
from fashseg.errors import FashsegError, UserError
from fashseg.files import in_full
from fashseg.register import ORIGINS, OWN, Origin

GROUP = "fashseg.plugins"
_folders: list[Path] = []


def load_plugins(given: Sequence[str]) -> None:
    """Read installed plugins, and those that the command line names.

    Args:
        given: the value of ``plugins``: paths of files, and names of modules.

    Raises:
        UserError: one does not exist, raises an error, or registers what it may not.
    """
    from importlib.metadata import entry_points

    modules = []
    for point in entry_points(group=GROUP):
        package = f"{point.dist.name} {point.dist.version}" if point.dist else "an installed package"
        way_out = f"Mend or uninstall {package}, which brings this plugin."
        modules.append(_read(point.module, Origin(point.module, package), way_out))
    for plugin in given:
        modules.append(_read(plugin, Origin(in_words(plugin)), "Mend it; debug=true shows the traceback."))
        if not is_read(plugin):
            raise UserError(
                f"plugins=[{plugin}] registers nothing.", "Name the file that calls register_model and the like."
            )
    beside = [Path(file).parent / "conf" for module in modules if (file := module.__file__)]
    _folders[:] = [folder for folder in dict.fromkeys(beside) if folder.is_dir()]


def refuse_plugins_of_files(composed: DictConfig, overrides: Sequence[Override]) -> None:
    """Read no code that a file of choices names and the command line does not.

    Raises:
        UserError: one does.
    """
    given = any(override.key_or_group == "plugins" for override in overrides)
    if not given and composed.get("plugins"):
        raise UserError(
            f"plugins={composed.plugins} stands in a file of choices: code is read for the command line alone.",
            "Leave it out there, and give plugins= with the command.",
        )


def conf_folders() -> list[Path]:
    """Folders of choices of the plugins that have been read: ``conf`` beside each, where there is one."""
    return list(_folders)


def is_file(plugin: str) -> bool:
    """Whether a plugin is given as a path, not as the name of a module."""
    return plugin.endswith(".py") or "/" in plugin or "\\" in plugin


def is_read(plugin: Any) -> bool:
    """Whether it has registered something in this process; False for what can't be a plugin."""
    with contextlib.suppress(UserError):
        return (
            any(origin.plugin == in_words(plugin) for origin in ORIGINS.values()) if isinstance(plugin, str) else False
        )
    return False


def in_words(plugin: str) -> str:
    """As it is recorded: a path in full, so that it means the same from another folder."""
    return str(in_full("plugins", plugin).absolute()) if is_file(plugin) else plugin


def recorded(given: Sequence[str], chosen: Sequence[tuple[str, str]]) -> list[str]:
    """What a run notes of its plugins: those that were given, and installed ones of which it uses a choice.

    Args:
        given: the value of ``plugins``.
        chosen: groups and names of what it is made of.
    """
    installed = [ORIGINS[choice].plugin for choice in chosen if choice in OWN and choice in ORIGINS]
    return list(dict.fromkeys([*map(in_words, given), *installed]))


@contextlib.contextmanager
def calling(group: str, name: str) -> Iterator[None]:
    """Around code of a choice that may be the user's own: what goes wrong in it is told with its place.

    Raises:
        UserError: of the block, where the choice is from a plugin.
    """
    try:
        yield
    except (FashsegError, MemoryError):
        raise
    except Exception as error:
        if (group, name) not in OWN or type(error).__name__ == "OutOfMemoryError":
            raise
        origin = ORIGINS.get((group, name))
        inside = Path(origin.plugin).parent if origin and is_file(origin.plugin) else None
        raise UserError(
            f"{group}={name}: its own code fails, {_place(error, inside)}: {_reason(error)}",
            "Mend it; debug=true shows the traceback.",
        ) from error


def _read(plugin: str, origin: Origin, way_out: str) -> ModuleType:
    path = in_full("plugins", plugin).absolute() if is_file(plugin) else None
    before, register.reading = register.reading, origin
    known = set(OWN)
    try:
        return _module(plugin) if path is None else _module_of(path)
    except _MissingError as error:
        raise UserError(f"plugins=[{plugin}]: {error}", "Give a file, such as my/plugin.py, or a module.") from None
    except (Exception, SystemExit) as error:
        place = _place(error, path.parent if path else None)
        reason = error.what if isinstance(error, FashsegError) else _reason(error)
        if isinstance(error, FashsegError) and not origin.package:
            way_out = error.way_out
        register.forget(set(OWN) - known)
        raise UserError(f"plugins=[{plugin}] can't be used, {place}: {reason}", way_out) from error
    finally:
        register.reading = before


class _MissingError(Exception):
    """There is no such plugin."""


def _module(name: str) -> ModuleType:
    top = name.partition(".")[0]
    here = Path.cwd()
    # The command fashseg does not look for modules in the current folder, as python -m does.
    if ((here / f"{top}.py").is_file() or (here / top).is_dir()) and not {"", str(here)} & set(sys.path):
        sys.path.append(str(here))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise _MissingError(f"there is no module {error.name}.") from error
        raise
    except (ValueError, TypeError) as error:
        if name.strip(".") and not name.startswith("."):
            raise
        raise _MissingError("it is no name of a module.") from error


def _module_of(path: Path) -> ModuleType:
    """A file as a module of a package that is its folder: it can import its neighbours by ``from .network ...``."""
    try:
        if not path.is_file():
            raise _MissingError(f"there is no file {path}.")
    except (OSError, ValueError) as error:
        raise _MissingError(f"{path} can't be a file.") from error
    package = f"fashseg_plugins_of_{hashlib.sha256(str(path.parent).encode()).hexdigest()[:12]}"
    name = f"{package}.{path.stem.replace('.', '_')}"
    if name in sys.modules:
        return sys.modules[name]
    if package not in sys.modules:
        folder = sys.modules[package] = ModuleType(package)
        folder.__path__ = [str(path.parent)]
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise _MissingError(f"{path} is no Python file.")
    module = sys.modules[name] = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _place(error: BaseException, inside: Path | None) -> str:
    """File and line of an error: of the user's own files where one of them is on the way, else of the last one."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    ours = Path(__file__).parent
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    theirs = [frame for frame in frames if inside and Path(frame.filename).is_relative_to(inside)]
    outside = [frame for frame in frames if not Path(frame.filename).is_relative_to(ours)]
    for found in (theirs, outside, frames):
        if found:
            return f"{found[-1].filename}, line {found[-1].lineno}"
    return "before its first line"


def _reason(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
