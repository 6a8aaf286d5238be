"""Checkpoints that were made to do harm, or are damaged: refused in two lines, and no code of theirs is run."""

import contextlib
import os
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from amounts import amount, record
from conftest import Command, assert_two_lines

MARK = "code_was_run"


class Payload:
    """Unpickled, it makes a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (MARK,)


def as_torch_writes_it(path: Path, content: dict[str, Any]) -> None:
    torch.save({**content, "more": Payload()}, path)


def as_torch_once_wrote_it(path: Path, content: dict[str, Any]) -> None:
    torch.save({**content, "more": Payload()}, path, _use_new_zipfile_serialization=False)


def as_a_bare_pickle(path: Path, content: dict[str, Any]) -> None:
    path.write_bytes(pickle.dumps({**content, "more": Payload()}))


def among_the_options(path: Path, content: dict[str, Any]) -> None:
    torch.save({**content, "hyper_parameters": {"options": Payload()}}, path)


def among_the_weights(path: Path, content: dict[str, Any]) -> None:
    torch.save({**content, "state_dict": {**content["state_dict"], "more": Payload()}}, path)


HOSTILE = (as_torch_writes_it, as_torch_once_wrote_it, as_a_bare_pickle, among_the_options, among_the_weights)
COMMANDS = {
    "resume": ("last", ("train", "resume=r", "epochs=3")),
    "evaluate": ("best", ("evaluate", "run=r")),
    "report": ("best", ("report", "run=r", "refresh=true")),
}


@pytest.mark.parametrize("write", HOSTILE)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_code_of_a_checkpoint_is_run(
    run: Command, finished: Path, command: str, write: Callable[[Path, dict[str, Any]], None]
) -> None:
    name, words = COMMANDS[command]
    path = finished / "checkpoints" / f"{name}.ckpt"
    content = torch.load(path, weights_only=True)
    write(path, content)
    assert_two_lines(run(*words), f"{name}.ckpt")
    assert not list(Path.cwd().rglob(MARK)), "code was run"


def test_the_payload_is_a_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    as_torch_writes_it(tmp_path / "bad.ckpt", {})
    torch.load(tmp_path / "bad.ckpt", weights_only=False)
    assert (tmp_path / MARK).is_dir()


def test_a_checkpoint_does_not_unpack_to_more_than_it_is(run: Command, finished: Path) -> None:
    path = finished / "checkpoints" / "best.ckpt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for number in range(20):
            bomb.writestr(f"archive/data/{number}", bytes(50_000_000))
    assert path.stat().st_size < 2_000_000
    assert_two_lines(run("evaluate", "run=r"), "best.ckpt can't be loaded", "compressed")


def test_every_flipped_bit_is_found_or_changes_nothing(finished: Path) -> None:
    """Most of a file is weights: torch would load them as they are."""
    from fashseg.checkpoints import read_checkpoint
    from fashseg.errors import UserError

    path = finished / "checkpoints" / "best.ckpt"
    whole, weights = path.read_bytes(), torch.load(path, weights_only=True)["state_dict"]
    chance, flips = random.Random(0), amount(40, 500)
    found = harmless = unnoticed_by_torch = 0
    for _ in range(flips):
        bit = chance.randrange(8 * len(whole))
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            read = read_checkpoint(path)["state_dict"]
        except UserError as error:
            found += str(path) in error.what
            with contextlib.suppress(Exception):
                torch.load(path, weights_only=True)
                unnoticed_by_torch += 1
        else:
            harmless += all(torch.equal(weights[key], read[key]) for key in weights)
    assert found + harmless == flips
    assert found > flips / 2
    record(
        f"a bit flipped in a checkpoint, {len(whole):,} bytes",
        tried=flips,
        survived=found + harmless,
        remarks=f"{found} found, of which torch.load alone lets {unnoticed_by_torch} pass; {harmless} changed nothing",
    )
