"""An event stream with pings: a silent model is not taken for dead.

Pings change neither what arrives nor who stops the model; `test_stopping.py` has the
latter for every kind of source, with pings and without.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, aclosing
from contextvars import ContextVar
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from langchain_core.messages import AIMessageChunk
from langchain_openai import ChatOpenAI
from starlette.requests import ClientDisconnect
from starlette.types import Message

from helpers import serve
from helpers.models import script
from helpers.serving.javascript import JavaScriptError, run_javascript
from helpers.serving.nginx import find_nginx, nginx
from helpers.serving.pings import EventStream
from tests.support.fixtures import Require, Taught
from tests.support.recorded import recorded
from tests.support.served import (
    PHASES,
    TOKENS,
    asking,
    events,
    names,
    read_tokens,
    text_of,
    until,
)
from tests.support.served import scripted as model
from tests.support.wire import connect

Chat = Callable[..., AbstractContextManager[str]]
Frames = AsyncGenerator[str]

PING = b": ping\n\n"
LONG = 30
"""Seconds of a silence that nobody waits for."""


class Client:
    """A server and a reader in one: `sent` is what the app sent; `left` lets it go."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.left = asyncio.Event()
        self.under_way = 0

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        assert not self.under_way, "two messages at the same time"
        self.under_way += 1
        await asyncio.sleep(0)
        self.under_way -= 1
        if body := message.get("body"):
            self.sent.append(body)


async def respond(frames: Frames, *, every: float = 15, to: Client) -> list[bytes]:
    """Run the response, as a server would, to its end; return what it sent."""
    response = EventStream(frames, every=every)
    await response({"type": "http"}, to.receive, to.send)
    return to.sent


async def slowly(*frames: str, silence: float = 0.3) -> Frames:
    """Be silent, then yield the frames."""
    # pace: how long it takes there is the subject
    await asyncio.sleep(silence)
    for frame in frames:
        yield frame


# What arrives


async def test_frames_that_come_in_time_have_no_pings_between() -> None:
    assert await respond(slowly("a", "b"), to=Client()) == [b"a", b"b"]


async def test_pings_fill_a_silence() -> None:
    first, *others = await respond(slowly("a", "b"), every=0.05, to=Client())
    assert first == PING
    assert [each for each in others if each != PING] == [b"a", b"b"]


async def test_a_silence_begins_anew_with_each_frame() -> None:
    async def steady() -> Frames:
        for _ in range(20):
            # pace: how long it takes there is the subject
            await asyncio.sleep(0.02)
            yield "a"

    assert await respond(steady(), every=0.3, to=Client()) == [b"a"] * 20


async def test_no_frame_is_lost_or_doubled_or_cut_by_a_ping() -> None:
    async def close_to_the_pings() -> Frames:
        for number in range(200):
            # pace: how long it takes there is the subject
            await asyncio.sleep(0.001)
            yield f"{number}\n"

    sent = await respond(close_to_the_pings(), every=0.001, to=Client())
    assert sent.count(PING) > 10
    frames = [each for each in sent if each != PING]
    assert frames == [b"%d\n" % number for number in range(200)]


async def test_an_exception_passes_through() -> None:
    async def failing() -> Frames:
        yield "a"
        raise LookupError("a bug")

    client = Client()
    with pytest.raises(LookupError, match="a bug") as caught:
        await respond(failing(), to=client)
    assert client.sent == [b"a"]
    assert caught.traceback[-1].name == "failing"


@pytest.mark.parametrize("last", [PING, b"a"], ids=["a ping", "a frame"])
async def test_who_leaves_closes_the_frames(last: bytes) -> None:
    closed = asyncio.Event()

    async def noting() -> Frames:
        try:
            yield "a"
            # pace: how long it takes there is the subject
            await asyncio.sleep(LONG)
        finally:
            closed.set()

    client = Client()
    async with asyncio.timeout(LONG / 6):
        responding = asyncio.create_task(respond(noting(), every=0.02, to=client))
        while client.sent[-1:] != [last]:
            assert not closed.is_set()
            await asyncio.sleep(0)
        client.left.set()
        await responding
    assert closed.is_set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_deadline_inside_the_frames_holds() -> None:
    async def until_a_deadline() -> Frames:
        # pace: how long it takes there is the subject
        async with asyncio.timeout(0.1):
            for _ in range(10):
                yield "a"
                # pace: how long it takes there is the subject
                await asyncio.sleep(0.04)

    with pytest.raises(TimeoutError):
        await respond(until_a_deadline(), every=0.01, to=Client())


