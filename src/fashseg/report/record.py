"""Sections on what was run: network, options, data, machine, and how to run it again."""

import math
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from fashseg.commands import command, same_again
from fashseg.composing import compose
from fashseg.data_place import PLACES
from fashseg.errors import UserError
from fashseg.pages.blocks import Block, Cell, Code, Folded, Section, Table, Text
from fashseg.pages.blocks import Facts as Entries
from fashseg.report.album import Album
from fashseg.report.facts import Facts
from fashseg.report.layers import gathered
from fashseg.run import flat_options
from fashseg.summary import fold_of
from fashseg.text import bytes_in_words, counted, duration, listed, shown_option

# Where and how a run is kept, not what it computes.
PRIVATE = (*PLACES, "resume", "debug", "notes", "page")
# Those of them that a command can't go without, by the name of the data.
_NEEDED = {"image_folder": "data.root", "mask_folder": "data.root", "streaming": "data.url"}


def network(facts: Facts, album: Album) -> Section | None:
    """The network, layer by layer."""
    del album
    if not facts.network:
        return None
    rows = [
        [
            Cell(str(number), value=number),
            Cell(layer["kind"]),
            Cell("×".join(map(str, layer["output"])), value=math.prod(layer["output"])),
            Cell(f"{layer['parameters']:,}", value=layer["parameters"]),
            Cell(f"{layer['multiply_adds']:,}", value=layer["multiply_adds"]),
        ]
        for number, layer in enumerate(gathered(facts.network), start=1)
    ]
    totals = {key: sum(layer[key] for layer in facts.network) for key in ("parameters", "multiply_adds")}
    footer = [
        [Cell(""), Cell("all", strong=True), Cell(""), *(Cell(f"{n:,}", value=n, strong=True) for n in totals.values())]
    ]
    columns = ["#", "layer", "output", "parameters", "multiply-adds"]
    table = Table(columns, rows, "Layers, as one image passes them", frozenset({0, 2, 3, 4}), footer)
    return Section("The network", "network", [table])


def what_was_run(facts: Facts, album: Album) -> Section:
    """Options, data, versions, machine, costs."""
    del album
    blocks: list[Block] = []
    if notes := facts.results.get("notes"):
        blocks.append(Text([f"Notes: {notes}"]))
    blocks.append(Entries(_entries(facts)))
    if facts.config is not None:
        blocks += [_changed_options(facts), Folded("The full configuration", _configuration(facts.config))]
    return Section("What was run", "what", blocks)


def _configuration(config: DictConfig) -> str:
    """As YAML; where its data lie is the affair of who made it."""
    public = config.copy()
    if OmegaConf.select(public, "data.root") is not None:
        public.data.root = "${oc.env:FASHSEG_DATA,data}"
    if OmegaConf.select(public, "data.url") is not None:
        public.data.url, public.data.endpoint = Path(str(public.data.url)).name, None
    if isinstance(public.get("plugins"), ListConfig):
        public.plugins = [Path(str(plugin)).name for plugin in public.plugins]
    return OmegaConf.to_yaml(public)


def _entries(facts: Facts) -> list[tuple[str, str]]:
    results = facts.results
    entries = [("data set", _data_set(facts))]
    if images := _images(facts):
        entries.append(("images", images))
    entries += [(f"SHA-256 of {name}", value) for name, value in facts.data.get("fingerprints", {}).items()]
    versions = [f"{name} {version}" for name, version in results.get("versions", {}).items()]
    entries += [
        ("seed", str(results.get("seed", "unknown"))),
        ("machine", _machine(results)),
        ("precision", f"{results.get('precision', 'unknown')} in training, 32 in scoring"),
        ("time", _time(results)),
        ("memory", _memory(results)),
        ("versions", ", ".join(versions)),
        ("code", _code(results)),
        ("started", str(results.get("started", "unknown"))),
    ]
    if results.get("resumed"):
        entries.append(("resumed", counted(results["resumed"], "time")))
    return entries


def _data_set(facts: Facts) -> str:
    results = facts.results
    images = results.get("images", {})
    counts = listed([f"{count:,} {name}" for name, count in images.items()])
    kind = " (drawn by code)" if results.get("synthetic") else " (a part of it)" if results.get("partial") else ""
    fold = f", {said}" if (said := fold_of(results)) else ""
    return f"{results.get('data')}{kind}, split {results.get('split', 'unknown')}{fold}: {counts or 'unknown'} images"


