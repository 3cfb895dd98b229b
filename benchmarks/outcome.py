"""What came of an attack, and the clients that all attacks have in common."""

import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PATIENCE = 30.0
"""Seconds until something is given up: a server that is only slow has not fallen."""


@dataclass
class Outcome:
    """How an attack went."""

    what: str
    tried: int = 0
    held: int = 0
    wrong: str = ""
    """The first thing that did not hold."""
    figures: list[str] = field(default_factory=list)
    """What was measured, beside what was asked for."""

    def note(self, wrong: str) -> None:
        """Count a try, and what is wrong with its outcome, if anything."""
        self.tried += 1
        self.held += not wrong
        self.wrong = self.wrong or wrong


def connect(url: str) -> socket.socket:
    """Open a connection to the server."""
    place = urlsplit(url)
    return socket.create_connection((place.hostname, place.port), timeout=PATIENCE)


def post(
    body: bytes,
    *headers: str,
    version: str = "1.1",
    path: str = "/v1/chat/completions",
) -> bytes:
    """Return a request as its bytes; the answer to version 1.0 ends the connection."""
    first = f"POST {path} HTTP/{version}"
    lines = [first, "Host: localhost", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def exchange(url: str, *parts: bytes, and_no_more: bool = False) -> bytes:
    """Send the parts, and return what comes until the server closes.

    `and_no_more`: tell the server that nothing follows, so that it waits for nothing.
    """
    data = b""
    with connect(url) as connection, contextlib.suppress(OSError):
        for part in parts:
            connection.sendall(part)
        if and_no_more:
            connection.shutdown(socket.SHUT_WR)
        while more := connection.recv(65536):
            data += more
    return data


def until(condition: Callable[[], bool]) -> bool:
    """Wait until it holds; return whether it does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
