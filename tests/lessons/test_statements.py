"""What lessons state of libraries without a cell that shows it."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from functools import reduce
from operator import add, itemgetter
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import httpx
import httpx2
import openai
import pytest
from fastapi import FastAPI, Request, sse
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.runnables import RunnablePassthrough
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, StringConstraints
from starlette.types import Message, Receive, Scope, Send

from helpers import serve
from helpers.models import script
from helpers.serving.javascript import run_javascript
from tests.support.fixtures import Taught
from tests.support.served import running


def test_fastapi_says_ping_after_15_seconds_of_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Notebook 06a; the pause is shortened, so that nobody has to wait for it."""
    assert sse._PING_INTERVAL == 15
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.1)
    app = FastAPI()

    @app.get("/", response_class=EventSourceResponse)
    async def silent() -> AsyncIterator[str]:
        yield "one"
        await anyio.sleep(1)  # pace: ten times as long as the pause
        yield "two"

    with serve(app) as url:
        one, *pings, two = httpx2.get(url).text.strip().split("\n\n")
    assert (one, set(pings), two) == ('data: "one"', {": ping"}, 'data: "two"')


def test_an_exception_after_a_whole_body_cuts_off_the_next_request() -> None:
    """Notebook 06a; here the exception waits until the next request is there."""
    app, said, asked = FastAPI(), asyncio.Event(), asyncio.Event()

    @app.get("/careless", response_class=EventSourceResponse)
    async def careless() -> AsyncIterator[str]:
        yield "one"
        await said.wait()
        for _ in range(10):  # at once, it would cut off this very answer
            await anyio.lowlevel.checkpoint()
        raise LookupError

    @app.get("/next")
    async def next_one(request: Request) -> None:
        asked.set()
        while (await request.receive())["type"] != "http.disconnect":
            pass

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        async def noting(message: Message) -> None:
            await send(message)
            if message.get("body"):
                said.set()

        try:
            await app(scope, receive, noting)
        except* LookupError:
            await asked.wait()  # in life, it may be quicker than who asks
            raise

    with serve(late, quiet=True) as url, httpx2.Client(base_url=url) as client:
        assert client.get("/careless").text == 'data: "one"\n\n'
        with pytest.raises(httpx2.RemoteProtocolError):
            client.get("/next")


def test_event_source_comes_back_with_the_last_id() -> None:
    """Notebooks 06a and 06b."""
    app, headers = FastAPI(), []

    @app.get("/chat")
    async def chat(request: Request) -> StreamingResponse:
        headers.append(request.headers.get("last-event-id"))
        return StreamingResponse(
            iter(["retry: 10\n\nid: 7\ndata: half\n\n"]), media_type="text/event-stream"
        )

    with serve(app) as url:
        run_javascript(
            """
            const source = new EventSource("chat");
            let times = 0;
            source.onmessage = () => { if (++times === 2) source.close(); };
            """,
            page=url,
        )
    assert headers == [None, "7"]


def test_what_is_frozen_is_freed_but_not_collected() -> None:
    """Notebook 06d."""

    class Node:
        other: object = None

    alone, circle = Node(), Node()
    circle.other = circle
    kept = [weakref.ref(alone), weakref.ref(circle)]
    gc.freeze()
    try:
        del alone, circle
        gc.collect()
        assert [each() is not None for each in kept] == [False, True]
    finally:
        gc.unfreeze()
    gc.collect()
    assert kept[1]() is None


