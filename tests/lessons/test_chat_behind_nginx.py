"""The chat of notebook 06b behind nginx: what is held back, and what comes through.

The model says half of its answer and waits for the test, so that what a reader has by
then is a fact, and no matter of time.
"""

import asyncio
import contextlib
import re
import select
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, WebSocket
from langchain_core.messages import AIMessageChunk
from starlette.middleware.gzip import GZipMiddleware
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as connect_websocket

from helpers import serve
from helpers.serving.nginx import find_nginx, nginx
from tests.support.chat_app import chat_app
from tests.support.fixtures import Require, Taught
from tests.support.recorded import recorded
from tests.support.served import asking, read_tokens, running, scripted, until
from tests.support.wire import connect
from tools.taught import texts

__all__ = ["chat_app"]  # a fixture

HALF = ["Because", " people"]
REST = [" read", " along."]
UNAWARE = "proxy_ignore_headers X-Accel-Buffering; proxy_http_version 1.0;"
"""An nginx that does not heed the app, and asks it as nginx did until 1.29.7."""

BLOCK = re.compile(r"```nginx\nlocation / {\n(.*?)}\n```", re.DOTALL)
"""The directives that notebook 06c gives its readers to copy."""

Behind = Callable[..., AbstractContextManager[str]]


class Waiting:
    """A model that says half of its answer, and the rest when it may."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.waits = threading.Event()

    async def astream(self, question: str) -> AsyncIterator[AIMessageChunk]:
        for text in HALF:
            yield AIMessageChunk(text)
        self.waits.set()
        await asyncio.to_thread(self.may_go_on.wait, 30)
        for text in REST:
            yield AIMessageChunk(text)
        yield AIMessageChunk("", response_metadata={"finish_reason": "stop"})


@pytest.fixture
def behind(taught: Taught, require: Require) -> Behind:
    """Serve the app behind nginx: `with behind(model, directives) as url:`."""
    require(find_nginx(), "nginx is not installed")
    app = taught("06b")["app"]

    @contextlib.contextmanager
    def serve_behind(model: Any, directives: str) -> Iterator[str]:
        app.state.model = model
        # To a client of HTTP/1.0, h11 sends a body without marks in between.
        with running(app, http="h11") as (_, url):
            passing = {"/": f"proxy_pass {url}; {directives}"}
            with nginx(passing) as front:
                yield front

    return serve_behind


def rest_of(connection: socket.socket) -> bytes:
    """Return what comes until the connection ends."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def is_whole(answer: bytes) -> bool:
    """Return whether all that the model says is there, and the end."""
    return answer.count(b"event: token") == len(HALF + REST) and b"done" in answer


@pytest.mark.parametrize(
    "directives",
    [
        pytest.param("", id="as it comes: the app says X-Accel-Buffering: no"),
        pytest.param(UNAWARE + "proxy_buffering off;", id="proxy_buffering off"),
        pytest.param(UNAWARE.replace("1.0", "1.1"), id="proxy_http_version 1.1"),
    ],
)
def test_half_of_an_answer_comes_through(behind: Behind, directives: str) -> None:
    model = Waiting()
    with behind(model, directives) as url, connect(url) as reader:
        reader.sendall(asking("Why?", version="1.0"))
        half = read_tokens(reader, len(HALF))
        model.may_go_on.set()
        assert is_whole(half + rest_of(reader))


def test_the_block_to_copy_needs_no_header(behind: Behind) -> None:
    (block,) = BLOCK.findall("\n".join(texts("06c", "markdown")))
    elsewhere = re.sub(r"proxy_pass .*?;", "", block)
    model = Waiting()
    ignoring = f"proxy_ignore_headers X-Accel-Buffering; {elsewhere}"
    with behind(model, ignoring) as url, connect(url) as reader:
        reader.sendall(asking("Why?", version="1.0"))
        half = read_tokens(reader, len(HALF))
        model.may_go_on.set()
        assert is_whole(half + rest_of(reader))
        assert httpx2.post(f"{url}/chat", content=b"x" * 70_000).status_code == 413


