"""A local server that can misbehave."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Answer(NamedTuple):
    """What the server says to a request.

    Attributes:
        length: as it is told, -1 for the right one, None for none.
        ranges: whether a part of the body can be asked for.
        says: what is told as the part that is sent, in place of the truth.
        cut: so many bytes are sent of the body, or of the part of it, and then the connection ends.
        stalls: it does not end there, but nothing more comes.
    """

    body: bytes = b""
    status: int = 200
    length: int | None = -1
    location: str | None = None
    silent: bool = False
    ranges: bool = False
    says: str | None = None
    cut: int | None = None
    stalls: bool = False

    def part(self, asked: str | None) -> "tuple[Answer, dict[str, str]]":
        """The answer to a request for a range, and the header that tells it."""
        if not asked or not self.ranges:
            return self, {}
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(self.body):
            return self._replace(body=b"", status=416), {"Content-Range": f"bytes */{len(self.body)}"}
        says = self.says or f"bytes {start}-{len(self.body) - 1}/{len(self.body)}"
        return self._replace(body=self.body[start:], status=206), {"Content-Range": says}


class Server(NamedTuple):
    """A running server, the paths it was asked for, the ranges asked for with them, and the bytes sent to each."""

    url: str
    asked: list[str]
    ranges: list[str | None]
    sent: list[int]


@contextmanager
def serving(answers: Mapping[str, Answer]) -> Iterator[Server]:
    """Serve ``answers`` by path, without the first slash; 404 for the rest."""
    seen = Server("", [], [], [])
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.asked.append(self.path[1:])
            seen.ranges.append(self.headers["Range"])
            answer, headers = answers.get(self.path[1:], Answer(b"not here", 404)).part(self.headers["Range"])
            seen.sent.append(len(answer.body[: answer.cut]))
            if answer.silent:
                released.wait(10)
                return
            self.send_response(answer.status)
            if answer.location is not None:
                headers["Location"] = answer.location
            if answer.length is not None:
                headers["Content-Length"] = str(len(answer.body) if answer.length < 0 else answer.length)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):  # the client had enough
                self.wfile.write(answer.body[: answer.cut])
            if answer.stalls:
                released.wait(30)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield seen._replace(url=f"http://127.0.0.1:{server.server_port}/")
    finally:
        released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def closed_port() -> str:
    """An address where nobody listens."""
    with serving({}) as server:
        return server.url
