"""The chat model that reads frames itself: what it claims, and what it refuses."""

import ast
import asyncio
import json
import socket
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import LLMResult
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import RunnableConfig, RunnableGenerator
from langchain_core.tracers.context import register_configure_hook
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from langgraph.graph import START, MessagesState, StateGraph

from helpers import serve
from helpers.models import chat_frames, script
from helpers.models.chat_frames import Answer, ChatFrames, ModelError
from helpers.scripted.faults import FAULTS
from helpers.serving.pings import EventStream
from tests.support.recorded import recorded
from tests.support.shapes import HALF, WHOLE, Shape
from tests.support.wire import UNPACED

pytestmark = pytest.mark.filterwarnings("ignore:Benchmark fixture was not used")

Read = Callable[[ChatFrames, str], list[AIMessageChunk]]


def read_sync(model: ChatFrames, question: str) -> list[AIMessageChunk]:
    """Read all chunks with `stream`."""
    return list(model.stream(question))


def read_async(model: ChatFrames, question: str) -> list[AIMessageChunk]:
    """Read all chunks with `astream`."""

    async def read() -> list[AIMessageChunk]:
        return [chunk async for chunk in model.astream(question)]

    return asyncio.run(read())


both = pytest.mark.parametrize("read", [read_sync, read_async])


def scripted(**options: Any) -> ChatFrames:
    """Return a model that says its script, unpaced."""
    return ChatFrames(timeout=20, **script(**UNPACED | options))


class Claims:
    """What LangChain's standard tests are told of the class."""

    chat_model_class = ChatFrames
    has_tool_calling = False
    has_structured_output = False
    supports_model_override = True
    model_override_value = "another-name"

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        """Return all of the standard ones but `max_retries`: it has no retries."""
        return {"temperature": 0, "max_tokens": 100, "timeout": 60, "stop": []}


@pytest.mark.benchmark(max_time=0.1)  # one of them is for the time that it takes
class TestUnits(Claims, ChatModelUnitTests):
    """LangChain's tests of the class by itself."""

    @pytest.fixture
    def snapshot(self) -> None:
        """Return nothing: it is for models that claim to be serialized."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """Return what it is made with."""
        return {"base_url": "http://127.0.0.1:9/v1", "api_key": "none"}

    @property
    def init_from_env_params(
        self,
    ) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        """Return what it takes from the environment."""
        url, key = "http://127.0.0.1:9/v1", "from the environment"
        environment = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": key}
        return environment, {}, {"base_url": url, "api_key": key}


class TestIntegration(Claims, ChatModelIntegrationTests):
    """LangChain's tests of the class with a model: the scripted one."""

    @pytest.fixture(autouse=True)
    def _server(self, scripted_url: str) -> None:
        self.url = scripted_url

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """Return what it is made with."""
        says = {"script": UNPACED}
        return {"base_url": self.url, "api_key": "none", "extra_body": says}


@both
def test_it_says_the_text_the_usage_and_the_reason(read: Read, question: str) -> None:
    chunks = read(
        scripted(tokens=["Hel", "lo", " 👩‍💻"], fault="split_character"), question
    )
    assert [chunk.text for chunk in chunks] == ["Hel", "lo", " 👩‍💻", ""]
    assert [chunk.chunk_position for chunk in chunks] == [None, None, None, "last"]
    last = chunks[-1]
    assert last.response_metadata["finish_reason"] == "stop"
    assert last.usage_metadata is not None
    assert last.usage_metadata["output_tokens"] == 3
    assert all(chunk.usage_metadata is None for chunk in chunks[:-1])
    assert recorded(question)[-1].finished


BAD = {
    "rate_limit": "with status 429: Too many requests",
    "server_error": "with status 500: The server failed",
    "dropped": "broke off",
    "early_end": "no finish_reason",
    "malformed_frame": "no frame",
    "error_frame": "The model failed while it was writing",
}
OTHER_REASONS = {
    "length": "length",
    "content_filter": "content_filter",
    "abort": "abort",
}


