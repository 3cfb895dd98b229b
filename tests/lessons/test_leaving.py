"""Who closes the stream: the table of notebook 06a, with the collector off.

The scripted model's record says whether it wrote on when its reader had left.
"""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Annotated, Any, cast

import pytest
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from starlette.middleware.base import RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from helpers import serve
from helpers.models import script
from helpers.serving.pings import EventStream
from helpers.serving.stopping import stoppable
from tests.support.fixtures import Taught
from tests.support.recorded import recorded
from tests.support.served import asking, until
from tests.support.wire import connect

STEADY: dict[str, Any] = {"tokens": [" on"] * 40, "ttft": 0, "pace": 2.5}
LONG_STEADY = STEADY | {"tokens": [" on"] * 2000}
BURST: dict[str, Any] = {"tokens": [" on"] * 400, "ttft": 0, "pace": 0, "at": 300}
BURST |= {"fault": "stall"}


@pytest.fixture(autouse=True)
def without_the_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def graph_of(model: ChatOpenAI) -> Any:
    async def answer(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
    return builder.compile()


def plain_graph_of(model: ChatOpenAI) -> Any:
    def answer(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": [model.invoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
    return builder.compile()


SOURCES: dict[str, Callable[[ChatOpenAI], Any]] = {
    "model": lambda model: model,
    "chain": lambda model: ChatPromptTemplate.from_template("{question}") | model,
}


def asked(question: str) -> dict[str, Any]:
    return {"messages": [("user", question)]}


async def asaid(model: ChatOpenAI, kind: str, question: str) -> AsyncIterator[str]:
    if "graph" in kind:
        graph = plain_graph_of(model) if "plain" in kind else graph_of(model)
        stream = graph.astream(asked(question), stream_mode="messages")
        async with aclosing(stream) as chunks:
            async for chunk, _ in chunks:
                yield chunk.text
    else:
        async with aclosing(SOURCES[kind](model).astream(question)) as chunks:
            async for chunk in chunks:
                yield chunk.text


def said(model: ChatOpenAI, kind: str, question: str) -> Iterator[str]:
    if kind == "graph":
        stream = plain_graph_of(model).stream(asked(question), stream_mode="messages")
        for chunk, _ in stream:
            yield chunk.text
    else:
        for chunk in SOURCES[kind](model).stream(question):
            yield chunk.text


async def through_a_queue(texts: AsyncIterator[str]) -> AsyncIterator[str]:
    """Read in a task of its own, and cancel that once: what exercise 6a.1 accepts."""
    heard: asyncio.Queue[str | None] = asyncio.Queue()

    async def fill() -> None:
        async for text in texts:
            await heard.put(text)
        await heard.put(None)

    filling = asyncio.create_task(fill())
    try:
        while (text := await heard.get()) is not None:
            yield text
        await filling
    finally:
        filling.cancel()


def app_for(model: ChatOpenAI, kind: str) -> FastAPI:
    """Return an app that has each way of the table."""
    app = FastAPI()

    async def closing(question: str) -> AsyncIterator[AsyncIterator[str]]:
        async with aclosing(asaid(model, kind, question)) as texts:  # type: ignore[type-var]
            yield texts

    async def stopping(question: str) -> AsyncIterator[AsyncIterator[str]]:
        async with stoppable(asaid(model, kind, question)) as texts:
            yield texts

    @app.get("/nobody")
    def nobody(question: str) -> Response:
        return StreamingResponse(said(model, kind, question))

    @app.get("/generator")
    async def generator(question: str) -> Response:
        return StreamingResponse(asaid(model, kind, question))

    def read(texts: AsyncIterator[str]) -> Response:
        async def again() -> AsyncIterator[str]:
            async for text in texts:
                yield text

        return StreamingResponse(again())

    @app.get("/closing")
    async def closing_dependency(
        texts: Annotated[AsyncIterator[str], Depends(closing)],
    ) -> Response:
        return read(texts)

    @app.get("/stopping")
    async def stopping_dependency(
        texts: Annotated[AsyncIterator[str], Depends(stopping)],
    ) -> Response:
        return read(texts)

    @app.get("/queue")
    async def queue(question: str) -> Response:
        return StreamingResponse(through_a_queue(asaid(model, kind, question)))

    @app.get("/frames")
    async def frames(question: str) -> Response:
        return EventStream(asaid(model, kind, question))

    return app


def sending(app: ASGIApp) -> ASGIApp:
    """Let the reader of a burst leave while the app sends, and not while it reads."""

    async def held(scope: Scope, receive: Receive, send: Send) -> None:
        sent = 0

        async def say(message: Message) -> None:
            nonlocal sent
            await send(message)
            sent += message.get("body", b"").count(b" on")
            if sent >= 4:
                await asyncio.Event().wait()  # until it is cancelled

        await app(scope, receive, say)

    return held


async def passing(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


def leave(url: str, path: str, question: str) -> None:
    """Ask, read four tokens, and leave."""
    request = asking(question).replace(b"/chat", path.encode(), 1)
    with connect(url) as connection:
        connection.sendall(request)
        read = b""
        while read.count(b" on") < 4:
            more = connection.recv(4096)
            assert more, read
            read += more


TABLE = {
    "/nobody": "writes on, writes on, writes on",
    "/generator": "stops, writes on, writes on",
    "/closing": "stops, stops, writes on",
    "/stopping": "stops, stops, stops",
    "/frames": "stops, stops, stops",
}
"""Each row of the table, and the way of notebook 06b."""
COLUMNS = [["model", "chain"], ["model in a burst", "chain in a burst"], ["graph"]]
CASES = [
    pytest.param(path, kind, says, id=f"{path[1:]}: {kind} {says}")
    for path, row in TABLE.items()
    for column, says in zip(COLUMNS, row.split(", "), strict=True)
    for kind in column
]


@pytest.mark.parametrize(("path", "kind", "says"), CASES)
def test_who_closes_the_stream(
    *, path: str, kind: str, says: str, question: str
) -> None:
    stops, (kind, *bursts) = says == "stops", kind.split()
    steady = LONG_STEADY if stops else STEADY
    burst = BURST | {"stall": 30 if stops else 2}
    sure = {"stream_chunk_timeout": None}
    model = ChatOpenAI(max_retries=0, **sure, **script(**(burst if bursts else steady)))
    app = app_for(model, kind)
    if bursts:
        app.add_middleware(sending)
        app.middleware("http")(passing)
    with serve(app, quiet=True) as url:
        leave(url, path, question)
        (request,) = recorded(question)
    assert request.finished is not stops


@pytest.mark.parametrize("kind", ["model", "graph"])
def test_a_task_that_is_cancelled_once_stops_the_model(
    kind: str, question: str
) -> None:
    """Notebook 06a, after exercise 6a.1."""
    sure = {"stream_chunk_timeout": None}
    model = ChatOpenAI(max_retries=0, **sure, **script(**LONG_STEADY))
    with serve(app_for(model, kind)) as url:
        leave(url, "/queue", question)
        (request,) = recorded(question)
    assert not request.finished


@pytest.mark.parametrize("asks", [False, True])
def test_a_thread_that_fills_a_queue_stops_if_it_asks(
    question: str, *, asks: bool
) -> None:
    """Notebook 09a: it goes on otherwise, for a reader who has left."""
    model = ChatOpenAI(**script(tokens=[" on"] * 200, ttft=0, pace=100))
    texts, left = SimpleQueue[str](), threading.Event()

    def fill() -> None:
        with closing(cast("Any", model.stream(question))) as chunks:
            for chunk in chunks:
                if asks and left.is_set():
                    break
                texts.put(chunk.text)

    thread = threading.Thread(target=fill)
    thread.start()
    while not texts.get():
        pass
    left.set()
    thread.join()
    (request,) = recorded(question)
    assert request.finished is not asks


@pytest.mark.parametrize("path", ["/stopping", "/frames"])
def test_a_step_that_is_a_plain_function_cannot_be_stopped(
    path: str, question: str
) -> None:
    """Notebook 06a: it runs in a thread."""
    model = ChatOpenAI(max_retries=0, **script(**STEADY))
    with serve(app_for(model, "plain graph")) as url:
        leave(url, path, question)
        (request,) = recorded(question)
    assert request.finished


@pytest.mark.parametrize(("kind", "finished"), [("async", False), ("plain", True)])
def test_a_tool_that_is_a_plain_function_cannot_be_stopped(
    *, kind: str, finished: bool, question: str
) -> None:
    """Notebook 06a: an agent's tool asks a model, in a thread if it is plain."""
    sure = {"stream_chunk_timeout": None}
    model = ChatOpenAI(**sure, **script(**(STEADY if finished else LONG_STEADY)))

    @tool
    def plain() -> str:
        """Ask."""
        return model.invoke(question).text

    @tool
    async def asynchronous() -> str:
        """Ask."""
        return (await model.ainvoke(question)).text

    node = ToolNode([plain if finished else asynchronous])
    name = "plain" if finished else "asynchronous"
    wish = AIMessage("", tool_calls=[{"name": name, "args": {}, "id": "1"}])
    graph = StateGraph(MessagesState).add_node("tools", node).add_edge(START, "tools")

    async def frames() -> AsyncIterator[str]:
        stream = graph.compile().astream({"messages": [wish]}, stream_mode="messages")
        async with aclosing(stream) as chunks:
            async for chunk, _ in chunks:
                yield chunk.text

    app = FastAPI()
    app.add_api_route("/frames", lambda: EventStream(frames()))
    with serve(app) as url:
        leave(url, "/frames", question)
        (request,) = recorded(question)
    assert request.finished is finished


@pytest.mark.parametrize("one", [True, False])
async def test_what_other_steps_say_is_text_for_the_reader(
    *, one: bool, taught: Taught
) -> None:
    """Notebook 06a: so hand `events` the chunks of one step."""
    half = script(tokens=["Half", " of it"], fault="early_end", at=1)
    models = iter([ChatOpenAI(**script(tokens=["a plan"])), ChatOpenAI(**half)])

    async def ask(state: MessagesState) -> dict[str, list[BaseMessage]]:
        found = ToolMessage("3 rows", tool_call_id="1")
        return {"messages": [found, await next(models).ainvoke(state["messages"])]}

    async def answer(state: MessagesState) -> dict[str, list[BaseMessage]]:
        said = state["messages"][:1]  # nobody has called the tool whose result there is
        return {"messages": [await next(models).ainvoke(said)]}

    steps = StateGraph(MessagesState).add_sequence([("plan", ask), ("answer", answer)])
    graph = steps.add_edge(START, "plan").compile()

    async def said() -> AsyncIterator[BaseMessage]:
        async for chunk, about in graph.astream(asked("Hi"), stream_mode="messages"):
            if not one or about["langgraph_node"] == "answer":
                yield chunk

    taught_06a = taught("06a")
    taught_06a["log"].disabled = True
    events = [event async for event in taught_06a["events"](said())]
    taught_06a["log"].disabled = False
    text = "".join(each.data["text"] for each in events if each.event == "token")
    assert text == ("Half" if one else "a plan3 rowsHalf")
    assert events[-1].event == "error"


@pytest.mark.parametrize("notebook", ["06a", "06b", "06d"])
async def test_a_step_that_breaks_off_the_second_time_is_not_whole(
    notebook: str, taught: Taught
) -> None:
    """Notebook 06a: a text takes back the reason that came before it."""
    half = script(tokens=["Half", " of it"], fault="early_end", at=1)
    models = iter([ChatOpenAI(**script(tokens=["a draft"])), ChatOpenAI(**half)])

    async def answer(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": [await next(models).ainvoke("Hi")]}

    def further(state: MessagesState) -> str:
        return "answer" if len(state["messages"]) < 3 else END

    steps = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
    graph = steps.add_conditional_edges("answer", further).compile()

    async def said(question: object) -> AsyncIterator[BaseMessage]:
        async for chunk, _ in graph.astream(asked("Hi"), stream_mode="messages"):
            yield chunk

    defined = taught(notebook)
    if notebook == "06b":
        defined["app"].state.model = SimpleNamespace(astream=said)
        events = defined["frames"]("Hi")
    elif notebook == "06d":
        defined["said"] = said
        events = defined["events"]("Hi")
    else:
        events = defined["events"](said("Hi"))
    seen = [str(getattr(event, "event", event)) async for event in events]
    assert ["token" in each for each in seen] == [True, True, False]
    assert "error" in seen[-1]


@pytest.mark.parametrize(("kind", "finished"), [("async", False), ("plain", True)])
def test_a_function_in_a_chain_that_is_plain_cannot_be_stopped(
    *, kind: str, finished: bool, question: str
) -> None:
    """Notebook 06a: it asks a model, in a thread if it is plain."""
    sure = {"stream_chunk_timeout": None}
    model = ChatOpenAI(
        **sure, **script(**LONG_STEADY | ({"tokens": [" on"] * 4} if finished else {}))
    )

    async def asynchronous(text: str) -> str:
        return (await model.ainvoke(text)).text

    def plain(text: str) -> str:
        return model.invoke(text).text

    step: Any = plain if finished else asynchronous
    chain = RunnableLambda(step) | StrOutputParser()
    app = FastAPI()
    app.add_api_route("/frames", lambda: EventStream(chain.astream(question)))
    request = asking(question).replace(b"/chat", b"/frames", 1)
    with serve(app) as url:
        with connect(url) as connection:
            connection.sendall(request)
            until(lambda: recorded(question, timeout=0), "it was not asked")
        (asked_once,) = recorded(question)
    assert asked_once.finished is finished


def test_the_collector_stops_by_chance_what_nobody_closes(question: str) -> None:
    """Notebook 06a: it finds the generator that was let go of, and not closed."""
    model = ChatOpenAI(max_retries=0, **script(**LONG_STEADY))

    def has_stopped() -> bool:
        gc.collect()
        return not recorded(question, timeout=0)[0].in_flight

    with serve(app_for(model, "model"), quiet=True) as url:
        leave(url, "/nobody", question)
        until(has_stopped, "the model goes on")
        (request,) = recorded(question)
    assert not request.finished
