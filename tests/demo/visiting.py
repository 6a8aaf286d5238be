"""The page as its visitors have it: the command that serves it, and a window in a real browser."""

import contextlib
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.models import write_models

_START = 120  # seconds that the command may take to start on a busy machine


@dataclass
class Served:
    """The command at work.

    Attributes:
        process: of the command.
        address: of the page.
        models: files that are offered.
        proxy: a server that a request to anywhere else would come to.
        folder: of its temporary files.
    """

    process: subprocess.Popen[str]
    address: str
    models: list[Path]
    proxy: socket.socket
    folder: Path


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """The command in a folder of its own, with a segmenter and a classifier, until the block ends."""
    models = write_models(folder)
    (folder / "temporary").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        environment = {**os.environ, "TMPDIR": str(folder / "temporary"), "HTTP_PROXY": address, "HTTPS_PROXY": address}
        words = [f"model=[{','.join(map(str, models))}]", "port=null", "trainer.accelerator=cpu", f"root={folder}"]
        process = subprocess.Popen(
            [sys.executable, "-m", "fashseg.demo", *words],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield Served(process, _address(process), models, proxy, folder / "temporary")
        finally:
            process.kill()
            process.communicate()


def _address(process: subprocess.Popen[str]) -> str:
    """What the command prints when it is ready."""
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()  # type: ignore[union-attr]
    line = lines.get(timeout=_START)
    assert line.startswith("page http://127.0.0.1:"), line or process.communicate()[1]
    return line.split()[1]


@dataclass
class Visit:
    """The page in a window.

    Attributes:
        page: playwright's page.
        findings: what no page may do.
    """

    page: Any
    findings: list[str] = field(default_factory=list)

    def upload(self, path: Path) -> None:
        self.page.locator("input[type=file]").set_input_files(path)

    def result(self, text: str) -> str:
        """What is in the result once it holds a text."""
        region = self.page.get_by_role("region", name="Result")
        region.get_by_text(text).first.wait_for()
        return str(region.inner_text())

    def choose(self, model: str) -> None:
        self.page.get_by_role("radio", name=model, exact=True).check()


@contextlib.contextmanager
def visiting(served: Served, browser: Any, width: int, scheme: str, *, measured: bool) -> Iterator[Visit]:
    """A window on the page, which may not ask anybody else for anything.

    Args:
        served: the page.
        browser: playwright's.
        width: pixels of the window.
        scheme: ``light`` or ``dark``.
        measured: by axe, which does so with styles of its own that the page's policy refuses.
    """
    screen = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    context = browser.new_context(**screen, bypass_csp=measured)
    context.set_default_timeout(30_000)
    visit = Visit(context.new_page())

    def see(asked: Any) -> None:
        if not asked.url.startswith((served.address, "data:", "blob:")):
            visit.findings.append(f"request to {asked.url[:200]}")

    def hear(said: Any) -> None:
        # Gradio closes its stream of events by a method that its own stand-in for EventSource does not have.
        if said.type in ("error", "warning") and said.text != "Method not implemented.":
            visit.findings.append(f"console {said.type}: {said.text}")

    context.on("request", see)
    visit.page.on("console", hear)
    visit.page.on("pageerror", lambda error: visit.findings.append(f"exception: {error}"))
    visit.page.goto(served.address)
    visit.page.locator("input[type=file]").wait_for(state="attached")
    yield visit
    context.close()
    assert not visit.findings


def hard_to_use(page: Any) -> list[str]:
    """Serious findings of axe, the automatic checks of accessibility."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found if each["impact"] in ("serious", "critical")
    ]