def test_the_lifespan_freezes_what_is_loaded_while_the_app_serves(
    taught: Taught,
) -> None:
    """Notebook 06d."""
    lifespan = taught("06d")["lifespan"]
    with serve(FastAPI(lifespan=lifespan)):
        assert gc.get_freeze_count() > 100_000
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize(
    ("options", "asks"),
    [
        ({}, True),
        ({"base_url": "http://127.0.0.1:9"}, None),
        ({"base_url": "https://api.openai.com/v1"}, None),
        ({"openai_proxy": "http://127.0.0.1:9"}, None),
        ({"http_client": httpx.Client()}, None),
        ({"http_async_client": httpx.AsyncClient()}, None),
    ],
)
def test_usage_is_asked_for_only_on_the_plain_way_to_openai(
    options: dict[str, Any], asks: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notebooks 03, 09b and 10a."""
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    assert ChatOpenAI(**options).stream_usage is asks
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    assert ChatOpenAI(**options).stream_usage is None


def test_snapshots_under_a_key_cannot_be_added() -> None:
    """Notebook 04; `update` has the whole object."""
    model = ChatOpenAI(**script(tokens=['{"nights": 3', "6", "5}"], ttft=0, pace=0))
    form = RunnablePassthrough.assign(form=itemgetter("q") | model | JsonOutputParser())
    items, updated = list(form.stream({"q": "Hi"})), dict[str, Any]()
    for item in items:
        updated.update(item)
    assert updated == {"q": "Hi", "form": {"nights": 365}}
    with pytest.raises(TypeError, match="'form'"):
        reduce(add, items)


@pytest.mark.parametrize(
    ("tokens", "last", "added"),
    [
        (["[1", ", 2", "]"], [1, 2], [1, 1, 2]),
        (['"Hel', 'lo"'], "Hello", "HelHello"),
        (["3", "6", "5"], 365, 3 + 36 + 365),
    ],
)
def test_other_snapshots_add_up_to_something_wrong(
    tokens: list[str], last: object, added: object
) -> None:
    """Notebook 04."""
    model = ChatOpenAI(**script(tokens=tokens, ttft=0, pace=0))
    form = RunnablePassthrough.assign(form=itemgetter("q") | model | JsonOutputParser())
    items = list(form.stream({"q": "Hi"}))
    assert (items[-1]["form"], reduce(add, items)["form"]) == (last, added)


@pytest.mark.parametrize(
    ("tokens", "found"),
    [(["Here ", "you ", "are"], []), (["3 ", "apples"], [3]), (["[see ", "5]"], [[]])],
)
def test_prose_that_begins_like_json_gives_an_item(
    tokens: list[str], found: list[object]
) -> None:
    """Notebook 08 shows the prose that gives none."""
    model = ChatOpenAI(**script(tokens=tokens, ttft=0, pace=0))
    assert list((model | JsonOutputParser()).stream("Hi")) == found


def test_a_server_that_never_begins_is_given_up_three_times() -> None:
    """Notebooks 09a and 11: `timeout` counts for each attempt, by default three.

    The client counts: on a busy machine, it may give up before the server has heard.
    """
    silent, sent = script(fault="late_headers", stall=30), list[httpx2.Request]()
    with httpx2.Client(event_hooks={"request": [sent.append]}) as client:
        model = ChatOpenAI(timeout=0.5, http_client=client, **silent)
        with pytest.raises(openai.APITimeoutError):
            model.invoke("Hi")
    assert len(sent) == 3


def ends_early(reads: Iterator[str]) -> bool:
    """Return whether the connection breaks before the end of the answer."""
    try:
        return not list(reads)
    except httpx2.RemoteProtocolError:
        return True


@pytest.mark.parametrize(
    ("limit", "cut"),
    [pytest.param(None, False, id="no limit"), pytest.param(1, True, id="a limit")],
)
def test_a_server_that_stops_lets_answers_end(limit: int | None, *, cut: bool) -> None:
    """Notebook 06d."""
    app, saved = FastAPI(), list[str]()

    @app.get("/")
    async def slow() -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            try:
                yield "on"
                await anyio.sleep(3)  # pace: it is longer than the limit
                yield "off"
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(0.5)  # pace: of saving
                    saved.append("on")

        return StreamingResponse(parts())

    with (
        running(app, timeout_graceful_shutdown=limit) as (server, url),
        httpx2.stream("GET", url) as answer,
    ):
        reads = answer.iter_text()
        assert next(reads) == "on"
        server.should_exit = True
        assert ends_early(reads) is cut
    assert saved == ([] if cut else ["on"])


def test_fastapi_cannot_repeat_half_a_character() -> None:
    """Notebook 06b."""
    app = FastAPI()

    class Ask(BaseModel):
        question: Annotated[str, StringConstraints(max_length=1)]

    @app.post("/chat")
    async def chat(ask: Ask) -> None:
        raise NotImplementedError

    with serve(app, quiet=True) as url:
        body = b'{"question": "\\ud800"}'
        headers = {"content-type": "application/json"}
        response = httpx2.post(f"{url}/chat", content=body, headers=headers)
    assert response.status_code == 500


def test_a_model_that_reasons_counts_its_thoughts_as_output() -> None:
    """Notebook 01: so its TPOT needs the other tokens alone."""
    plan = script(tokens=[" on"] * 3, reasoning=["Hm", "."], ttft=0, pace=0)
    model = ChatOpenAI(use_responses_api=True, **plan)
    usage = model.invoke("Go on", reasoning={"summary": "auto"}).usage_metadata
    assert usage
    assert usage["output_tokens"] == 5
    assert usage["output_token_details"].get("reasoning") == 2
