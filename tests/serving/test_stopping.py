"""Stopping a model when its reader leaves: whatever makes the stream, whoever sends it.

The scripted model's record says whether it wrote on. The garbage collector is off: it
would close by chance what was left open.
"""

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import anyio
import pytest
from fastapi import Depends, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse
from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableParallel
from langchain_openai import ChatOpenAI
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from starlette.middleware.base import RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from websockets.sync.client import connect as connect_websocket

from helpers import serve
from helpers.models import script
from helpers.serving import stopping
from helpers.serving.pings import EventStream
from helpers.serving.stopping import delivering, relay, stoppable
from tests.support.recorded import recorded
from tests.support.served import until
from tests.support.wire import connect

READERS = int(os.environ.get("COURSE_READERS", "3"))
"""How many leave at once in each case; the long form has 20."""
LONG = 30
"""Seconds of a silence that nobody waits for."""
STEADY: dict[str, Any] = {"tokens": [" on"] * 2000, "ttft": 0, "pace": 1}
"""So slow that an app on a busy machine keeps up with 20 graphs: one that lags behind
reads what its models have long said, and they may be done before a reader leaves."""
Texts = AsyncIterator[str]
Graph = CompiledStateGraph[MessagesState, Any, MessagesState, MessagesState]


@pytest.fixture(autouse=True)
def without_the_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


# Whatever makes the stream: none of these closes what it opens.


def asked(question: str) -> dict[str, Any]:
    return {"messages": [("user", question)]}


def graph(node: Any) -> Graph:
    builder = StateGraph(MessagesState).add_node("node", node)
    return builder.add_edge(START, "node").compile()


