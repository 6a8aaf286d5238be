"""Runs that have learnt from a teacher are kept as runs of a preset if it was the teacher of the preset."""

from pathlib import Path

import pytest

from bench.results.changes import changed_options
from fashseg.composing import compose
from fashseg.run import RunFolder
from fashseg.trained import digest, load_trained


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
def test_a_teacher_is_known_by_its_weights(teacher: str, the_same: bool, said: str | None, tmp_path: Path) -> None:
    sha256 = digest(load_trained(model="fashion").network.model.state_dict()) if the_same else "another"
    run = RunFolder(tmp_path)
    run.write_config(compose("train", ["experiment=cnn_best", f"loss.teacher={teacher}"]))
    run.write_results(status="finished", teacher={"name": "any", "sha256": sha256})
    assert changed_options(run, "cnn_best") == ({"loss.teacher": said} if said else {})
    assert changed_options(run, "cnn_labels")["loss.name"] == "distill"  # which that preset has not