@both
@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "tool_cut"])
def test_every_fault_is_a_clear_error_or_does_no_harm(read: Read, fault: str) -> None:
    words = [" one", " two", " three"]
    model = scripted(tokens=words, fault=fault, at=2, stall=0.01)
    if fault in BAD:
        with pytest.raises(ModelError, match=BAD[fault]):
            read(model, "Count")
        return
    chunks = read(model, "Count")
    texts = [chunk.text for chunk in chunks if chunk.text]
    reason = chunks[-1].response_metadata["finish_reason"]
    assert reason == OTHER_REASONS.get(fault, "stop")
    whole = words + words[2:] if fault == "duplicate_frames" else words
    assert texts == (words[:2] if fault in OTHER_REASONS else whole)


@both
def test_a_model_that_is_silent_is_given_up(read: Read) -> None:
    model = scripted(fault="stall", at=1, stall=60)
    with pytest.raises(ModelError, match=r"sent nothing for 0\.5 seconds"):
        read(model.model_copy(update={"timeout": 0.5}), "Hi")  # limit: in vain


@both
def test_no_server_is_a_clear_error(read: Read) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ModelError, match="broke off: ConnectionRefused"):
        read(ChatFrames(base_url=f"http://127.0.0.1:{port}/v1"), "Hi")


@both
def test_a_call_of_a_tool_is_refused_and_not_lost(read: Read) -> None:
    model = scripted(tool={"name": "f", "args": {}})
    tool = {
        "type": "function",
        "function": {"name": "f", "parameters": {"type": "object"}},
    }
    with pytest.raises(ModelError, match="calls a tool"):
        read(model.bind(tools=[tool]), "Hi")  # type: ignore[arg-type]


def test_what_a_class_of_ones_own_has_to_have() -> None:
    assert BaseChatModel.__abstractmethods__ == {"_generate", "_llm_type"}


def test_a_misspelt_option_is_refused() -> None:
    with pytest.raises(ValueError, match="max_token\n"):
        ChatFrames(max_token=3)  # type: ignore[call-arg]


def test_who_leaves_stops_the_model(question: str) -> None:
    model = scripted(tokens=[" on"] * 200, pace=50)
    with closing(model.stream(question)) as chunks:  # type: ignore[type-var]
        next(chunks)
    assert not recorded(question)[-1].finished

    async def leave() -> None:
        async with aclosing(model.astream(question)) as chunks:  # type: ignore[type-var]
            await anext(chunks)
        came = asyncio.Event()

        async def read() -> None:
            async for _ in model.astream(question):
                came.set()

        task = asyncio.create_task(read())
        await came.wait()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(leave())
    assert [each.finished for each in recorded(question)] == [False] * 3


class Hears(BaseCallbackHandler):
    """Notes what it is told of a run."""

    def __init__(self) -> None:
        self.tokens, self.ends = list[str](), list[str]()

    def on_llm_new_token(self, token: str, **_: Any) -> None:
        """Note a text."""
        self.tokens.append(token)

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        """Note the whole."""
        self.ends.append(response.generations[0][0].text)

    def on_llm_error(self, _: BaseException, *, response: LLMResult, **__: Any) -> None:
        """Note what had come."""
        self.ends.append(f"{response.generations[0][0].text}…")


heard_in_the_context = ContextVar[Hears | None]("heard", default=None)
register_configure_hook(heard_in_the_context, inheritable=True)


@pytest.mark.parametrize("place", ["call", "model", "context", "a step above"])
async def test_who_listens_is_told_wherever_they_stand(place: str) -> None:
    says = script(**UNPACED, tokens=["Hel", "lo"])
    cut = script(**UNPACED, tokens=["Hel", "lo"], fault="early_end", at=1)
    hears = Hears()
    told: Any = {"callbacks": [hears]}
    given = {"model": told}.get(place, {})
    models: list[Any] = [ChatFrames(**each, **given) for each in (says, cut)]
    if place == "a step above":
        models = [RunnableGenerator(each.atransform) for each in models]
    heard_in_the_context.set(hears if place == "context" else None)
    config = told if place in ("call", "a step above") else None
    texts = [chunk.text async for chunk in models[0].astream("Hi", config)]
    with pytest.raises(ModelError):
        _ = [chunk async for chunk in models[1].astream("Hi", config)]
    heard_in_the_context.set(None)
    assert texts == ["Hel", "lo", ""]
    assert hears.tokens == [*texts, "Hel"]
    assert hears.ends == ["Hello", "Hel…"]


