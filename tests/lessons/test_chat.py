"""The chat of notebooks 06a and 06b: who leaves, who is slow, and a model that fails.

The model's record says what was generated, and whether it went on for nobody.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import httpx2
import pytest
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langgraph.graph import START, MessagesState, StateGraph
from starlette.middleware.base import DispatchFunction, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from helpers import serve
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

LONG = 30
"""Seconds of a silence that nobody waits for."""
BOTH = pytest.mark.parametrize("notebook", ["06a", "06b"])


@pytest.fixture(autouse=True)
def without_the_collector() -> Iterator[None]:
    """Switch the garbage collector off: it would close by chance what was left open."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def chat(taught: Taught) -> Chat:
    """Serve a notebook's app on a model of the test's: `with chat(model()) as url:`."""

    def serve_on(
        model: Any, *, notebook: str = "06b", behind: DispatchFunction | None = None
    ) -> AbstractContextManager[str]:
        defined = taught(notebook)
        if behind:
            defined["app"].middleware("http")(behind)
        # Where 06a's app takes its model from, and where 06b's does.
        defined["llm"] = defined["app"].state.model = model
        return serve(defined["app"])

    return serve_on


def ask(url: str, question: str) -> httpx2.Response:
    """Ask, and return all of the answer."""
    return httpx2.post(f"{url}/chat", json={"question": question}, timeout=60)


def goes_on(url: str) -> bool:
    """Return whether the app still serves who comes next."""
    return httpx2.get(f"{url}/openapi.json", timeout=30).status_code == 200


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_an_answer_is_its_tokens_the_usage_and_the_end(
    chat: Chat, question: str, method: str
) -> None:
    field = {"question": question}
    body, query = (field, None) if method == "POST" else (None, field)
    with chat(model(tokens=TOKENS)) as url:
        response = httpx2.request(method, f"{url}/chat", json=body, params=query)
    *tokens, (usage, counted), end = events(response.text)
    assert tokens == [("token", {"text": text}) for text in TOKENS]
    assert (usage, counted["output_tokens"]) == ("usage", len(TOKENS))
    assert end == ("done", {"finish_reason": "stop"})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-accel-buffering"] == "no"


# A model that fails


@pytest.mark.parametrize(
    ("fault", "before"),
    [
        ("rate_limit", 0),
        ("server_error", 0),
        ("dropped", 0),
        ("dropped", 2),
        ("early_end", 2),
        ("error_frame", 2),
        ("malformed_frame", 2),
    ],
)
def test_a_model_that_fails_is_an_error_at_the_end(
    chat: Chat, question: str, fault: str, before: int
) -> None:
    failing = model(tokens=TOKENS, fault=fault, at=before)
    with chat(failing) as url:
        response = ask(url, question)
    found = events(response.text)
    assert names(found) == ["token"] * before + ["error"]
    assert found[-1][1]["message"]
    assert failing.openai_api_base not in response.text  # what only the owner may know


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_an_answer_that_is_cut_says_why(chat: Chat, question: str, reason: str) -> None:
    with chat(model(tokens=TOKENS, fault=reason, at=2)) as url:
        found = events(ask(url, question).text)
    assert names(found) == ["token", "token", "usage", "done"]
    assert found[-1][1] == {"finish_reason": reason}


# Readers who leave


@BOTH
@PHASES
def test_who_leaves_stops_the_model(
    chat: Chat, question: str, notebook: str, fault: str, tokens: int
) -> None:
    silent = model(tokens=TOKENS, fault=fault, at=tokens, stall=LONG)
    with chat(silent, notebook=notebook) as url:
        with connect(url) as connection:
            connection.sendall(asking(question))
            read_tokens(connection, tokens)
            until(lambda: recorded(question, timeout=0), "the model was not asked")
        (request,) = recorded(question)  # once nothing is in flight any more
        assert request.left_after < LONG
        assert (request.chunks_sent, request.finished) == (tokens, False)
        assert goes_on(url)


@BOTH
def test_twenty_who_leave_in_a_steady_stream_stop_the_model(
    chat: Chat, question: str, notebook: str
) -> None:
    # Here the app is as likely to be sending as to be waiting for the model.
    steady = model(tokens=[" on"] * 5000, pace=2)
    with chat(steady, notebook=notebook) as url:
        readers = [f"{question} {number}" for number in range(20)]
        with ExitStack() as connections:
            for each in readers:
                connection = connections.enter_context(connect(url))
                connection.sendall(asking(each))
                read_tokens(connection, 1)
        left = [request.left_after for each in readers for request in recorded(each)]
    assert len(left) == len(readers)
    assert None not in left


@BOTH
def test_who_leaves_in_a_burst_stops_the_model(
    chat: Chat, question: str, notebook: str
) -> None:
    # Faster than its reader: the app is sending, and then waits for the model.
    burst = model(tokens=[" on"] * 2000, fault="stall", at=1000, stall=LONG)
    with chat(burst, notebook=notebook) as url:
        with connect(url) as connection:
            connection.sendall(asking(question))
            read_tokens(connection, 4)
        (request,) = recorded(question)
    assert request.left_after


