"""The pings of notebook 06c in the chat of 06b: a silent model is not taken for dead.

They change neither what arrives nor who stops the model: pinging takes a task of its
own, and a task of its own is how a model goes on for a reader who has left.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, ExitStack, aclosing
from contextvars import ContextVar
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from langchain_core.messages import AIMessageChunk
from langchain_openai import ChatOpenAI

from helpers import serve
from helpers.models import script
from helpers.serving.javascript import JavaScriptError, run_javascript
from helpers.serving.nginx import find_nginx, nginx
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
WithPings = Callable[..., Frames]

PING = b": ping\n\n"
LONG = 30
"""Seconds of a silence that nobody waits for."""


@pytest.fixture
def with_pings(taught: Taught) -> WithPings:
    found: WithPings = taught("06c")["with_pings"]
    return found


@pytest.fixture
def lesson(taught: Taught) -> dict[str, Any]:
    return taught("06b")


@pytest.fixture
def chat(lesson: dict[str, Any], with_pings: WithPings) -> Chat:
    """Serve 06b's frames, with pings: `with chat(model(), every=0.05) as url:`."""
    app, answer = FastAPI(), lesson["EventStream"]

    def serve_on(model: Any, *, every: float) -> AbstractContextManager[str]:
        lesson["app"].state.model = model

        async def pinging(question: str) -> Any:
            return answer(with_pings(lesson["frames"](question), every))

        app.get("/chat", response_class=answer)(pinging)
        app.post("/chat", response_class=answer)(pinging)
        return serve(app)

    return serve_on


