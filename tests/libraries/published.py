"""Files of weights as libraries publish them, made here; and a server that gives them as the hub does."""

import hashlib
import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

TIMM = "test_efficientnet.r160_in1k"  # 101,334 parameters for ten classes
REPOSITORY = f"timm/{TIMM}"
COMMIT = "0123456789abcdef0123456789abcdef01234567"

needs_timm = pytest.mark.skipif(
    importlib.util.find_spec("timm") is None, reason="needs timm: pip install 'fashseg[timm]'"
)
needs_smp = pytest.mark.skipif(
    importlib.util.find_spec("segmentation_models_pytorch") is None,
    reason="needs segmentation_models_pytorch: pip install 'fashseg[smp]'",
)


def weights_of_timm(path: Path, classes: int = 1000, seed: int = 5) -> dict[str, torch.Tensor]:
    """Write a file as timm publishes it: colour images, ``classes`` classes, its own names."""
    import timm

    torch.manual_seed(seed)
    network = timm.create_model(TIMM, num_classes=classes)
    state = {name: value + 0.01 if value.is_floating_point() else value for name, value in network.state_dict().items()}
    save_file({name: value.contiguous() for name, value in state.items()}, path)
    return state


@contextmanager
def hub(files: dict[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """Serve files of repositories by path; gives the address, and what was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self, *, body: bool) -> None:
            asked.append(f"{self.command} {self.path[1:]}")
            content = files.get(self.path[1:])
            self.send_response(404 if content is None else 200)
            self.send_header("X-Repo-Commit", COMMIT)
            if content is None:
                self.send_header("X-Error-Code", "EntryNotFound")
            content = content or b""
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def do_GET(self) -> None:
            self.answer(body=True)

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
