"""A web application served to this computer alone, until a signal ends it."""

import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

import uvicorn
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fashseg.demo.ports import HOST

# Gradio's page has scripts of its own inside, and makes functions out of templates; nothing comes from elsewhere.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; manifest-src 'self'; "
    "worker-src 'self' blob:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
_HOSTS = (HOST, "localhost")
_PATIENCE = 5  # seconds for what is under way when the end is asked for


def serve(application: ASGIApp, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until an exception, such as `fashseg.stopping.Stopped`, comes along.

    Args:
        application: to be served.
        listening: the socket that it is served at.
        ready: called when it is.
    """
    # A page of another site whose name was made to lead to this computer names that site as the host.
    guarded = TrustedHostMiddleware(_guarded(application), allowed_hosts=_HOSTS)
    # What uvicorn has to tell are tracebacks.
    config = uvicorn.Config(guarded, log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    ended = threading.Event()

    def run() -> None:
        try:
            server.run(sockets=[listening])
        finally:
            ended.set()

    # Not joined: a signal that comes while Python 3.11 joins a thread makes it take the thread for ended.
    threading.Thread(target=run, daemon=True).start()
    try:
        while not server.started and not ended.wait(0.02):
            pass
        if server.started:
            ready()
        while not ended.wait(0.5):
            pass
    finally:
        server.should_exit = True
        ended.wait(_PATIENCE)


def _guarded(application: ASGIApp) -> ASGIApp:
    """The application with headers by which a browser loads nothing from anywhere else, and for no page but its own."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is not None and urlsplit(origin).hostname not in _HOSTS:
            await PlainTextResponse("for its own page alone", 403)(scope, receive, send)
            return
        await application(scope, receive, send_with_headers)

    return answer
