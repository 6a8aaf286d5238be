"""Which of several processes this one is, and whether the options ask for as many as were started."""

from pathlib import Path

import pytest

from conftest import TINY_CNN, Command, results_of
from fashseg.errors import UserError
from fashseg.ranks.places import ALONE, OURS, Place, here
from fashseg.ranks.stores import srun_address
from fashseg.run import is_first_process

TORCHRUN = {
    "RANK": "3",
    "WORLD_SIZE": "4",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "2",
    "GROUP_RANK": "1",
    "MASTER_ADDR": "n1",
    "MASTER_PORT": "29500",
}
SRUN = {
    "SLURM_JOB_ID": "812",
    "SLURM_STEP_ID": "3",
    "SLURM_NTASKS": "4",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_TASKS_PER_NODE": "2(x2)",
    "SLURM_STEP_NODELIST": "gpu[07,09]",
    "SLURM_PROCID": "3",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
}
PLACES: dict[str, tuple[dict[str, str], Place]] = {
    "nothing": ({}, ALONE),
    "torchrun": (TORCHRUN, Place(3, 4, 1, 2, 1, 2, "torchrun")),
    "torchrun of one": ({**TORCHRUN, "RANK": "0", "WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1"}, ALONE),
    "one on each machine": (
        {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "a", "MASTER_PORT": "1"},
        Place(1, 2, 0, 1, 1, 2, "torchrun"),
    ),
    "a rank without the rest": ({"RANK": "1", "LOCAL_RANK": "1", "NODE_RANK": "1"}, ALONE),
    "srun": (SRUN, Place(3, 4, 1, 2, 1, 2, "srun", "812.3")),
    "the script of a job": ({"SLURM_JOB_ID": "812", "SLURM_NTASKS": "4", "SLURM_PROCID": "0"}, ALONE),
    "srun of one": ({**SRUN, "SLURM_STEP_NUM_TASKS": "1"}, ALONE),
    "ours": ({OURS: "2/3", **TORCHRUN}, Place(2, 3, 2, 3, starter="fashseg")),
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {**TORCHRUN, **SRUN, OURS: ""}:
        monkeypatch.delenv(name, raising=False)


def given(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """Set them."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("case", PLACES)
def test_the_environment_tells(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    variables, place = PLACES[case]
    given(monkeypatch, variables)
    assert here() == place
    assert is_first_process() == (place.rank == 0)


@pytest.mark.parametrize(
    "variables",
    [
        {**TORCHRUN, "RANK": "first"},
        {**TORCHRUN, "WORLD_SIZE": "3"},
        {**TORCHRUN, "RANK": "4"},
        {**SRUN, "SLURM_STEP_TASKS_PER_NODE": "3,1"},
    ],
)
def test_an_environment_that_contradicts_itself(
    run: Command, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    given(monkeypatch, variables)
    with pytest.raises(UserError):
        here()
    ended = run("train", "model=cnn")
    assert ended.status == 2
    assert len(ended.err.splitlines()) == 2
    assert "Traceback" not in ended.err


def test_steps_of_one_job_and_jobs_of_one_machine_meet_at_other_ports() -> None:
    assert srun_address(SRUN) == ("gpu07", srun_address(SRUN)[1])
    ports = [srun_address({**SRUN, "SLURM_JOB_ID": job, "SLURM_STEP_ID": step})[1] for job in "78" for step in "01"]
    assert len(set(ports)) == 4
    assert all(1024 < port < 32768 for port in ports), "below those that a system gives away by itself"
    assert srun_address({**SRUN, "MASTER_ADDR": "n", "MASTER_PORT": "5"}) == ("n", 5)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["trainer.devices=4"], "trainer.devices=4, but torchrun has started 2 on each machine"),
        (["trainer.nodes=1"], "trainer.nodes=1, but torchrun has started 2 as machines"),
        (["-m", "seed=0,1"], "-m under torchrun"),
    ],
)
def test_options_that_ask_for_others_than_were_started(
    run: Command, monkeypatch: pytest.MonkeyPatch, words: list[str], named: str
) -> None:
    given(monkeypatch, {**TORCHRUN, "RANK": "0", "LOCAL_RANK": "0", "GROUP_RANK": "0"})
    monkeypatch.setattr("fashseg.ranks.stores.store_elsewhere", lambda _place: 1 / 0)  # nobody is there to be told
    ended = run("train", *TINY_CNN, *words)
    assert ended.status == 2
    assert named in ended.err
    assert len(ended.err.splitlines()) == 2


def test_with_fewer_devices_the_images_of_a_step_can_stay(run: Command, tmp_path: Path) -> None:
    words = (*TINY_CNN, "logger=none", "eval_train=false", "scheduler=cosine", "hydra.run.dir=r")
    assert run("train", *words).status == 0
    record = results_of(tmp_path / "r")
    assert record["processes"] == 1
    results = tmp_path / "r" / "results.json"
    text = results.read_text(encoding="utf-8").replace('"finished"', '"interrupted"')
    results.write_text(text.replace('"processes": 1', '"processes": 4'), encoding="utf-8")
    refused = run("train", "resume=r", "trainer.devices=2")
    assert refused.status == 2
    assert "steps of 128 images, not of 256" in refused.err
    assert "batch_size=128" in refused.err
    refused = run("train", "resume=r", "trainer.devices=2", "batch_size=32")
    assert "batch_size=32 on 2 devices makes steps of 64 images" in refused.err
    assert run("train", "resume=r", "batch_size=256").status == 0
