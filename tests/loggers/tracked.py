"""What the trackers have of a run, read back; and MLflow's own server, which can be stopped at once."""

import contextlib
import json
import os
import shutil
import struct
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from fashseg.trackers.mlflow_store import mlflow_settings


def store() -> str:
    """The database that MLflow keeps by itself."""
    return f"sqlite:///{Path.cwd()}/outputs/mlflow.db"


def mlflow_runs(uri: str, project: str = "fashseg") -> list[Run]:
    """All runs of an experiment, the oldest first."""
    with mlflow_settings():
        client = MlflowClient(uri)
        experiment = client.get_experiment_by_name(project)
        assert experiment is not None, client.search_experiments()
        return list(client.search_runs([experiment.experiment_id]))[::-1]


def mlflow_history(uri: str, run: Run, metric: str) -> list[tuple[int, float]]:
    """Steps and values."""
    with mlflow_settings():
        found = MlflowClient(uri).get_metric_history(run.info.run_id, metric)
    return [(point.step, point.value) for point in found]


def mlflow_files(uri: str, run: Run, folder: str = "") -> set[str]:
    with mlflow_settings():
        return {found.path for found in MlflowClient(uri).list_artifacts(run.info.run_id, folder)}


def wandb_records(folder: Path) -> list[Any]:
    """The records of an offline run: a log of LevelDB's, of messages in protobuf."""
    import wandb
    from wandb.proto.wandb_internal_pb2 import Record

    # A run's end does not wait for the process that writes the file, which is empty until then; the end of that does.
    wandb.teardown()
    (path,) = folder.glob("offline-run-*/*.wandb")
    content, position, records, part = path.read_bytes(), 7, [], b""
    while position + 7 <= len(content):
        left = 32768 - position % 32768
        if left < 7:
            position += left
            continue
        _, length, kind = struct.unpack("<IHB", content[position : position + 7])
        part += content[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # whole, or the last of its parts
            records.append(Record.FromString(part))
            part = b""
    return records


def wandb_rows(records: list[Any]) -> list[dict[str, Any]]:
    """What was logged, call by call."""
    rows = [record.history.item for record in records if record.HasField("history")]
    return [{"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in row} for row in rows]


def wandb_config(records: list[Any]) -> dict[str, Any]:
    """Options and facts."""
    found = {}
    for record in records:
        source = record.config if record.HasField("config") else record.run.config
        for item in source.update:
            found["/".join(item.nested_key) or item.key] = json.loads(item.value_json)
    return found


SERVER = """
import sys
from werkzeug.serving import make_server
from mlflow.server import app
server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""


@contextlib.contextmanager
def mlflow_server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """MLflow's server on a database in the folder: its address and its process."""
    variables = {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder}/server.db",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": (folder / "files").as_uri(),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONWARNINGS": "ignore",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    killer = threading.Timer(120, process.kill)
    killer.start()
    try:
        host = f"127.0.0.1:{int(process.stdout.readline())}"
        # The first answer makes the tables, which takes as long as many others.
        urllib.request.urlopen(f"http://{host}/api/2.0/mlflow/experiments/search?max_results=1", timeout=100).close()
        yield host, process
    finally:
        killer.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


_made: list[Path] = []  # a fixture that is imported is another one in each module


@pytest.fixture(scope="session")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, made once: to make the tables takes longer than all the rest."""
    if not _made:
        _made.append(tmp_path_factory.mktemp("store") / "mlflow.db")
        with mlflow_settings():
            MlflowClient(f"sqlite:///{_made[0]}").search_experiments()
    return _made[0]


@pytest.fixture
def empty_store(made_store: Path, tmp_path: Path) -> Path:
    """The same in ``outputs`` of the test's folder."""
    (tmp_path / "outputs").mkdir()
    return Path(shutil.copy(made_store, tmp_path / "outputs" / "mlflow.db"))


@pytest.fixture(autouse=True)
def nobody_logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whoever runs the tests is not to be sent their runs; and no test uses the process that wandb started for another.

    Commands would, for its address is in the environment.
    """
    home = str(tmp_path_factory.mktemp("home"))
    for name in ("WANDB_API_KEY", "WANDB_MODE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    for name in ("NETRC", "WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, f"{home}/{name.lower()}")
    yield
    if wandb := sys.modules.get("wandb"):
        wandb.teardown()
