"""A stand-in for SLURM's commands, for where there is none: jobs of arrays, each run at once on this machine.

What it has of SLURM: sbatch reads the options in a script, refuses those and the partitions that it does not know, and
has each task of an array run the script with SLURM's variables; srun starts a step with its output in files; sacct
gives states; scancel sends a signal to the steps of a job; scontrol requeue has a job begin anew after its end.
What it lacks: nodes, limits of time and memory, queues. Whether a real cluster does the same it can't say.
"""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

PROGRAMS = ("sbatch", "srun", "sacct", "scontrol", "scancel")
KNOWN = {
    *("array", "cpus-per-task", "error", "gpus-per-node", "job-name", "mem", "nodes", "ntasks-per-node", "open-mode"),
    *("output", "partition", "requeue", "signal", "time", "wckey", "gres", "account", "mail-type"),
}
PARTITIONS = {"debug", "gpu"}


def install(folder: Path) -> dict[str, str]:
    """The programs in a folder; returns the variables with which they are found."""
    folder.mkdir()
    for name in PROGRAMS:
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {name} "$@"\n', encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    (folder / "jobs").mkdir()
    return {"PATH": f"{folder}:{os.environ['PATH']}", "FAKE_SLURM": str(folder / "jobs")}


def _jobs() -> Path:
    return Path(os.environ["FAKE_SLURM"])


def _note(job: str, **values: object) -> None:
    path = _jobs() / f"{job}.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps({**before, **values}), encoding="utf-8")
    part.replace(path)


def sbatch(script: str) -> int:
    """Submit a script."""
    text = Path(script).read_text(encoding="utf-8")
    options = {}
    for key, value in re.findall(r"^#SBATCH --([\w-]+)(?:=(.*))?$", text, re.MULTILINE):
        if key not in KNOWN:
            print(f"sbatch: error: unrecognized option '--{key}'", file=sys.stderr)
            return 1
        options[key] = value.strip("'")
    if options.get("partition", "debug") not in PARTITIONS:
        print(f"sbatch: error: invalid partition specified: {options['partition']}", file=sys.stderr)
        return 1
    number = 100 + len(list(_jobs().glob("*.sh")))
    (_jobs() / f"{number}.sh").write_text(text, encoding="utf-8")
    last = re.match(r"0-(\d+)", options.get("array", ""))
    for task in range(int(last[1]) + 1) if last else [None]:
        job = f"{number}" if task is None else f"{number}_{task}"
        _note(job, state="PENDING", steps=[])
        environment = {
            **os.environ,
            "SLURM_JOB_ID": str(number if task is None else number + 1000 + task),
            **({} if task is None else {"SLURM_ARRAY_JOB_ID": str(number), "SLURM_ARRAY_TASK_ID": str(task)}),
            **{"SLURM_NTASKS": "1", "SLURM_JOB_NUM_NODES": "1", "SLURM_JOB_NAME": options["job-name"]},
            **{"SLURM_CPUS_PER_TASK": options.get("cpus-per-task", "1"), "SLURM_JOB_NODELIST": "localhost"},
        }
        subprocess.Popen(
            [sys.executable, __file__, "node", job, str(_jobs() / f"{number}.sh")],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    print(f"Submitted batch job {number}")
    return 0


def node(job: str, script: str) -> int:
    """Run a job, again as often as it is queued anew."""
    while True:
        _note(job, state="RUNNING", again=False, steps=[])
        status = subprocess.call(["bash", script], env={**os.environ, "FAKE_SLURM_JOB": job})
        if not json.loads((_jobs() / f"{job}.json").read_text(encoding="utf-8"))["again"]:
            _note(job, state="FAILED" if status else "COMPLETED")
            return 0
        _note(job, state="PENDING")


def srun(*words: str) -> int:
    """Start a step in place of this process."""
    job, rest = os.environ["FAKE_SLURM_JOB"], list(words)
    while rest[0].startswith("--"):
        option = rest.pop(0)
        if option in ("--output", "--error"):
            array, _, task = job.partition("_")
            path = rest.pop(0)
            for sign, value in (("%A", array), ("%a", task), ("%j", job), ("%t", "0")):
                path = path.replace(sign, value)
            while not Path(path).parent.exists():  # submitit makes it when it knows the number of the job
                time.sleep(0.05)
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1 if option == "--output" else 2)
    _note(job, steps=[os.getpid()])
    os.environ.update({"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_STEP_ID": "0"})
    os.execvp(rest[0], rest)


def sacct(*words: str) -> int:
    """States of jobs."""
    print("JobID|State|NodeList")
    for number in (words[i + 1] for i, word in enumerate(words) if word == "-j"):
        for path in sorted([*_jobs().glob(f"{number}.json"), *_jobs().glob(f"{number}_*.json")]):
            print(f"{path.stem}|{json.loads(path.read_text(encoding='utf-8'))['state']}|localhost")
    return 0


def scontrol(what: str, job: str) -> int:
    """Queue a job anew."""
    assert what == "requeue"
    _note(job, again=True)
    return 0


def scancel(job: str, option: str = "--signal", name: str = "TERM") -> int:
    """Send a signal to the steps of a job."""
    assert option == "--signal"
    for step in json.loads((_jobs() / f"{job}.json").read_text(encoding="utf-8"))["steps"]:
        os.kill(step, getattr(signal, f"SIG{name}"))
    return 0


if __name__ == "__main__":
    sys.exit(globals()[sys.argv[1]](*sys.argv[2:]))