async def test_a_context_goes_on_through_the_frames() -> None:
    trace = ContextVar[str]("trace")

    async def traced() -> Frames:
        token = trace.set("mine")
        yield "a"
        # pace: how long it takes there is the subject
        await asyncio.sleep(0.1)
        yield trace.get()
        trace.reset(token)

    sent = await respond(traced(), every=0.03, to=Client())
    assert {b"a", PING, b"mine"} == {*sent}


async def test_the_frames_are_no_faster_than_their_reader() -> None:
    made, stuck = 0, asyncio.Event()

    async def flood() -> Frames:
        nonlocal made
        while True:
            made += 1
            yield "a"

    class Slow(Client):
        async def send(self, message: Message) -> None:
            if message.get("body"):
                stuck.set()
                # pace: how long it takes there is the subject
                await asyncio.sleep(LONG)

    client = Slow()
    responding = asyncio.create_task(respond(flood(), every=0.01, to=client))
    await stuck.wait()
    # pace: how long it takes there is the subject
    await asyncio.sleep(0.05)
    client.left.set()
    await responding
    assert made == 1


async def test_a_reader_who_is_stuck_gets_no_pings_beside_the_frame() -> None:
    class Slow(Client):
        async def send(self, message: Message) -> None:
            self.under_way += bool(message.get("body"))
            assert self.under_way <= 1
            if message.get("body") == b"a":
                # pace: how long it takes there is the subject
                await asyncio.sleep(0.1)
            self.under_way -= bool(message.get("body"))

    await respond(slowly("a", "a", silence=0), every=0.01, to=Slow())


async def test_a_ping_that_fails_stops_the_frames() -> None:
    # A server of ASGI 2.4 says so if the reader has left.
    closed = asyncio.Event()

    async def silent() -> Frames:
        try:
            yield "a"
            # pace: how long it takes there is the subject
            await asyncio.sleep(LONG)
        finally:
            closed.set()

    class Gone(Client):
        async def send(self, message: Message) -> None:
            if message.get("body") == PING:
                raise OSError

    client, scope = Gone(), {"type": "http", "asgi": {"spec_version": "2.4"}}
    with pytest.raises(ClientDisconnect):
        await EventStream(silent(), every=0.01)(scope, client.receive, client.send)
    assert closed.is_set()


def test_headers_keep_proxies_and_caches_from_holding_it_back() -> None:
    headers = EventStream(slowly()).headers
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["x-accel-buffering"] == "no"
    assert headers["cache-control"] == "no-store, no-transform"
    mine = {"Cache-Control": "no-cache"}
    assert EventStream(slowly(), headers=mine).headers["cache-control"] == "no-cache"


def test_fastapi_can_describe_an_endpoint_that_sends_it() -> None:
    app = FastAPI()

    @app.get("/chat", response_class=EventStream)
    async def chat() -> EventStream:
        return EventStream(slowly("a"))

    (answers,) = [each["get"]["responses"] for each in app.openapi()["paths"].values()]
    assert list(answers["200"]["content"]) == ["text/event-stream"]


# In the app of notebook 06b


@pytest.fixture
def lesson(taught: Taught) -> dict[str, Any]:
    return taught("06b")


@pytest.fixture
def chat(lesson: dict[str, Any]) -> Chat:
    """Serve the lesson's frames: `with chat(model(), every=0.05) as url:`."""
    app = FastAPI()

    def serve_on(model: Any, *, every: float) -> AbstractContextManager[str]:
        lesson["app"].state.model = model

        async def pinging(question: str) -> EventStream:
            return EventStream(lesson["frames"](question), every=every)

        app.get("/chat", response_class=EventStream)(pinging)
        app.post("/chat", response_class=EventStream)(pinging)
        return serve(app)

    return serve_on


def test_an_answer_with_pings_is_whole(chat: Chat, question: str) -> None:
    thinking = model(tokens=TOKENS, fault="late_first_token", stall=0.5)
    with chat(thinking, every=0.05) as url:
        answer = httpx2.get(f"{url}/chat", params={"question": question}, timeout=60)
    assert answer.text.startswith(PING.decode())
    assert text_of(events(answer.text)) == "".join(TOKENS)
    assert names(events(answer.text))[-1] == "done"


def test_pings_do_not_keep_the_app_waiting_for_a_model_for_longer_than_its_timeout(
    chat: Chat, question: str
) -> None:
    silent = script(tokens=TOKENS, fault="late_first_token", stall=LONG)
    with chat(ChatOpenAI(timeout=0.5, max_retries=0, **silent), every=0.05) as url:
        answer = httpx2.get(f"{url}/chat", params={"question": question}, timeout=60)
    assert answer.text.startswith(PING.decode())
    assert names(events(answer.text)) == ["error"]