def _images(facts: Facts) -> str:
    """What the images are, as the data set tells."""
    info = facts.data.get("info", {})
    try:
        channels, height, width = info["shape"]
        kind = {1: "grey", 3: "RGB"}.get(channels, f"{channels} channels")
        mean, std = (", ".join(f"{float(value):.2f}" for value in info[key]) for key in ("mean", "std"))
    except (KeyError, TypeError, ValueError):
        return ""
    ignored = f", pixels of value {info['ignore']} count for nothing" if info.get("ignore") is not None else ""
    return f"{width}×{height}, {kind}, {len(facts.class_names)} classes{ignored}; mean {mean}, deviation {std}"


def _machine(results: dict[str, Any]) -> str:
    machine = results.get("machine")
    if not machine:
        return "unknown"
    gpus = [str(name) for name in machine.get("gpus", [])]
    memory = machine.get("memory_bytes")
    parts = [
        *gpus,
        f"{machine.get('processor')}, {counted(machine.get('cores') or 0, 'core')}",
        counted(results.get("threads", 0), "thread"),
        f"{bytes_in_words(memory)} of memory" if memory else "",
        str(machine.get("system", "")),
    ]
    return ", ".join(filter(None, parts))


def _time(results: dict[str, Any]) -> str:
    if "train_seconds" not in results:
        return "unknown: the run is not finished"
    return (
        f"{duration(results['train_seconds'])} of training (validation not counted) over "
        f"{counted(results['epochs_run'], 'epoch')}, {results['images_per_second']:,.0f} images a second; "
        f"{duration(results['train_cpu_seconds'])} of processor time, {results['images_per_cpu_second']:,.0f} images a "
        "processor second"
    )


def _memory(results: dict[str, Any]) -> str:
    peak = results.get("peak_memory_bytes")
    return f"{bytes_in_words(peak)} at most" if peak else "unknown"


def _code(results: dict[str, Any]) -> str:
    git = results.get("git")
    if not git:
        return "as installed; not from a git checkout"
    return f"commit {git['commit']}{', with changes that are not committed' if git['dirty'] else ''}"


def _changed_options(facts: Facts) -> Block:
    try:
        model = compose("train", [f"model={facts.results['model']}"])
        defaults = flat_options(OmegaConf.to_container(model, resolve=True))
        own = facts.folder.read_options()
    except UserError as error:
        return Text([f"What differs from the defaults can't be told: {error.what}"])
    seed_follows = {"data.split_seed"} if own.get("data.split_seed") == own.get("seed") else set()
    changed = [
        path
        for path, value in own.items()
        if path not in {*PRIVATE, "plugins", *seed_follows} and value != defaults.get(path)
    ]
    if not changed:
        return Text([f"Every option has its default for model={facts.results['model']}."])
    rows = [[Cell(path), Cell(shown_option(own[path])), Cell(shown_option(defaults.get(path, "")))] for path in changed]
    return Table(["option", "this run", "default"], rows, "Options that differ from the defaults of the model")


def run_again(facts: Facts, album: Album) -> Section:
    """The commands to copy."""
    del album
    results, folder, plugins = facts.results, facts.shown_path, facts.plugins
    blocks: list[Block] = []
    if git := results.get("git"):
        changed = ", which differed from it by changes that were not committed" if git["dirty"] else ""
        blocks.append(Code(f"git checkout {git['commit']}", f"The code{changed}"))
    words, title = list(map(str, results.get("overrides", []))), "The same run"
    if place := _NEEDED.get(str(OmegaConf.select(facts.config, "data.name")) if facts.config else ""):
        words, title = [*words, f"{place}=YOURS"], "The same run, YOURS being where the data is"
    leave_out = [option for option in PRIVATE if option != place]
    blocks.append(Code(same_again(words, leave_out, facts.config_dir), title))
    if facts.finished:
        blocks.append(Code(command("evaluate", plugins, run=folder), "Score it again"))
    else:
        blocks.append(Code(command("train", plugins, resume=folder), "Go on with it"))
    blocks.append(Code(command("report", run=folder), "Make this page again"))
    return Section("Run it again", "again", blocks)
