"""What becomes of a signal that comes while a library is at work."""

import signal
from typing import Any, NoReturn

import hydra
import pytest
from omegaconf.errors import ConfigAttributeError

from conftest import TINY_CNN, Command
from fashseg.stopping import Stopped, as_it_came


def interrupted_halfway(*_: Any, **__: Any) -> NoReturn:
    """As OmegaConf is between two states of a node: to put it right fails, which it tells in its own way."""
    try:
        try:
            raise Stopped(signal.SIGTERM)
        finally:
            None.parent  # type: ignore[attr-defined]  # noqa: B018
    except AttributeError as error:
        raise ConfigAttributeError(str(error)) from error


def test_a_signal_is_told_as_one_whatever_a_library_makes_of_it(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hydra, "compose", interrupted_halfway)
    outcome = run("train", *TINY_CNN)
    assert outcome.status == 143
    assert outcome.err == "interrupted by SIGTERM\n"


@as_it_came()
def mistaken() -> NoReturn:
    try:
        raise KeyError("node")
    except KeyError as error:
        raise ConfigAttributeError("no such node") from error


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(ConfigAttributeError, match="no such node") as caught:
        mistaken()
    assert isinstance(caught.value.__cause__, KeyError)
