"""What the tests of the two servers share: requests, frames, raw connections."""

import json
import socket
from urllib.parse import urlsplit

import httpx2

HTTP = httpx2.Client(trust_env=False, timeout=30)
"""Keeps its connections: what one answer leaves behind, the next one meets."""

FLAT_OUT = {"ttft": 0, "pace": 0}
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


def raw(body: bytes, *headers: str, version: str = "1.1") -> bytes:
    """Return a POST as its bytes; the connection closes after it."""
    lines = [
        f"POST /v1/chat/completions HTTP/{version}",
        "Host: here",
        "Connection: close",
        *headers,
    ]
    if not any("ength" in header or "ncoding" in header for header in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


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