@pytest.mark.parametrize("heard", [True, False])
async def test_chunks_are_kept_for_who_listens_alone(heard: bool) -> None:
    model = scripted(tokens=[" on"] * 9)
    config = RunnableConfig(run_id=uuid4(), callbacks=[Hears()] if heard else [])
    refs, alive, chunks = [], [], list[dict[str, Any]]()
    async for chunk in model.astream("Hi", config):
        chunks.append(chunk.model_dump())
        refs.append(weakref.ref(chunk))
        alive.append(sum(ref() is not None for ref in refs))
    assert (alive[-1] == 10) if heard else (max(alive) <= 2)
    # They are the same in any case.
    assert {chunk["id"] for chunk in chunks} == {f"lc_run--{config['run_id']}"}
    assert [chunk["content"] for chunk in chunks] == [" on"] * 9 + [""]
    assert [chunk["chunk_position"] for chunk in chunks] == [None] * 9 + ["last"]
    assert chunks[-1]["usage_metadata"]["output_tokens"] == 9
    assert chunks[-1]["response_metadata"]["finish_reason"] == "stop"


async def test_events_and_graphs_have_every_chunk() -> None:
    model = scripted(tokens=["Hel", "lo"])
    events = [each async for each in model.astream_events("Hi", version="v2")]
    texts = [
        each["data"]["chunk"].text
        for each in events
        if each["event"] == "on_chat_model_stream"
    ]
    assert texts == ["Hel", "lo", ""]
    assert events[-1]["data"]["output"].text == "Hello"

    async def ask(state: MessagesState) -> dict[str, Any]:
        found = [chunk async for chunk in model.astream(state["messages"])]
        return {"messages": [found[0] + found[1:]]}

    graph = StateGraph(MessagesState).add_node(ask).add_edge(START, "ask").compile()
    asked: Any = {"messages": "Hi"}
    pairs = [each async for each in graph.astream(asked, stream_mode="messages")]
    assert [message.text for message, _ in pairs] == ["Hel", "lo", ""]


async def test_what_langchain_has_settings_for_is_left_to_it() -> None:
    says = script(**UNPACED, tokens=["Hel", "lo"])
    whole = ChatFrames(**says, disable_streaming=True).astream("Hi")
    assert [chunk.text async for chunk in whole] == ["Hello"]
    blocks = ChatFrames(**says, output_version="v1").astream("Hi")
    assert isinstance((await anext(blocks)).content, list)
    limiter = InMemoryRateLimiter(requests_per_second=1000, check_every_n_seconds=0.001)
    limited = ChatFrames(**says, rate_limiter=limiter).astream("Hi")
    assert (await anext(limited)).text == "Hel"
    assert limiter.last is not None  # it was asked


def test_a_served_model_stops_when_its_reader_leaves(question: str) -> None:
    app, model = FastAPI(), scripted(tokens=[" on"] * 200, pace=50)

    @app.get("/chat")
    async def chat() -> EventStream:
        return EventStream(chunk.text async for chunk in model.astream(question))

    with serve(app) as url:
        with httpx2.stream("GET", f"{url}/chat") as response:
            next(response.iter_text())
        assert not recorded(question)[-1].finished


@both
def test_an_event_loop_after_another_has_its_own_connections(read: Read) -> None:
    model = scripted(tokens=["Hi"])
    assert [read(model, "Hi")[0].text for _ in range(2)] == ["Hi", "Hi"]


def body_of(shape: Shape, end: str = "\n") -> bytes:
    """Return the frames of a stream, with this end of a line."""
    frames = [*map(json.dumps, shape.frames), "[DONE]"]
    return "".join(f": hi{end}data: {frame}{end}{end}" for frame in frames).encode()


