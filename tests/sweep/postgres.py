"""A PostgreSQL server of the tests' own, in a folder that goes away with them."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PASSWORD = "a:b@secret"  # in need of escapes


def programs() -> Path | None:
    """Where initdb and pg_ctl are."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders else None


def _account() -> dict[str, int]:
    """The server refuses to run as root."""
    if os.getuid() != 0:
        return {}
    account = pwd.getpwnam("postgres")
    return {"user": account.pw_uid, "group": account.pw_gid}


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server, with its password; skips where PostgreSQL is not installed."""
    pytest.importorskip("psycopg", reason="needs psycopg")
    bin_folder = programs()
    if bin_folder is None:
        pytest.skip("needs PostgreSQL: install the package postgresql")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="fashseg-postgres-") as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        account = _account()
        for path in (folder, folder / "password"):
            if account:
                os.chown(path, account["user"], account["group"])

        def call(program: str, *words: str) -> None:
            command = [str(bin_folder / program), "-D", str(folder / "data"), *words]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **account)  # type: ignore[call-overload]
            assert done.returncode == 0, done.stdout + done.stderr

        call("initdb", "-U", "me", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync", "-E", "UTF8")
        options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
        call("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        try:
            yield f"postgresql://me:a%3Ab%40secret@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "stop", "-w", "-m", "immediate")
