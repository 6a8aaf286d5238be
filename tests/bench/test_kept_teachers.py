"""Runs that have learnt from a teacher are kept as runs of a preset if it was the teacher of the preset."""

from pathlib import Path

import pytest

from bench.results import changes
from fashseg.composing import compose
from fashseg.run import RunFolder
from fashseg.trained import digest, load_trained

TAUGHT = ("loss=distill", "~loss.label_smoothing", "loss.teacher=fashion")


@pytest.mark.parametrize(
    ("teacher", "the_same", "said"),
    [
        ("fashion", True, None),
        ("/home/me/outputs/run", True, None),
        ("fashion", False, "RUN"),
        ("/home/me/outputs/run", False, "RUN"),
        ("facade", False, "facade"),
    ],
)
def test_a_teacher_is_known_by_its_weights(
    teacher: str, the_same: bool, said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = digest(load_trained(model="fashion").network.model.state_dict()) if the_same else "another"
    run = RunFolder(tmp_path)
    run.write_config(compose("train", ["experiment=cnn_best", *TAUGHT[:2], f"loss.teacher={teacher}"]))
    run.write_results(status="finished", teacher={"name": "any", "sha256": sha256})
    # Against a preset of labels it's another loss, and its teacher is named where it has a name.
    assert changes.changed_options(run, "cnn_best")["loss.name"] == "distill"
    monkeypatch.setattr(changes, "compose", lambda verb, words: compose(verb, [*words, *TAUGHT]))
    assert changes.changed_options(run, "cnn_best") == ({"loss.teacher": said} if said else {})