def read_all(*parts: bytes) -> tuple[str, str]:
    """Feed the parts to an answer; return its text and its reason."""
    answer = Answer()
    text = "".join(chunk.text for part in parts for chunk in answer.feed(part))
    return text, answer.end().response_metadata["finish_reason"]


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_it_reads_each_servers_frames_however_they_are_cut(name: str, end: str) -> None:
    body, shape = body_of(WHOLE[name], end), WHOLE[name]
    whole = shape.text, shape.reasons[-1]
    assert read_all(*(bytes([byte]) for byte in body), b"\n") == whole
    for cut in range(len(body)):
        assert read_all(body[:cut], body[cut:], b"\n") == whole


@pytest.mark.parametrize("name", HALF)
def test_a_half_says_its_reason_or_raises(name: str) -> None:
    shape = HALF[name]
    try:
        text, reason = read_all(body_of(shape))
    except ModelError:
        assert not shape.reasons
    else:
        assert text == shape.text
        assert reason == (shape.reasons or ("stop",))[-1]


def test_the_data_of_a_frame_may_have_several_lines() -> None:
    lines = b'data:{"choices": [{"delta":\r\ndata: {"content": "Hi"},\r\n'
    assert read_all(lines + b'data: "finish_reason": "stop"}]}\r\n\r\n') == (
        "Hi",
        "stop",
    )


@contextmanager
def answering(reply: bytes) -> Iterator[str]:
    """Serve one reply, byte for byte, and close; yield the base URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                request = b""
                while not request.endswith(b"true}"):
                    request += connection.recv(65536)
                with suppress(ConnectionError):
                    connection.sendall(reply)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(1)  # until the client has read it, or left

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        thread.join(30)


FRAMES = body_of(WHOLE["OpenAI"])
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def chunked(body: bytes) -> bytes:
    """Return a chunk of HTTP, with an extension that nobody knows."""
    return b"%x;name=value\r\n%s\r\n" % (len(body), body)


@both
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(OK + b"\r\n" + FRAMES, id="until it closes"),
        pytest.param(
            OK + b"Content-Length: %d\r\n\r\n" % len(FRAMES) + FRAMES,
            id="with a length",
        ),
        pytest.param(
            CHUNKED
            + chunked(FRAMES[:50])
            + chunked(FRAMES[50:])
            + b"0\r\nA: b\r\n\r\n",
            id="in chunks, with a trailer",
        ),
    ],
)
def test_it_reads_what_http_allows(read: Read, reply: bytes) -> None:
    with answering(reply) as url:
        chunks = read(ChatFrames(base_url=url), "Hi")
    assert "".join(chunk.text for chunk in chunks) == "Hi you"


@both
@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (b"", "broke off"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "broke off"),
        (CHUNKED + b"zz\r\n", "broke off"),
        (CHUNKED + chunked(FRAMES)[:30], "broke off"),
        (OK + b"\r\n" + FRAMES[:300], "no finish_reason"),
        (OK + b"\r\n" + b"x" * 1_100_000, "more than 1,000,000 bytes"),
        (b"HTTP/1.1 500 No\r\n\r\n" + b"[" * 100_000, r"with status 500: \[\["),
        (b"HTTP/1.1 307 Elsewhere\r\nLocation: /\r\n\r\n", "with status 307"),
        (
            b"HTTP/1.1 401 No\r\n\r\nYour key secret-1 is wrong",
            r"401: Your key \[key\]",
        ),
    ],
)
def test_what_is_no_answer_is_a_clear_error(
    read: Read, reply: bytes, message: str
) -> None:
    model: dict[str, Any] = {"api_key": "secret-1", "timeout": 20}
    with answering(reply) as url, pytest.raises(ModelError, match=message):
        read(ChatFrames(base_url=url, **model), "Hi")


def test_it_works_alone() -> None:
    """All that it imports is in the standard library, or said at its top."""
    tree = ast.parse(Path(chat_frames.__file__).read_text())
    names = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    rooms = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    assert rooms == {"langchain_core", "msgspec", "pydantic"}
    assert issubclass(ChatFrames, BaseChatModel)