@pytest.mark.parametrize(
    ("every", "line"),
    [
        pytest.param(
            LONG,
            "TypeError: error reading a body from connection",
            id="without pings: cut",
        ),
        pytest.param(0.05, "".join(TOKENS) + ", done", id="with pings: whole"),
    ],
)
def test_nginx_cuts_a_model_that_is_silent_for_too_long(
    *,
    chat: Chat,
    lesson: dict[str, Any],
    question: str,
    require: Require,
    every: float,
    line: str,
) -> None:
    require(find_nginx(), "nginx is not installed")
    readers = [lesson[name] for name in ("FRAMES", "REFUSAL", "FETCH")]
    read = """
    let text = "", last;
    const log = (name, data) => { text += data.text ?? ""; last = name; };
    await readFetch("", log);
    console.log(`${text}, ${last}`);
    """
    thinking = model(tokens=TOKENS, fault="late_first_token", stall=1.5)
    with chat(thinking, every=every) as url:
        impatient = f"proxy_read_timeout 750ms; proxy_pass {url}/chat?question=Hi;"
        with nginx({"/chat": impatient}) as front:
            try:
                found = run_javascript(*readers, read, page=front)
            except JavaScriptError as error:
                found = str(error)
    assert found.strip() == line


# Readers who leave


def leave(url: str, question: str, *, tokens: int, pings: int) -> None:
    """Ask, wait for so many tokens and pings, and until the model is asked; leave."""
    with connect(url) as connection:
        connection.sendall(asking(question))
        data = read_tokens(connection, tokens)
        while data.count(PING) < pings:
            data += connection.recv(65536)
        until(lambda: recorded(question, timeout=0), "the model was not asked")


PINGS = pytest.mark.parametrize(
    ("every", "pings"),
    [pytest.param(0.05, 3, id="pings"), pytest.param(LONG, 0, id="no ping yet")],
)


@PINGS
@PHASES
def test_who_leaves_stops_the_model(
    *, chat: Chat, question: str, fault: str, tokens: int, every: float, pings: int
) -> None:
    silent = model(tokens=TOKENS, fault=fault, at=tokens, stall=LONG)
    with chat(silent, every=every) as url:
        leave(url, question, tokens=tokens, pings=pings)
        (request,) = recorded(question)  # once nothing is in flight any more
    assert request.left_after < LONG
    assert (request.chunks_sent, request.finished) == (tokens, False)


@PINGS
@PHASES
def test_what_was_said_to_who_leaves_is_saved(
    *,
    lesson: dict[str, Any],
    chat: Chat,
    question: str,
    fault: str,
    tokens: int,
    every: float,
    pings: int,
) -> None:
    saved, frames = list[bytes](), lesson["frames"]

    async def saving(question: str) -> Frames:  # as notebook 06d does, and no shield
        said = b""
        try:
            async with aclosing(frames(question)) as each_frame:
                async for each in each_frame:
                    said += each
                    yield each
        finally:
            # pace: how long it takes there is the subject
            await asyncio.sleep(0.05)
            saved.append(said)

    lesson["frames"] = saving
    silent = model(tokens=TOKENS, fault=fault, at=tokens, stall=LONG)
    with chat(silent, every=every) as url:
        leave(url, question, tokens=tokens, pings=pings)
        until(lambda: saved, "nothing was saved")
    assert [each.count(b"event: token") for each in saved] == [tokens]


@pytest.mark.parametrize("shield", [True, False], ids=["shield", "no shield"])
def test_a_save_goes_on_when_its_reader_leaves(
    *, lesson: dict[str, Any], chat: Chat, question: str, shield: bool
) -> None:
    saved, frames, saves = list[str](), lesson["frames"], threading.Event()

    async def saving(question: str) -> Frames:
        try:
            async for each in frames(question):
                yield each
        finally:
            with anyio.CancelScope(shield=shield):
                saves.set()
                # pace: how long it takes there is the subject
                await asyncio.sleep(0.3)
                saved.append(question)

    lesson["frames"] = saving
    with chat(model(tokens=TOKENS, fault="stall", at=2, stall=LONG), every=LONG) as url:
        with connect(url) as connection:
            connection.sendall(asking(question))
            read_tokens(connection, 2)
        assert saves.wait(LONG)
        until(lambda: saved, "nothing was saved")


class Flood:
    """A model whose every chunk is more than sockets take at once."""

    closed = False

    async def astream(self, question: str) -> AsyncIterator[AIMessageChunk]:
        try:
            while True:
                yield AIMessageChunk("x" * 10_000_000)
        finally:
            self.closed = True


def test_who_leaves_while_a_token_is_being_sent_stops_the_model(chat: Chat) -> None:
    flood = Flood()
    with chat(flood, every=0.05) as url:
        with connect(url) as slow:
            slow.sendall(asking("Go on"))
            read_tokens(slow, 1)
            assert not flood.closed
        until(lambda: flood.closed, "the stream of the model was left open")