@pytest.mark.parametrize("host", [True, False])
def test_the_block_to_copy_tells_the_app_its_own_host(
    *, host: bool, chat_app: Any, require: Require
) -> None:
    """A page on plain HTTP sends `Origin`, and no `Sec-Fetch-Site`."""
    require(find_nginx(), "nginx is not installed")
    (block,) = BLOCK.findall("\n".join(texts("06c", "markdown")))
    if not host:
        block = re.sub(r"proxy_set_header Host .*?;", "", block)
    chat_app.model = scripted(tokens=HALF)
    asked = {"messages": [{"role": "user", "content": "Hi"}]}
    with serve(chat_app.app) as url:
        passing = re.sub(r"proxy_pass .*?;", f"proxy_pass {url};", block)
        with nginx({"/": passing}) as front:
            answer = httpx2.post(f"{front}/chat", json=asked, headers={"origin": front})
    assert answer.status_code == (200 if host else 403)


def test_a_websocket_needs_two_lines_more(require: Require) -> None:
    require(find_nginx(), "nginx is not installed")
    app = FastAPI()

    @app.websocket("/talk")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("on")
        await websocket.close()

    prose = "\n".join(texts("06c", "markdown"))
    (block,) = BLOCK.findall(prose)
    lines = " ".join(re.findall(r"`(proxy_set_header .*?;)`", prose))
    with running(app) as (_, url):
        passing = re.sub(r"proxy_pass .*?;", f"proxy_pass {url};", block)
        with nginx({"/": passing}) as front, pytest.raises(InvalidStatus):
            connect_websocket(f"{front.replace('http', 'ws')}/talk")
        with (
            nginx({"/": passing + lines}) as front,
            connect_websocket(f"{front.replace('http', 'ws')}/talk") as socket,
        ):
            assert socket.recv() == "on"


def test_the_gzip_of_starlette_leaves_event_streams_alone(taught: Taught) -> None:
    model, app = Waiting(), taught("06b")["app"]
    app.state.model = model
    with (
        serve(GZipMiddleware(app, minimum_size=0)) as url,
        connect(url) as reader,
    ):
        wanted = b"\r\nAccept-Encoding: gzip\r\n\r\n"
        question = asking("Why?", version="1.0").removesuffix(b"\r\n\r\n")
        reader.sendall(question + wanted)
        half = read_tokens(reader, len(HALF))
        model.may_go_on.set()
        assert is_whole(half + rest_of(reader))


def test_nginx_refuses_a_long_address(behind: Behind) -> None:
    with behind(scripted(tokens=["Because."]), "") as url:
        latin, chinese = "w" * 4000, "\u5b57" * 4000
        for question, status in {latin: 200, chinese: 414}.items():
            by_address = httpx2.get(f"{url}/chat", params={"question": question})
            by_body = httpx2.post(f"{url}/chat", json={"question": question})
            assert (by_address.status_code, by_body.status_code) == (status, 200)
        target = by_address.request.url.raw_path
        assert 36_000 < len(target) < 37_000


def test_buffering_holds_the_first_half_back(behind: Behind) -> None:
    model = Waiting()
    with behind(model, UNAWARE + "proxy_buffering on;") as url, connect(url) as reader:
        reader.sendall(asking("Why?", version="1.0"))
        assert model.waits.wait(30)
        came, _, _ = select.select([reader], [], [], 0.2)
        assert not came, "nginx let it through"
        model.may_go_on.set()
        assert is_whole(rest_of(reader))


@pytest.mark.parametrize("buffering", ["on", "off"])
def test_who_leaves_nginx_stops_the_model(
    behind: Behind, request: pytest.FixtureRequest, buffering: str
) -> None:
    question = request.node.nodeid
    model = scripted(tokens=HALF + REST, fault="stall", at=len(HALF), stall=30)
    with behind(model, f"{UNAWARE} proxy_buffering {buffering};") as url:
        with connect(url) as reader:
            reader.sendall(asking(question))
            until(lambda: recorded(question, timeout=0), "the model was not asked")
        (left,) = recorded(question)  # once nothing is in flight any more
    assert left.left_after
    assert (left.chunks_sent, left.finished) == (len(HALF), False)
