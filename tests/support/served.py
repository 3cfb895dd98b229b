"""What the tests of served apps share: a model with a script, readers, events."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import uvicorn
from langchain_openai import ChatOpenAI

from helpers.models import script
from tests.support.wire import UNPACED

Event = tuple[str, dict[str, Any]]

TOKENS = ["One", " two", "\n\n", "event: four"]
PHASES = pytest.mark.parametrize(
    ("fault", "tokens"),
    [
        pytest.param("late_headers", 0, id="before the model answers"),
        pytest.param("late_first_token", 0, id="before the first token"),
        pytest.param("stall", 2, id="between two tokens"),
        pytest.param("stall", len(TOKENS), id="before the end"),
    ],
)
"""When a reader leaves: the fault that makes the model pause, the tokens by then."""


def scripted(**options: Any) -> ChatOpenAI:
    """Return a model that says its script, unpaced, and is asked once."""
    # With a limit for the wait, Python 3.11 may not hear that a reader has left.
    sure: dict[str, Any] = {"max_retries": 0, "stream_chunk_timeout": None}
    return ChatOpenAI(stream_usage=True, **sure, **script(**UNPACED | options))


def asking(question: str, *, version: str = "1.1") -> bytes:
    """Return the bytes that ask; the answer to version 1.0 ends with its connection."""
    target = f"/chat?question={quote(question)}"
    return f"GET {target} HTTP/{version}\r\nHost: localhost\r\n\r\n".encode()


def read_tokens(connection: socket.socket, count: int) -> bytes:
    """Read until there are as many tokens; return all that came."""
    data = b""
    while data.count(b"event: token") < count:
        more = connection.recv(65536)
        assert more, f"the answer ended: {data!r}"
        data += more
    return data


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until it holds; after 120 seconds, fail and say what did not happen."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def events(text: str) -> list[Event]:
    """Return the events of a stream: the name of each, and its data."""
    found = []
    for frame in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in frame.splitlines())
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def names(found: list[Event]) -> list[str]:
    """Return the names of the events."""
    return [name for name, _ in found]


def text_of(found: list[Event]) -> str:
    """Return the text that the tokens add up to."""
    return "".join(data["text"] for name, data in found if name == "token")


@contextlib.contextmanager
def running(app: Any, **options: Any) -> Iterator[tuple[uvicorn.Server, str]]:
    """Run uvicorn with options of its own; yield the server, and its URL."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, **options))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # A daemon: a test that fails must not keep the others from ending.
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield server, f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
    assert not thread.is_alive()