def answering(model: ChatOpenAI) -> Graph:
    async def answer(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    return graph(answer)


async def of_a_model(model: ChatOpenAI, question: str) -> Texts:
    async for chunk in model.astream(question):
        yield chunk.text


async def of_a_chain(model: ChatOpenAI, question: str) -> Texts:
    prompt = ChatPromptTemplate.from_template("{question}")
    chain = prompt | model | StrOutputParser()
    async for text in chain.astream({"question": question}):
        yield text


async def of_a_graph(model: ChatOpenAI, question: str) -> Texts:
    stream = answering(model).astream(asked(question), stream_mode="messages")
    async for chunk, _ in stream:
        yield chunk.text


async def of_a_nested_graph(model: ChatOpenAI, question: str) -> Texts:
    outer = graph(graph(answering(model)))
    mode: dict[str, Any] = {"stream_mode": "messages", "subgraphs": True}
    async for _, (chunk, _) in outer.astream(asked(question), **mode):
        yield chunk.text


async def of_a_writing_node(model: ChatOpenAI, question: str) -> Texts:
    async def write(state: MessagesState) -> None:
        async for chunk in model.astream(state["messages"]):
            get_stream_writer()(chunk.text)

    async for text in graph(write).astream(asked(question), stream_mode="custom"):
        yield text


async def of_a_graphs_events(model: ChatOpenAI, question: str) -> Texts:
    async for event in answering(model).astream_events(asked(question), version="v2"):
        if event["event"] == "on_chat_model_stream":
            yield event["data"]["chunk"].text


SOURCES = {
    "a model": of_a_model,
    "a chain": of_a_chain,
    "a graph": of_a_graph,
    "a graph in a graph in a graph": of_a_nested_graph,
    "a node that writes": of_a_writing_node,
    "the events of a graph": of_a_graphs_events,
}

# Whoever sends it


def app_for(source: Callable[[str], Texts]) -> FastAPI:
    """Return an app that sends the source in each of the ways."""
    app = FastAPI()

    async def owning(question: str) -> AsyncIterator[Texts]:
        async with stoppable(source(question)) as items:
            yield items

    @app.get("/frames")
    async def frames(question: str) -> Response:
        return EventStream(source(question))

    @app.get("/pings")
    async def pings(question: str) -> Response:
        return EventStream(source(question), every=0.002)

    @app.get("/sse", response_class=EventSourceResponse)
    async def sse(items: Annotated[Texts, Depends(owning)]) -> Texts:
        async for text in items:
            yield text

    @app.websocket("/talk")
    async def talk(socket: WebSocket, question: str) -> None:
        scope = anyio.CancelScope()

        async def say() -> None:
            with scope:
                await relay(source(question), socket.send_text)
            await socket.send_text("cancelled" if scope.cancelled_caught else "ended")

        await socket.accept()
        async with anyio.create_task_group() as group:
            group.start_soon(say)
            async for _ in socket.iter_text():
                scope.cancel()
            group.cancel_scope.cancel()

    return app


async def passing(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


@contextmanager
def serving(kind: str, *, behind: bool = False, **said: Any) -> Iterator[str]:
    # What Python 3.11 loses inside a graph is lost for good: see the test below.
    sure = {"stream_chunk_timeout": None} if sys.version_info < (3, 12) else {}
    model = ChatOpenAI(max_retries=0, **sure, **script(**said))
    app = app_for(lambda question: SOURCES[kind](model, question))
    if behind:
        app.middleware("http")(passing)
    with serve(app) as url:
        yield url


def leave(url: str, path: str, questions: list[str], tokens: int) -> None:
    """Ask all the questions, read so many tokens of each answer, and leave."""
    with ExitStack() as connections:
        asking = []
        for question in questions:
            connection = connections.enter_context(connect(url))
            target = f"{path}?question={quote(question)}"
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            asking.append(connection)
        for connection in asking:
            read = b""
            while read.count(b" on") < tokens:
                more = connection.recv(65536)
                assert more, read
                read += more


def assert_stopped(questions: list[str]) -> None:
    for question in questions:
        (request,) = recorded(question)
        assert not request.finished
        assert request.left_after is not None
        assert request.left_after < LONG


EVERY_SOURCE = pytest.mark.parametrize("kind", SOURCES)
EVERYWHERE = pytest.mark.parametrize(
    "behind", [pytest.param(False, id="bare"), pytest.param(True, id="middleware")]
)
EVERY_WAY = pytest.mark.parametrize("path", ["/frames", "/pings", "/sse"])


@EVERY_SOURCE
@EVERYWHERE
@EVERY_WAY
def test_who_leaves_stops_the_model(
    *, kind: str, behind: bool, path: str, question: str
) -> None:
    questions = [f"{question} {number}" for number in range(READERS)]
    with serving(kind, behind=behind, **STEADY) as url:
        leave(url, path, questions, tokens=3)
        assert_stopped(questions)


@EVERY_SOURCE
@EVERYWHERE
@EVERY_WAY
def test_who_leaves_in_a_burst_stops_the_model(
    *, kind: str, behind: bool, path: str, question: str
) -> None:
    questions = [f"{question} {number}" for number in range(READERS)]
    burst = {"tokens": [" on"] * 400, "ttft": 0, "pace": 0, "fault": "stall", "at": 200}
    with serving(kind, behind=behind, **burst, stall=LONG) as url:
        leave(url, path, questions, tokens=1)
        assert_stopped(questions)


@EVERY_SOURCE
@pytest.mark.parametrize("stops", [True, False], ids=["stop", "leave"])
def test_stop_over_a_websocket_stops_the_model(
    *, kind: str, stops: bool, question: str
) -> None:
    questions = [f"{question} {number}" for number in range(READERS)]
    with serving(kind, **STEADY) as url:
        for each in questions:
            target = f"{url}/talk?question={quote(each)}".replace("http", "ws")
            with connect_websocket(target) as socket:
                read = ""
                while read.count(" on") < 3:
                    read += str(socket.recv())
                if stops:
                    socket.send("stop")
                    while read != "cancelled":
                        read = str(socket.recv())
        assert_stopped(questions)


@EVERY_SOURCE
def test_who_leaves_before_the_first_token_stops_the_model(
    kind: str, question: str
) -> None:
    late = {"tokens": [" on"], "fault": "late_first_token", "stall": LONG}
    with serving(kind, **late) as url:
        with connect(url) as connection:
            target = f"/frames?question={quote(question)}"
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            until(lambda: recorded(question, timeout=0), "the model was not asked")
        assert_stopped([question])


def test_without_a_task_of_its_own_a_graph_writes_on(question: str) -> None:
    # The reason for all this. If it fails, LangGraph or Starlette has changed.
    model = ChatOpenAI(**script(tokens=[" on"] * 40, ttft=0, pace=5))
    app = FastAPI()

    @app.get("/plain")
    async def plain(question: str) -> Response:
        return StreamingResponse(of_a_graph(model, question))

    with serve(app) as url:
        leave(url, "/plain", [question], tokens=3)
        (request,) = recorded(question)
    assert request.finished


async def test_a_dictionary_lets_go_of_a_silent_model_at_its_next_chunk(
    question: str,
) -> None:
    # A limit that we have not lifted. If it fails, LangChain cancels what it starts.
    says = {"tokens": [" on"] * 9, "fault": "stall", "at": 3, "stall": 1, "ttft": 0}
    chain = RunnableParallel(answer=ChatOpenAI(**script(**says, pace=0)))
    silent, count = asyncio.Event(), 0

    async def send(_: object) -> None:
        nonlocal count
        if (count := count + 1) == 4:  # the first has no text
            silent.set()

    relaying = asyncio.create_task(relay(chain.astream(question), send))
    await silent.wait()
    await anyio.sleep(0.1)  # pace: into the silence
    relaying.cancel()
    await asyncio.wait([relaying])
    (request,) = await asyncio.to_thread(recorded, question)
    assert request.chunks_sent > 3


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python 3.12 repaired it")
async def test_python_3_11_loses_a_cancellation_that_comes_with_a_result() -> None:
    # So does a model with a `stream_chunk_timeout`, if a chunk has just come. LangGraph
    # asks the nodes of a graph to stop once; nobody else can ask them again.
    chunk = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(asyncio.wait_for(chunk, LONG))
    await asyncio.sleep(0)
    chunk.set_result("a")
    waiting.cancel()
    assert await waiting == "a"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python 3.12 repaired it")
async def test_on_python_3_11_a_model_that_loses_it_stops_at_its_next_text() -> None:
    """Notebook 06a: the chunk that came in the same moment had no text to send."""
    loop = asyncio.get_running_loop()
    first, second, seen, sent = loop.create_future(), loop.create_future(), [], []

    async def frames() -> Texts:
        seen.append(await asyncio.wait_for(first, LONG))
        seen.append(await asyncio.wait_for(second, LONG))
        yield seen[-1]
        seen.append("a third")

    async def send(text: str) -> None:
        sent.append(text)

    async with delivering(frames(), send):
        await asyncio.sleep(0)  # it waits for the first chunk
        first.set_result("")
        loop.call_later(0.05, second.set_result, "a text")  # pace: of the model
    assert (seen, sent) == (["", "a text"], [])


def test_a_source_that_fails_beside_its_model_stops_it(question: str) -> None:
    model = ChatOpenAI(**script(tokens=[" on"] * 100, ttft=0, pace=5))

    async def failing(question: str) -> Texts:
        async for chunk in model.astream(question):
            yield chunk.text
            if chunk.text:
                raise LookupError("a bug")

    with serve(app_for(failing), quiet=True) as url:
        leave(url, "/frames", [question], tokens=1)
        assert_stopped([question])


# What else a stream needs: backpressure, exceptions, context, deadlines, a last save


async def counting(*, until: int = 10**9) -> AsyncIterator[int]:
    for number in range(until):
        yield number
        await asyncio.sleep(0)


async def read_with_relay(source: AsyncIterator[Any], got: list[Any]) -> None:
    async def take(item: Any) -> None:
        got.append(item)

    await relay(source, take)


async def read_with_stoppable(source: AsyncIterator[Any], got: list[Any]) -> None:
    async with stoppable(source) as items:
        async for item in items:
            got.append(item)


Reads = Callable[[AsyncIterator[Any], list[Any]], Awaitable[None]]
BOTH = pytest.mark.parametrize(
    "reads",
    [
        pytest.param(read_with_relay, id="relay"),
        pytest.param(read_with_stoppable, id="stoppable"),
    ],
)


@BOTH
async def test_items_come_whole_and_in_their_order(reads: Reads) -> None:
    got = list[int]()
    await reads(counting(until=1000), got)
    assert got == list(range(1000))
    assert asyncio.all_tasks() == {asyncio.current_task()}


@BOTH
async def test_an_exception_of_the_source_passes_through(reads: Reads) -> None:
    async def failing() -> AsyncIterator[str]:
        yield "a"
        raise LookupError("a bug")

    got = list[str]()
    with pytest.raises(LookupError, match="a bug") as caught:
        await reads(failing(), got)
    assert got == ["a"]
    assert caught.traceback[-1].name == "failing"


async def test_an_exception_is_raised_once_to_who_reads() -> None:
    async def failing() -> AsyncIterator[str]:
        yield "a"
        raise LookupError

    async with stoppable(failing()) as items:
        assert await anext(items) == "a"
        with pytest.raises(LookupError):
            await anext(items)


async def test_an_exception_of_send_closes_the_source() -> None:
    closed = list[str]()

    async def closing() -> AsyncIterator[str]:
        try:
            yield "a"
        finally:
            await asyncio.sleep(0)
            closed.append("closed")

    async def send(_: str) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await relay(closing(), send)
    assert closed == ["closed"]


@BOTH
async def test_a_source_that_was_cancelled_elsewhere_is_no_whole_answer(
    reads: Reads,
) -> None:
    async def cancelled() -> AsyncIterator[str]:
        yield "a"
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await reads(cancelled(), [])


@BOTH
async def test_a_source_is_no_faster_than_its_reader(reads: Reads) -> None:
    made = list[int]()

    async def flood() -> AsyncIterator[int]:
        async for number in counting():
            made.append(number)
            yield number

    class Stuck(list[int]):
        def append(self, item: int) -> None:
            super().append(item)
            raise BufferError

    with pytest.raises(BufferError):
        await reads(flood(), Stuck())
    assert len(made) <= 2


@BOTH
async def test_a_context_goes_on_through_the_source(reads: Reads) -> None:
    outer, inner = ContextVar[str]("outer"), ContextVar[str]("inner")

    async def traced() -> AsyncIterator[str]:
        token = inner.set("mine")
        yield outer.get()
        yield inner.get()
        inner.reset(token)

    outer.set("theirs")
    got = list[str]()
    await reads(traced(), got)
    assert got == ["theirs", "mine"]


@BOTH
async def test_a_deadline_inside_the_source_holds(reads: Reads) -> None:
    async def until_a_deadline() -> AsyncIterator[str]:
        # pace: how long it takes there is the subject
        async with asyncio.timeout(0.05):
            yield "a"
            # pace: how long it takes there is the subject
            await asyncio.sleep(LONG)

    with pytest.raises(TimeoutError):
        await reads(until_a_deadline(), [])


@BOTH
async def test_a_deadline_inside_the_source_holds_while_its_reader_is_slow(
    reads: Reads,
) -> None:
    async def until_a_deadline() -> AsyncIterator[str]:
        # pace: the deadline is the subject
        async with asyncio.timeout(0.4):
            while True:
                yield "a"

    async def slowly(_: str) -> None:
        # pace: a reader who takes longer than the deadline
        await asyncio.sleep(LONG)

    with pytest.raises(TimeoutError):
        if reads is read_with_relay:
            await relay(until_a_deadline(), slowly)
        else:
            async with stoppable(until_a_deadline()) as items:
                assert await anext(items) == "a"
                # pace: longer than the deadline
                await asyncio.sleep(0.8)
                await anext(items)


@pytest.mark.parametrize("by", ["scope", "task"])
@pytest.mark.parametrize("rests", [True, False], ids=["at its yield", "at its await"])
@BOTH
async def test_a_save_in_finally_runs_to_its_end(
    *, reads: Reads, rests: bool, by: str
) -> None:
    saved, begun, saving = list[str](), asyncio.Event(), asyncio.Event()

    async def source() -> AsyncIterator[str]:
        said = ""
        try:
            said += "a"
            yield "a"
            begun.set()
            # pace: how long it takes there is the subject
            await asyncio.sleep(LONG)
        finally:
            saving.set()
            for _ in range(50):  # no shield: only one cancellation comes here
                await asyncio.sleep(0)
            saved.append(said)

    async def read() -> None:
        async def send(item: str) -> None:
            if rests:
                begun.set()
                # pace: how long it takes there is the subject
                await asyncio.sleep(LONG)

        if reads is read_with_relay:
            await relay(source(), send)
        else:
            async with stoppable(source()) as items:
                async for item in items:
                    await send(item)

    if by == "scope":
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await begun.wait()
            group.cancel_scope.cancel()
    else:
        reading = asyncio.create_task(read())
        await begun.wait()
        reading.cancel()
        await asyncio.wait([reading])
        assert reading.cancelled()
    assert saved == ["a"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_fails_in_finally_is_raised() -> None:
    async def source() -> AsyncIterator[str]:
        try:
            yield "a"
            # pace: how long it takes there is the subject
            await asyncio.sleep(LONG)
        finally:
            raise OSError("the database is away")

    with pytest.raises(OSError, match="away"):
        async with stoppable(source()) as items:
            assert await anext(items) == "a"


async def test_a_cancellation_that_was_lost_ends_the_source_at_its_next_item() -> None:
    sent, begun = list[int](), asyncio.Event()

    async def losing() -> AsyncIterator[int]:
        for number in range(10):
            begun.set()
            with suppress(asyncio.CancelledError):
                # pace: how long it takes there is the subject
                await asyncio.sleep(0.01)  # as 3.11's wait_for, if its result has come
            yield number

    async def send(number: int) -> None:
        sent.append(number)

    reading = asyncio.create_task(relay(losing(), send))
    await begun.wait()
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
    assert sent == []


async def test_a_source_that_nobody_reads_leaves_nothing_open(
    recwarn: pytest.WarningsRecorder,
) -> None:
    closed = list[str]()

    async def source() -> AsyncIterator[str]:
        try:
            yield "a"
        finally:
            closed.append("closed")

    async with stoppable(source()):
        pass
    async with stoppable(source()):
        # pace: how long it takes there is the subject
        await asyncio.sleep(0.01)
    assert closed == ["closed"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
    gc.collect()
    # Python names what was never awaited; other tests' garbage is collected here, too.
    assert not [each for each in recwarn if "source" in str(each.message)]


async def test_a_source_that_never_waits_can_be_stopped() -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[str]:
        while True:
            begun.set()
            yield "a"

    reading = asyncio.create_task(read_with_relay(endless(), []))
    await begun.wait()
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()


async def test_any_iterator_is_a_source() -> None:
    class Two:
        def __init__(self) -> None:
            self.left = ["a", "b"]

        def __aiter__(self) -> "Two":
            return self

        async def __anext__(self) -> str:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    got = list[str]()
    await read_with_relay(Two(), got)
    assert got == ["a", "b"]


def test_the_file_works_alone(tmp_path: Path) -> None:
    (tmp_path / "stopping.py").write_bytes(Path(stopping.__file__).read_bytes())
    program = """
import asyncio, sys
from stopping import relay

async def two():
    yield "a"
    yield "b"

async def say(text):
    print(text)

asyncio.run(relay(two(), say))
assert "helpers" not in sys.modules
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["a", "b"], "")


async def test_no_shield_holds_off_what_stops_a_source() -> None:
    """So a `finally` that saves needs a task of its own: notebook 99's form has one."""
    saving, cut = asyncio.Event(), False

    async def source() -> AsyncIterator[str]:
        nonlocal cut
        try:
            yield "text"
        finally:
            with anyio.CancelScope(shield=True):
                saving.set()
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    cut = True
                    raise

    async def send(text: str) -> None:
        """Send it nowhere."""

    relaying = asyncio.create_task(relay(source(), send))
    await saving.wait()
    relaying.cancel()
    await asyncio.wait([relaying])
    assert cut