@BOTH
def test_who_leaves_in_a_burst_behind_a_middleware_stops_the_model(
    chat: Chat, question: str, notebook: str
) -> None:
    async def passing(request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)

    burst = model(tokens=[" on"] * 2000, fault="stall", at=1000, stall=LONG)
    with chat(burst, notebook=notebook, behind=passing) as url:
        with connect(url) as connection:
            connection.sendall(asking(question))
            read_tokens(connection, 4)
        (request,) = recorded(question)
    assert request.left_after


class Graph:
    """A graph of one step, read as a model is: `said` of notebook 06a."""

    def __init__(self, model: Any) -> None:
        async def answer(state: MessagesState) -> dict[str, list[BaseMessage]]:
            return {"messages": [await model.ainvoke(state["messages"])]}

        steps = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
        self.graph = steps.compile()

    async def astream(self, question: str) -> AsyncIterator[Any]:
        asked: Any = {"messages": [("user", question)]}
        async for chunk, _ in self.graph.astream(asked, stream_mode="messages"):
            yield chunk


@BOTH
def test_who_leaves_stops_the_model_of_a_graph(
    chat: Chat, question: str, notebook: str
) -> None:
    steady = model(tokens=[" on"] * 2000, pace=5)
    steady.stream_chunk_timeout = None  # or Python 3.11 may lose a cancellation
    with chat(Graph(steady), notebook=notebook) as url:
        with connect(url) as connection:
            connection.sendall(asking(question))
            read_tokens(connection, 2)
        (request,) = recorded(question)
    assert request.left_after


def test_who_leaves_after_the_end_has_had_it_all(chat: Chat, question: str) -> None:
    with chat(model(tokens=TOKENS)) as url:
        with connect(url) as connection:
            connection.sendall(asking(question))
            data = read_tokens(connection, len(TOKENS))
            while b"event: done" not in data:
                data += connection.recv(65536)
        (request,) = recorded(question)
        assert (request.finished, request.left_after) == (True, None)
        assert goes_on(url)


def test_who_leaves_before_the_question_is_complete_asks_nothing(
    chat: Chat, question: str
) -> None:
    with chat(model(tokens=TOKENS)) as url:
        head = "POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
        with connect(url) as connection:
            connection.sendall(head.encode() + b'{"question": "')
        assert goes_on(url)
    assert recorded(question) == []


# Many readers, and slow ones


async def test_two_hundred_readers_at_once_each_get_their_own_text(
    chat: Chat, question: str
) -> None:
    def words(question: str) -> list[str]:
        return [f"{question}, word {number}. " for number in range(10)]

    def answering(question: str) -> Runnable[Any, Any]:
        own = {"tokens": words(question), "ttft": 0.5, "pace": 20}
        return speaker.bind(extra_body={"script": own})

    speaker = model()
    questions = [f"{question} {number}" for number in range(200)]
    no_limits = httpx2.Limits(max_connections=None)
    with chat(RunnableLambda(answering)) as url:
        async with httpx2.AsyncClient(timeout=60, limits=no_limits) as client:
            asks = [client.post(f"{url}/chat", json={"question": q}) for q in questions]
            responses = await asyncio.gather(*asks)
    found = [events(response.text) for response in responses]
    assert [text_of(each) for each in found] == ["".join(words(q)) for q in questions]
    assert {names(each)[-1] for each in found} == {"done"}


def test_a_slow_reader_gets_all_and_holds_up_nobody(chat: Chat, question: str) -> None:
    words = [f" {number}" for number in range(500)]
    with chat(model(tokens=words)) as url, connect(url) as slow:
        slow.sendall(asking(question, version="1.0"))
        data = read_tokens(slow, 1)
        assert text_of(events(ask(url, question).text)) == "".join(words)
        while more := slow.recv(100):
            data += more
    assert data.count(b"event: token") == len(words)
    assert b"event: done" in data


class Endless:
    """A model that goes on as long as it is asked to."""

    taken = 0
    closed = False

    async def astream(self, question: str) -> AsyncIterator[AIMessageChunk]:
        try:
            while True:
                self.taken += 1
                assert self.taken < 2000, "nothing holds the app back"
                await asyncio.sleep(0)  # a model waits for its network
                yield AIMessageChunk("x" * 65536)
        finally:
            self.closed = True


@BOTH
def test_a_model_is_not_read_on_for_a_reader_who_does_not_read(
    chat: Chat, notebook: str
) -> None:
    endless = Endless()
    with chat(endless, notebook=notebook) as url:
        with connect(url) as slow:
            slow.sendall(asking("Go on"))
            read_tokens(slow, 1)
            before = -1
            while before < endless.taken:  # until all buffers are full
                before = endless.taken
                assert goes_on(url)
        until(lambda: endless.closed, "the stream of the model was left open")
