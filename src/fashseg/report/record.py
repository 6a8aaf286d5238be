"""Sections on what was run: network, options, data, machine, and how to run it again."""

import math
import shlex
from typing import Any

from omegaconf import DictConfig, OmegaConf

from fashseg.composing import compose
from fashseg.errors import UserError
from fashseg.pages.blocks import Block, Cell, Code, Folded, Section, Table, Text
from fashseg.pages.blocks import Facts as Entries
from fashseg.report.album import Album
from fashseg.report.facts import Facts
from fashseg.text import bytes_in_words, duration, listed

# Where and how a run is kept, not what it computes.
PRIVATE = ("data.root", "resume", "debug", "notes")


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
        for number, layer in enumerate(facts.network, start=1)
    ]
    totals = {key: sum(layer[key] for layer in facts.network) for key in ("parameters", "multiply_adds")}
    footer = [
        [Cell(""), Cell("all", strong=True), Cell(""), *(Cell(f"{n:,}", value=n, strong=True) for n in totals.values())]
    ]
    columns = ["", "layer", "output", "parameters", "multiply-adds"]
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
        blocks += [_changed_options(facts), Folded("The full configuration", OmegaConf.to_yaml(facts.config))]
    return Section("What was run", "what", blocks)


def _entries(facts: Facts) -> list[tuple[str, str]]:
    results = facts.results
    entries = [("data set", _data_set(facts))]
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
        entries.append(("resumed", f"{results['resumed']} times"))
    return entries


def _data_set(facts: Facts) -> str:
    results = facts.results
    images = results.get("images", {})
    counts = listed([f"{count:,} {name}" for name, count in images.items()])
    synthetic = " (drawn by code)" if results.get("synthetic") else ""
    return f"{results.get('data')}{synthetic}, split {results.get('split', 'unknown')}: {counts or 'unknown'} images"


def _machine(results: dict[str, Any]) -> str:
    machine = results.get("machine")
    if not machine:
        return "unknown"
    gpus = [f"{name}" for name in machine.get("gpus", [])]
    memory = machine.get("memory_bytes")
    parts = [
        *gpus,
        f"{machine.get('processor')}, {machine.get('cores')} cores",
        f"{(threads := results.get('threads'))} thread{'' if threads == 1 else 's'}",
        f"{bytes_in_words(memory)} of memory" if memory else "",
        str(machine.get("system", "")),
    ]
    return ", ".join(filter(None, parts))


def _time(results: dict[str, Any]) -> str:
    if "train_seconds" not in results:
        return "unknown: the run is not finished"
    return (
        f"{duration(results['train_seconds'])} of training over {results['epochs_run']} epochs, "
        f"{results['images_per_second']:,.0f} images a second; {duration(results['train_cpu_seconds'])} of processor "
        f"time, {results['images_per_cpu_second']:,.0f} images a processor second"
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
        defaults = _flat(compose("train", [f"model={facts.results['model']}"]))
    except UserError as error:
        return Text([f"The defaults of this model can't be told: {error.what}"])
    assert facts.config is not None
    own = _flat(facts.config)
    seed_follows = {"data.split_seed"} if own.get("data.split_seed") == own.get("seed") else set()
    changed = [
        path for path, value in own.items() if path not in {*PRIVATE, *seed_follows} and value != defaults.get(path)
    ]
    if not changed:
        return Text([f"Every option has its default for model={facts.results['model']}."])
    rows = [[Cell(path), Cell(_shown(own[path])), Cell(_shown(defaults.get(path, "")))] for path in changed]
    return Table(["option", "this run", "default"], rows, "Options that differ from the defaults of the model")


def _flat(config: DictConfig) -> dict[str, Any]:
    flat: dict[str, Any] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, below in value.items():
                walk(below, f"{path}.{key}" if path else str(key))
        else:
            flat[path] = value

    walk(OmegaConf.to_container(config, resolve=True), "")
    return flat


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def run_again(facts: Facts, album: Album) -> Section:
    """The commands to copy."""
    del album
    results = facts.results
    words = [str(word) for word in results.get("overrides", [])]
    blocks: list[Block] = []
    git = results.get("git")
    if git:
        blocks.append(Code(f"git checkout {git['commit']}", "The same code"))
    blocks.append(Code(f"python -m fashseg.train {shlex.join(words)}".strip(), "The same run"))
    folder = shlex.quote(str(facts.shown_path))
    if facts.finished:
        blocks.append(Code(f"python -m fashseg.evaluate run={folder}", "Score it again"))
    else:
        blocks.append(Code(f"python -m fashseg.train resume={folder}", "Go on with it"))
    blocks.append(Code(f"python -m fashseg.report run={folder}", "Make this page again"))
    return Section("Run it again", "again", blocks)
