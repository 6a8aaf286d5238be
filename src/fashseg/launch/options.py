"""Options of the launchers, ``hydra.launcher.NAME``. Imports no torch."""

from dataclasses import dataclass
from typing import Any

from fashseg.declaring import option


@dataclass
class Joblib:
    """Of ``hydra/launcher=joblib``."""

    n_jobs: int = option(-1, "jobs at a time; -1: one for each GPU, or else for each core", ge=-1, le=1024)
    pin: bool = option(True, "give each job cores of its own")


@dataclass
class Submitit:
    """Of both launchers by submitit, by the names that hydra-submitit-launcher has for them."""

    submitit_folder: str = option("${hydra.sweep.dir}/.submitit/%j", "where scripts and output of the jobs go")
    timeout_min: int = option(240, "minutes that a job may take", ge=1)
    cpus_per_task: int | None = option(4, "cores of a job", ge=1)
    gpus_per_node: int | None = option(None, "GPUs of a job on each node", ge=0)
    tasks_per_node: int = option(
        1, "processes of a job on each node: one, which starts others by trainer.devices", ge=1
    )
    mem_gb: float | None = option(16, "gigabytes of memory of a job on each node", gt=0)
    nodes: int = option(1, "machines of a job: one", ge=1)
    name: str = option("fashseg", "name of the jobs")
    stderr_to_stdout: bool = option(False, "one file for both outputs")
    signal_delay_s: int = option(120, "seconds before the end of its time at which a job is asked to save", ge=1)
    max_num_timeout: int = option(3, "how often a job that ran out of time goes on in another one", ge=0)


@dataclass
class SubmititLocal(Submitit):
    """Of ``hydra/launcher=submitit_local``."""


@dataclass
class SubmititSlurm(Submitit):
    """Of ``hydra/launcher=submitit_slurm``."""

    partition: str | None = option(None, "queue of the cluster")
    account: str | None = option(None, "who pays")
    qos: str | None = option(None, "quality of service")
    constraint: str | None = option(None, "features of the nodes")
    exclude: str | None = option(None, "nodes not to use")
    gres: str | None = option(None, "generic resources, such as gpu:a100:1")
    cpus_per_gpu: int | None = option(None, "cores for each GPU", ge=1)
    gpus_per_task: int | None = option(None, "GPUs for each process", ge=0)
    mem_per_gpu: str | None = option(None, "memory for each GPU, such as 32G")
    mem_per_cpu: str | None = option(None, "memory for each core, such as 4G")
    comment: str | None = option(None, "of the jobs")
    array_parallelism: int = option(64, "jobs at a time", ge=1)
    setup: list[str] | None = option(None, "commands before each job, such as module load cuda")
    additional_parameters: dict[str, Any] = option({}, "further options of sbatch")


OPTIONS: dict[str, type] = {"joblib": Joblib, "submitit_local": SubmititLocal, "submitit_slurm": SubmititSlurm}
NEEDS = {
    "joblib": ("joblib", "sweep"),
    "submitit_local": ("submitit", "slurm"),
    "submitit_slurm": ("submitit", "slurm"),
}
"""The package that each needs, and the extra that brings it."""
