"""Answers with limits: how each ends, what is kept of it, and what is closed."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

from helpers import serve
from helpers.models import script
from helpers.serving import answers
from helpers.serving.answers import Answer, AsyncAnswer, Incomplete, Reasons
from helpers.serving.pings import EventStream
from tests.support.recorded import recorded
from tests.support.served import asking, until
from tests.support.wire import connect

LONG = 60
"""Seconds that nobody waits."""
WORDS = ["One", " two", " three", " four", " five"]
HALF = "One two three"
WHOLE = "".join(WORDS)
SHORT = {"first": LONG, "between": 2.0}  # as long as a busy machine may take
PATIENT = {"first": LONG, "between": LONG}
ENDS: dict[str | None, tuple[str, str, dict[str, float]]] = {
    None: ("complete", WHOLE, PATIENT),
    "no_done": ("complete", WHOLE, PATIENT),
    "reason_twice": ("complete", WHOLE, PATIENT),
    "length": ("limited", HALF, PATIENT),
    "content_filter": ("limited", HALF, PATIENT),
    "abort": ("cut", HALF, PATIENT),
    "early_end": ("cut", HALF, PATIENT),
    "dropped": ("cut", HALF, PATIENT),
    "error_frame": ("cut", HALF, PATIENT),
    "malformed_frame": ("cut", HALF, PATIENT),
    "rate_limit": ("cut", "", PATIENT),
    "stall": ("stalled", HALF, SHORT),
    "keepalives": ("stalled", HALF, SHORT),
    "late_first_token": ("stalled", "", {"first": 0.6, "between": LONG}),
    "late_headers": ("stalled", "", {"first": 0.6, "between": LONG}),
}
"""What each fault after three chunks comes to, what is kept, and the limits."""
EXPECTED = {fault: (end, text) for fault, (end, text, _) in ENDS.items()}
WAYS = "model", "chain", "graph"


def model(own: Any = None, **said: Any) -> ChatOpenAI:
    plan = {"tokens": WORDS, "ttft": 0, "pace": 0, "at": 3, "stall": LONG} | said
    # A client of its own: a shared one may belong to the event loop of another test.
    sure: Any = {"http_async_client": httpx2.AsyncClient(), "max_retries": 0}
    return ChatOpenAI(**sure | (own or {}), **script(**plan))


def graph(llm: ChatOpenAI) -> Any:
    def say(state: MessagesState) -> Any:
        return {"messages": [llm.invoke(state["messages"])]}

    async def asay(state: MessagesState) -> Any:
        return {"messages": [await llm.ainvoke(state["messages"])]}

    steps = StateGraph(MessagesState).add_node("say", RunnableLambda(say, asay))
    return steps.add_edge(START, "say").compile()


def opened(way: str, kind: str, llm: ChatOpenAI, question: str) -> tuple[Any, Any]:
    """Return a stream, sync or async, and what its answer needs beside the limits."""
    options: dict[str, Any] = {}
    asked: Any = question
    step: Any = llm
    more: dict[str, Any] = {}
    if way == "chain":
        more["reasons"] = Reasons()
        step, options["config"] = (
            llm | StrOutputParser(),
            {"callbacks": [*more.values()]},
        )
    elif way == "graph":
        step, asked = graph(llm), {"messages": [("user", question)]}
        options["stream_mode"] = "messages"
    return getattr(step, kind)(asked, **options), more


@pytest.mark.parametrize("way", WAYS)
async def test_each_end_is_told_from_the_others(way: str, question: str) -> None:
    async def outcome(fault: str | None) -> tuple[str | None, str]:
        *_, limits = ENDS[fault]
        stream, more = opened(way, "astream", model(fault=fault), f"{question} {fault}")
        async with AsyncAnswer(stream, **limits, **more) as answer:
            async for _ in answer:
                pass
        assert (answer.error is None) == (answer.reason is not None) or (
            fault == "early_end" or answer.end == "stalled"
        )
        return answer.end, answer.text

    got = await asyncio.gather(*map(outcome, ENDS))
    assert dict(zip(ENDS, got, strict=True)) == EXPECTED
    await asyncio.to_thread(assert_left, question)


async def test_a_model_that_has_taken_the_place_of_another_is_heard() -> None:
    for fault, end in ((None, "complete"), ("early_end", "cut")):
        reasons, spare = Reasons(), model(fault=fault)
        chain = model(fault="rate_limit").with_fallbacks([spare]) | StrOutputParser()
        stream = chain.astream("Hi", {"callbacks": [reasons]})
        async with AsyncAnswer(stream, first=60, between=60, reasons=reasons) as answer:
            async for _ in answer:
                pass
        assert (answer.end, answer.error) == (end, None)


@pytest.mark.parametrize("way", WAYS)
def test_each_end_is_told_in_sync_code(way: str, question: str) -> None:
    def outcome(fault: str | None) -> tuple[str | None, str]:
        # `stall` is short: it is the next chunk with which a thread closes its stream.
        llm = model(fault=fault, stall=3)
        stream, more = opened(way, "stream", llm, f"{question} {fault}")
        with Answer(stream, **ENDS[fault][2], **more) as answer:
            for _ in answer:
                pass
        return answer.end, answer.text

    with ThreadPoolExecutor(len(ENDS)) as threads:
        got = threads.map(outcome, ENDS)
    assert dict(zip(ENDS, got, strict=True)) == EXPECTED


def assert_left(question: str) -> None:
    """See that the server has noticed who gave up."""
    for fault, (end, *_) in ENDS.items():
        if end == "stalled":
            for request in recorded(f"{question} {fault}"):
                assert not request.finished, fault
                assert request.left_after is not None, fault


async def test_a_stall_by_another_limit_is_one_too(question: str) -> None:
    limits: list[Any] = [{"timeout": 0.3}, {"stream_chunk_timeout": 0.3}]
    for limit in limits:
        slow = model(limit, fault="stall")
        async with AsyncAnswer(slow.astream(question)) as answer:
            async for _ in answer:
                pass
        assert (answer.end, answer.text) == ("stalled", HALF)
        assert answer.error is not None


async def test_who_breaks_has_stopped_it(question: str) -> None:
    llm = model(fault="stall")
    async with AsyncAnswer(llm.astream(question), **PATIENT) as answer:
        async for chunk in answer:
            if chunk.text == " three":
                break
    assert (answer.end, answer.text) == ("stopped", HALF)
    with Answer(llm.stream(question)) as answer:
        for chunk in answer:
            if chunk.text == " three":
                break
    assert (answer.end, answer.text) == ("stopped", HALF)
    for request in await asyncio.to_thread(recorded, question):
        assert not request.finished


def test_who_breaks_in_sync_code_with_limits_stops_it_at_the_next_chunk(
    question: str,
) -> None:
    llm = model(tokens=["on "] * 200, ttft=0, pace=20)
    with Answer(llm.stream(question), **PATIENT) as answer:
        next(chunk for chunk in answer if chunk.text)
    assert answer.end == "stopped"
    (request,) = recorded(question)
    assert request.chunks_sent < 100


@pytest.mark.parametrize("way", ["chain", "graph"])
def test_a_chain_or_a_graph_in_sync_code_is_read_to_its_end(
    way: str, question: str
) -> None:
    stream, more = opened(way, "stream", model(tokens=["on "] * 20, pace=40), question)
    with Answer(stream, **more) as answer:
        assert len([*islice(answer, 3)]) == 3
    assert answer.end == "stopped"
    (request,) = recorded(question)
    assert request.finished


async def test_what_fails_when_it_is_closed_is_kept() -> None:
    def failing() -> Iterator[str]:
        try:
            yield "a"
        finally:
            raise LookupError("a bug in its finally")

    async def afailing() -> AsyncIterator[str]:
        try:
            yield "a"
        finally:
            raise LookupError("a bug in its finally")

    with Answer(failing()) as sync:
        next(iter(sync))
    async with AsyncAnswer(afailing()) as answer:
        await anext(aiter(answer))
    assert sync.end == answer.end == "stopped"
    assert isinstance(sync.error, LookupError)
    assert isinstance(answer.error, LookupError)


async def test_what_was_never_read_is_stopped() -> None:
    async with AsyncAnswer(model().astream("Hi"), **PATIENT) as answer:
        pass
    with Answer(model().stream("Hi"), **PATIENT) as sync:
        pass
    assert answer.end == sync.end == "stopped"


async def test_a_cancelled_task_has_stopped_it(question: str) -> None:
    begun = asyncio.Event()
    kept: list[AsyncAnswer[Any]] = []

    async def read() -> None:
        llm = model(fault="stall")
        async with AsyncAnswer(llm.astream(question), **PATIENT) as answer:
            kept.append(answer)
            async for chunk in answer:
                if chunk.text == " three":
                    begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (kept[0].end, kept[0].text) == ("stopped", HALF)
    (request,) = await asyncio.to_thread(recorded, question)
    assert not request.finished


async def test_a_deadline_holds_also_where_wait_for_loses_it() -> None:
    # Notebook 05: on Python 3.11, it mostly does not, while chunks are coming in.
    llm = model(tokens=[" on"] * 4000, pace=400)
    async with AsyncAnswer(llm.astream("Go on"), **PATIENT) as answer:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):  # limit: the subject
                async for _ in answer:
                    pass
    assert answer.end == "stopped"


async def following(*items: object, pause: float = 0) -> AsyncIterator[object]:
    for item in items:
        await asyncio.sleep(pause)  # pace: of the source
        yield item


async def test_a_cancellation_that_its_source_swallows_is_raised() -> None:
    async def swallowing() -> AsyncIterator[str]:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(LONG)  # pace: a silence
        yield "came in the same moment"

    async def read() -> None:
        async for _ in answer:
            pass

    answer = AsyncAnswer(swallowing())
    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (answer.end, answer.text) == ("stopped", "")


async def test_a_chunk_that_comes_with_the_limit_is_taken() -> None:
    async def swallowing() -> AsyncIterator[str]:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(LONG)  # pace: a silence
        yield "in the same moment"
        await asyncio.sleep(LONG)  # pace: a silence

    answer = AsyncAnswer(swallowing(), first=0.05, between=0.05)
    assert [item async for item in answer] == ["in the same moment"]
    task = asyncio.current_task()
    assert (answer.end, task and task.cancelling()) == ("stalled", 0)


async def test_who_is_cancelled_at_the_limit_is_cancelled() -> None:
    async def read() -> None:
        async for _ in answer:
            pass

    async def cancelling() -> AsyncIterator[str]:
        try:
            await asyncio.sleep(LONG)  # pace: a silence
        finally:
            task.cancel()  # as a reader that leaves in the same moment
        yield ""

    answer = AsyncAnswer(cancelling(), first=0.01)
    task = asyncio.create_task(read())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert answer.end == "stopped"


async def test_only_waiting_counts_and_an_empty_chunk_does_not_begin_it() -> None:
    role, text = AIMessageChunk(""), AIMessageChunk("Hi")
    slow = AsyncAnswer(following(role, text, pause=0.4), first=LONG, between=0.1)
    assert [item async for item in slow] == [role, text]
    assert slow.text == "Hi"

    busy = AsyncAnswer(following("a", "b", "c"), first=0.2, between=0.2)
    async for _ in busy:
        await asyncio.sleep(0.3)  # pace: of who reads
    assert busy.text == "abc"

    def items() -> Iterator[str]:
        yield from "abc"

    with Answer(items(), first=0.2, between=0.2) as sync:
        for _ in sync:
            time.sleep(0.3)  # noqa: ASYNC251  # pace: of who reads
    assert sync.text == "abc"


@pytest.mark.parametrize("note", [HumanMessage(""), SystemMessage("A summary.")])
async def test_what_a_graph_puts_into_its_history_does_not_begin_it(
    note: BaseMessage,
) -> None:
    async def silent() -> AsyncIterator[BaseMessage]:
        yield note
        await asyncio.sleep(LONG)  # pace: a silence

    late = AsyncAnswer(silent(), first=0.6)
    assert [item async for item in late] == [note]
    assert (late.end, late.text) == ("stalled", "")


STOP = {"finish_reason": "stop"}
SAID = AIMessageChunk("Hi", id="1", response_metadata=STOP)
ITEMS = {
    "a message": SAID,
    "a graph's pair": (SAID, {"langgraph_node": "say"}),
    "with a mode": ("messages", (SAID, {})),
    "with a path": ((), (SAID, {})),
    "with both": (("say:1",), "messages", (SAID, {})),
    "a dictionary": {"type": "messages", "ns": (), "data": (SAID, {})},
}


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
def test_messages_are_found_in_what_a_graph_yields(item: object) -> None:
    others = [("custom", "Looking it up"), (ToolMessage("sunny", tool_call_id="1"), {})]
    returned = AIMessage("Closed.", id="2"), {}
    with Answer([*others, item, returned]) as answer:
        assert len([*answer]) == 4
    assert (answer.whole(), answer.reason) == ("HiClosed.", "stop")


@pytest.mark.parametrize(
    ("reasons", "end"),
    [
        (["tool_calls", "stop"], "complete"),
        (["tool_calls", "length"], "limited"),
        ([None, "stop"], "cut"),
        (["tool_calls", None], "cut"),
        ([], "cut"),
    ],
)
def test_an_answer_of_several_models_is_as_good_as_the_worst(
    reasons: list[str | None], end: str
) -> None:
    chunks = []
    for number, reason in enumerate(reasons):
        chunks.append(AIMessageChunk("a", id=str(number)))
        about = {"finish_reason": reason} if reason else {}
        chunks.append(AIMessageChunk("b", id=str(number), response_metadata=about))
    with Answer(chunks) as answer:
        assert len([*answer]) == len(chunks)
    assert answer.end == end
    if end != "complete":
        with pytest.raises(Incomplete, match=end):
            answer.whole()


def test_a_message_that_came_whole_from_a_model_has_no_reason_if_it_broke_off() -> None:
    """As of a graph in a graph; one with nothing about it may be of no model."""
    draft = AIMessage("a", id="1", response_metadata={"finish_reason": "stop"})
    half = AIMessage("b", id="2", response_metadata={"model_provider": "openai"})
    for last, end in (half, "cut"), (AIMessage("b", id="2"), "complete"):
        with Answer([draft, last]) as answer:
            assert len([*answer]) == 2
        assert answer.end == end


def test_texts_without_their_reasons_are_not_taken_for_whole(question: str) -> None:
    chain = model() | StrOutputParser()
    with Answer(chain.stream(question)) as answer:
        assert "".join(answer) == WHOLE
    with pytest.raises(Incomplete, match="the answer is cut: no finish_reason"):
        answer.whole()


def test_a_bug_is_kept_and_raised_by_whole() -> None:
    def buggy() -> Iterator[str]:
        yield "a"
        raise LookupError("a bug")

    for limits in {}, PATIENT:
        with Answer(buggy(), **limits) as answer:
            assert [*answer] == ["a"]
        with pytest.raises(Incomplete, match="a bug") as caught:
            answer.whole()
        assert isinstance(caught.value.__cause__, LookupError)


def test_its_thread_ends_and_closes_the_source() -> None:
    closed = threading.Event()

    def items() -> Iterator[str]:
        try:
            yield from "abc"
        finally:
            closed.set()

    with Answer(items(), **PATIENT) as answer:
        next(iter(answer))
    assert closed.wait(LONG)


# In a server


async def texts(way: str, llm: ChatOpenAI, question: str, seen: list[Any]) -> Any:
    stream, more = opened(way, "astream", llm, question)
    try:
        async with AsyncAnswer(stream, first=LONG, between=0.5, **more) as answer:
            said = ""
            async for _ in answer:
                if answer.text != said:
                    yield f"data: {answer.text.removeprefix(said)}\n\n"
                    said = answer.text
        yield f"event: {answer.end}\n\n"
    finally:
        seen.append(answer)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "stays"])
def test_under_starlette(way: str, question: str, *, leaves: bool) -> None:
    app, seen = FastAPI(), list[Any]()
    said = {"pace": 20, "tokens": [" on"] * 2000} if leaves else {"fault": "stall"}

    @app.get("/chat")
    async def chat(question: str) -> EventStream:
        sure: Any = {"stream_chunk_timeout": None}  # inside a graph, 3.11 loses it
        llm = model(sure, **said)
        return EventStream(texts(way, llm, question, seen))

    with serve(app) as url, connect(url) as reader:
        reader.sendall(asking(question, version="1.0"))
        read = b""
        while (b"data:" not in read) if leaves else (b"event:" not in read):
            read += (more := reader.recv(65536))
            assert more, read
        reader.close()
        until(lambda: seen, "the answer did not end")
        (request,) = recorded(question)
    assert not request.finished
    assert seen[0].end == ("stopped" if leaves else "stalled")
    assert seen[0].text.startswith(" on") if leaves else seen[0].text == HALF


def test_it_works_alone(tmp_path: Path) -> None:
    source = Path(answers.__file__).read_text(encoding="utf-8")
    (tmp_path / "taken_along.py").write_text(source, encoding="utf-8")
    program = "from taken_along import Answer; print(Answer(['a']).end)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("None\n", "")
    assert "helpers" not in source.replace("helpers/", "")


# What it costs


async def endless() -> AsyncIterator[AIMessageChunk]:
    chunk = AIMessageChunk("on", id="1", response_metadata={"finish_reason": "stop"})
    for _ in range(1000):
        yield chunk


async def with_a_limit_for_each(stream: Any) -> None:
    async with aclosing(stream):
        while True:
            try:
                async with asyncio.timeout(LONG):
                    await anext(stream)
            except StopAsyncIteration:
                return


async def with_an_answer(stream: Any) -> None:
    async with AsyncAnswer(stream, **PATIENT) as answer:
        async for _ in answer:
            pass
    assert answer.end == "complete"


def test_one_timer_costs_less_than_a_limit_for_each_chunk() -> None:
    took: dict[Any, list[float]] = {with_a_limit_for_each: [], with_an_answer: []}
    for _ in range(15):
        for way, times in took.items():
            begun = time.thread_time()
            asyncio.run(way(endless()))
            times.append(time.thread_time() - begun)
    assert min(took[with_an_answer]) < min(took[with_a_limit_for_each])


def test_an_answer_of_the_responses_api_counts_as_cut() -> None:
    """The head of the file says so."""
    model = ChatOpenAI(use_responses_api=True, **script(tokens=WORDS, ttft=0, pace=0))
    with Answer(model.stream("Hi")) as answer:
        list(answer)
    assert (answer.end, answer.text) == ("cut", WHOLE)
