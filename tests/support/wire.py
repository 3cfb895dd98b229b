"""What the tests of the two servers share: requests, frames, raw connections."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import httpx2

from helpers.models.process import ServerProcess

HTTP = httpx2.Client(
    trust_env=False, timeout=30, limits=httpx2.Limits(keepalive_expiry=1)
)
"""Keeps its connections: what one answer leaves behind, the next one meets.

But not for long: llama.cpp's server closes one that was silent for five seconds.
"""

UNPACED = {"ttft": 0, "pace": 0}
"""A script without waits."""


def asks(prompt: str = "Say hello", **more: object) -> dict[str, object]:
    """Return the body of a request."""
    return {"model": "m", "messages": [{"role": "user", "content": prompt}], **more}


def post(url: str, body: object) -> httpx2.Response:
    """Send a request, and return all of the response."""
    return HTTP.post(f"{url}/chat/completions", json=body)


def payloads(text: str) -> list[str]:
    """Return what a stream's frames hold."""
    return [event.removeprefix("data: ") for event in text.split("\n\n") if event]


def said(text: str) -> str:
    """Return the text that the frames of a stream add up to."""
    chunks = [json.loads(data) for data in payloads(text) if data != "[DONE]"]
    return "".join(
        choice["delta"].get("content") or ""
        for chunk in chunks
        for choice in chunk["choices"]
    )


def raw(body: object, *headers: str, version: str = "1.1") -> bytes:
    """Return a request as its bytes; with an object, as JSON with its length."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    if body is not data:
        headers = (*headers, f"Content-Length: {len(data)}")
    first = f"POST /v1/chat/completions HTTP/{version}"
    return "\r\n".join([first, "Host: localhost", *headers, "", ""]).encode() + data


@contextmanager
def quiet_server() -> Iterator[ServerProcess]:
    """Start a scripted model, which has to end with nothing in its log."""
    with closing(ServerProcess("helpers.scripted")) as server:
        yield server
        server.close(patience=30)  # it may be slow to end; a machine may be busy
    assert server.ended() == "exit code 0. The end of its log:\n  (it is empty)"


def connect(url: str) -> socket.socket:
    """Open a connection to the server."""
    place = urlsplit(url)
    return socket.create_connection((place.hostname, place.port), timeout=30)


def exchange(url: str, *parts: bytes) -> bytes:
    """Send the parts, and return what comes back until the server closes."""
    with connect(url) as connection:
        for part in parts:
            connection.sendall(part)
        return until_closed(connection)


def until_closed(connection: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))
