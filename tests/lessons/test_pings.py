"""The pings of notebook 06c: two easy ways that fail, and 06b's chat with EventStream.

`tests/serving/test_pings.py` has what EventStream promises by itself: a deadline inside
the frames, no frame lost or doubled, a save that goes on. Here it serves what is
taught, bare and behind a middleware, which reads it in a task of its own.
"""

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, aclosing
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from starlette.middleware.base import RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from helpers import serve
from helpers.serving.pings import EventStream
from tests.support.fixtures import Taught
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


# Two ways that look easy


async def test_wait_for_ends_the_answer_at_the_first_ping() -> None:
    go_on = asyncio.Event()

    async def silent() -> Frames:
        await go_on.wait()
        yield "a"

    frames = silent()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(frames), 0.05)  # limit: in vain
    go_on.set()
    assert [each async for each in frames] == []


async def test_a_new_task_for_each_frame_switches_a_deadline_off() -> None:
    async def until_a_deadline() -> Frames:
        async with asyncio.timeout(0.1):  # limit: it expires
            for _ in range(10):
                yield "a"
                await asyncio.sleep(0.04)  # pace: all of them take longer

    frames = until_a_deadline()
    for _ in range(10):
        assert await asyncio.ensure_future(anext(frames)) == "a"
    await frames.aclose()


# Notebook 06b's frames, sent with pings


@pytest.fixture(autouse=True)
def without_the_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def lesson(taught: Taught) -> dict[str, Any]:
    return taught("06b")


@pytest.fixture(params=[False, True], ids=["bare", "middleware"])
def chat(lesson: dict[str, Any], request: pytest.FixtureRequest) -> Chat:
    """Serve the lesson's frames: `with chat(model(), every=0.05) as url:`."""
    app = FastAPI()

    async def pass_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)

    if request.param:
        app.middleware("http")(pass_on)

    def serve_on(model: Any, *, every: float) -> AbstractContextManager[str]:
        lesson["app"].state.model = model

        @app.get("/chat")
        async def pinging(question: str) -> Response:
            return EventStream(lesson["frames"](question), every=every)

        return serve(app)

    return serve_on


def test_an_answer_with_pings_is_whole(chat: Chat, question: str) -> None:
    thinking = model(tokens=TOKENS, fault="late_first_token", stall=0.5)
    with chat(thinking, every=0.05) as url:
        answer = httpx2.get(f"{url}/chat", params={"question": question}, timeout=60)
    assert answer.text.startswith(PING.decode())
    assert text_of(events(answer.text)) == "".join(TOKENS)
    assert names(events(answer.text))[-1] == "done"


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
def test_what_was_said_to_who_leaves_is_saved_and_the_model_stops(
    *,
    lesson: dict[str, Any],
    chat: Chat,
    question: str,
    fault: str,
    tokens: int,
    every: float,
    pings: int,
) -> None:
    saved, frames = list[str](), lesson["frames"]

    async def saving(question: str) -> Frames:  # as notebook 06d does
        said = ""
        try:
            async with aclosing(frames(question)) as each_frame:
                async for each in each_frame:
                    said += each.decode()
                    yield each
        finally:
            with anyio.move_on_after(LONG, shield=True):
                await asyncio.sleep(0.05)  # pace: of saving
                saved.append(said)

    lesson["frames"] = saving
    silent = model(tokens=TOKENS, fault=fault, at=tokens, stall=LONG)
    with chat(silent, every=every) as url:
        leave(url, question, tokens=tokens, pings=pings)
        (request,) = recorded(question)  # once nothing is in flight any more
        until(lambda: saved, "nothing was saved")
    assert [each.count("event: token") for each in saved] == [tokens]
    assert request.left_after < LONG
    assert (request.chunks_sent, request.finished) == (tokens, False)


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


def test_twenty_who_leave_in_a_burst_stop_the_model(chat: Chat, question: str) -> None:
    burst = model(tokens=[" on"] * 2000, fault="stall", at=1000, stall=LONG)
    with chat(burst, every=0.01) as url:
        readers = [f"{question} {number}" for number in range(20)]
        for each in readers:
            with connect(url) as connection:
                connection.sendall(asking(each))
                read_tokens(connection, 1)
        found = [request.finished for each in readers for request in recorded(each)]
    assert found == [False] * len(readers)