class Silence:
    """Frames that come when the reader has heard a ping, or `go_on` is set."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def before(self, *frames: str) -> Frames:
        """Wait, then yield the frames."""
        await self.go_on.wait()
        for frame in frames:
            yield frame

    async def read(self, pinging: Frames) -> list[str]:
        """Read to the end; the first ping ends the silence."""
        got = []
        async for each in pinging:
            got.append(each)
            if each.encode() == PING:
                self.go_on.set()
        return got


# What arrives


async def test_frames_that_come_in_time_have_no_pings_between(
    with_pings: WithPings,
) -> None:
    silence = Silence()
    silence.go_on.set()
    pinging = with_pings(silence.before("a", "b"))
    assert [each async for each in pinging] == ["a", "b"]


async def test_pings_fill_a_silence(with_pings: WithPings) -> None:
    silence = Silence()
    pinging = with_pings(silence.before("a", "b"), every=0.05)
    first, *others = await silence.read(pinging)
    assert first.encode() == PING
    assert [each for each in others if each != first] == ["a", "b"]


async def test_an_exception_passes_through(with_pings: WithPings) -> None:
    async def failing() -> Frames:
        yield "a"
        raise LookupError("a bug")

    got = []
    with pytest.raises(LookupError, match="a bug"):
        async for each in with_pings(failing()):
            got.append(each)
    assert got == ["a"]


@pytest.mark.parametrize("last", [PING.decode(), "a"], ids=["a ping", "a frame"])
async def test_closing_it_closes_the_frames(with_pings: WithPings, last: str) -> None:
    closed = False

    async def noting() -> Frames:
        nonlocal closed
        try:
            yield "a"
            await asyncio.Event().wait()  # for ever
        finally:
            closed = True

    pinging = with_pings(noting(), every=0.05)
    async with asyncio.timeout(LONG / 6), aclosing(pinging):
        while await anext(pinging) != last:
            assert not closed
    assert closed


async def test_wait_for_would_end_the_answer_at_the_first_ping() -> None:
    silence = Silence()
    frames = silence.before("a", "b")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(frames), 0.05)  # limit: in vain
    silence.go_on.set()
    assert [each async for each in frames] == []


async def until_a_deadline() -> Frames:
    async with asyncio.timeout(0.1):  # limit: it expires
        for _ in range(10):
            yield "a"
            await asyncio.sleep(0.04)  # pace: all of them take longer


async def test_a_deadline_inside_the_frames_holds(with_pings: WithPings) -> None:
    with pytest.raises(TimeoutError):
        async for _ in with_pings(until_a_deadline(), every=0.01):
            pass


async def test_a_new_task_for_each_frame_would_switch_a_deadline_off() -> None:
    frames = until_a_deadline()
    for _ in range(10):
        assert await asyncio.ensure_future(anext(frames)) == "a"
    await frames.aclose()


async def test_a_context_goes_on_through_the_frames(with_pings: WithPings) -> None:
    trace, silence = ContextVar[str]("trace"), Silence()

    async def traced() -> Frames:
        token = trace.set("mine")
        yield "a"
        await silence.go_on.wait()
        yield trace.get()
        trace.reset(token)

    assert {*await silence.read(with_pings(traced(), every=0.03))} > {"a", "mine"}


async def test_the_frames_are_no_faster_than_their_reader(
    with_pings: WithPings,
) -> None:
    made = 0

    async def flood() -> Frames:
        nonlocal made
        while True:
            made += 1
            yield "a"

    async with aclosing(with_pings(flood())) as pinging:
        await anext(pinging)
        for _ in range(100):
            await asyncio.sleep(0)
        assert made <= 2


def test_an_answer_with_pings_is_whole(chat: Chat, question: str) -> None:
    thinking = model(tokens=TOKENS, fault="late_first_token", stall=1.5)
    with chat(thinking, every=0.05) as url:
        answer = httpx2.get(f"{url}/chat", params={"question": question}, timeout=60)
    assert answer.text.startswith(PING.decode())
    assert text_of(events(answer.text)) == "".join(TOKENS)
    assert names(events(answer.text))[-1] == "done"


def test_pings_do_not_keep_the_app_waiting_for_a_model_for_longer_than_its_timeout(
    chat: Chat, question: str
) -> None:
    silent = script(tokens=TOKENS, fault="late_first_token", stall=LONG)
    with chat(ChatOpenAI(timeout=1.5, max_retries=0, **silent), every=0.05) as url:
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
    thinking = model(tokens=TOKENS, fault="late_first_token", stall=3)
    with chat(thinking, every=every) as url:
        impatient = f"proxy_read_timeout 1s; proxy_pass {url}/chat?question=Hi;"
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

    async def saving(question: str) -> Frames:  # as notebook 06d does
        said = b""
        try:
            async with aclosing(frames(question)) as each_frame:
                async for each in each_frame:
                    said += each
                    yield each
        finally:
            with anyio.move_on_after(LONG, shield=True):
                await asyncio.sleep(0.05)  # pace: of saving
                saved.append(said)

    lesson["frames"] = saving
    silent = model(tokens=TOKENS, fault=fault, at=tokens, stall=LONG)
    with chat(silent, every=every) as url:
        leave(url, question, tokens=tokens, pings=pings)
        until(lambda: saved, "nothing was saved")
    assert [each.count(b"event: token") for each in saved] == [tokens]


def test_a_save_goes_on_when_its_reader_leaves(
    lesson: dict[str, Any], chat: Chat, question: str
) -> None:
    saved, frames, saves = list[str](), lesson["frames"], threading.Event()

    async def saving(question: str) -> Frames:
        async for each in frames(question):
            yield each
        with anyio.CancelScope(shield=True):
            saves.set()
            await asyncio.sleep(0.3)  # pace: of saving; meanwhile the reader leaves
            saved.append(question)

    lesson["frames"] = saving
    with chat(model(tokens=TOKENS), every=LONG) as url:
        with connect(url) as connection:
            connection.sendall(asking(question))
            assert saves.wait(LONG)
        until(lambda: saved, "nothing was saved")


def test_twenty_who_leave_in_a_steady_stream_stop_the_model(
    chat: Chat, question: str
) -> None:
    # Here the app may be sending a token, or a ping, or waiting for the model.
    steady = model(tokens=[" on"] * 5000, pace=2)
    with chat(steady, every=0.01) as url:
        readers = [f"{question} {number}" for number in range(20)]
        with ExitStack() as connections:
            for each in readers:
                connection = connections.enter_context(connect(url))
                connection.sendall(asking(each))
                read_tokens(connection, 1)
        left = [request.left_after for each in readers for request in recorded(each)]
    assert len(left) == len(readers)
    assert None not in left


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
