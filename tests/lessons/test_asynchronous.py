"""What notebook 05 says beside its cells: of limits, of closing, of what traces see."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from functools import partial
from operator import itemgetter
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import (
    Runnable,
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)
from langchain_openai import ChatOpenAI

from helpers.models import script
from tests.support.fixtures import Taught
from tests.support.recorded import recorded

QUICK = script(tokens=["One", " two", " three"] * 20, ttft=0, pace=100)


@pytest.mark.parametrize(
    ("limit", "error"),
    [({"timeout": 0.5}, "OpenAITimeoutError"), ({"stream_chunk_timeout": 0.5}, "")],
)
def test_without_async_only_one_limit_notices_a_silence(
    limit: dict[str, float], error: str
) -> None:
    silence = script(fault="stall", at=2, stall=1.5, ttft=0, pace=0)
    model, raised = ChatOpenAI(**limit, **silence), ""
    try:
        list(model.stream("Hi"))
    except Exception as caught:  # noqa: BLE001  (its class is private)
        raised = type(caught).__name__
    assert raised == error


async def test_the_limit_of_a_chunk_does_not_count_before_the_response() -> None:
    late = script(tokens=["Hi"], fault="late_headers", stall=3, ttft=0, pace=0)
    model = ChatOpenAI(stream_chunk_timeout=1, **late)
    assert "".join([chunk.text async for chunk in model.astream("Hi")]) == "Hi"


ENDLESS = script(tokens=[" on"] * 40_000, ttft=0, pace=400)


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(
            {},
            marks=pytest.mark.skipif(
                sys.version_info < (3, 12), reason="Python 3.11 may lose a cancellation"
            ),
        ),
        {"stream_chunk_timeout": None},
    ],
)
async def test_a_group_stops_its_tasks_while_chunks_come_in(
    limits: dict[str, None], question: str
) -> None:
    coming = asyncio.Semaphore(0)

    async def read() -> None:
        count = 0
        async for _ in ChatOpenAI(**limits, **ENDLESS).astream(question):
            count += 1
            if count == 40:
                coming.release()

    async def fail() -> None:
        for _ in range(3):
            await coming.acquire()
        raise LookupError

    with pytest.raises(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            for work in (read, read, read, fail):
                group.create_task(work())
    found = await asyncio.to_thread(recorded, question)
    assert [request.finished for request in found] == [False] * 3


class Trace(BaseCallbackHandler):
    """What a trace is told of a run."""

    run_inline = True

    def __init__(self) -> None:
        self.told = list[str]()
        self.failed = asyncio.Event()

    def on_chain_start(self, *_: object, **__: object) -> None:
        self.told.append("chain starts")

    def on_chain_end(self, *_: object, **__: object) -> None:
        self.told.append("chain ends")

    def on_chain_error(self, error: BaseException, **_: object) -> None:
        self.told.append(f"chain: {type(error).__name__}")
        self.failed.set()

    def on_llm_error(self, error: BaseException, **_: object) -> None:
        self.told.append(f"model: {type(error).__name__}")


async def test_a_trace_sees_a_closed_stream_as_an_error() -> None:
    model = ChatOpenAI(**QUICK)
    sync, awaited = Trace(), Trace()
    chunks: Any = model.stream("Hi", {"callbacks": [sync]})
    with closing(chunks):
        next(chunks)
    stream: Any = model.astream("Hi", {"callbacks": [awaited]})
    async with aclosing(stream):
        await anext(stream)
    assert sync.told == awaited.told == ["model: GeneratorExit"]


async def test_of_a_closed_chain_it_is_told_a_moment_later() -> None:
    trace = Trace()
    stream: Any = (ChatOpenAI(**QUICK) | StrOutputParser()).astream(
        "Hi", {"callbacks": [trace]}
    )
    async with aclosing(stream):
        async for text in stream:
            if text:
                break
    assert {*trace.told} == {"chain starts"}
    await asyncio.wait_for(trace.failed.wait(), 30)
    assert "chain: GeneratorExit" in trace.told
    assert "chain ends" not in trace.told


def test_a_generator_that_yields_while_it_is_closed_fails() -> None:
    def words() -> Iterator[str]:
        try:
            yield "One"
        finally:
            yield "Goodbye"

    said: Any = words()
    next(said)
    with pytest.raises(RuntimeError, match="generator ignored GeneratorExit"):
        said.close()


async def test_an_async_one_fails_too() -> None:
    async def words() -> AsyncIterator[str]:
        try:
            yield "One"
        finally:
            yield "Goodbye"

    said: Any = words()
    await anext(said)
    with pytest.raises(RuntimeError, match="generator ignored GeneratorExit"):
        await said.aclose()


Model = Runnable[Any, Any]


async def generated(model: ChatOpenAI, questions: AsyncIterator[Any]) -> Any:
    async for question in questions:
        async with aclosing(model.astream(question)) as chunks:
            async for chunk in chunks:
                yield {"answer": chunk}


def in_a_generator(model: ChatOpenAI) -> Model:
    return RunnableGenerator[Any, Any](partial(generated, model)).pick("answer")


FIVE = {"tokens": [" on"] * 9, "fault": "stall", "at": 5, "ttft": 0, "pace": 0}


async def sent_until(
    chain: Model, question: str, end: Callable[[asyncio.Task[None]], Any], wait: float
) -> int:
    """Return how many chunks were sent to a reader who is stopped after five."""
    five = asyncio.Event()

    async def read() -> None:
        count = 0
        async for chunk in chain.astream(question):
            count += bool(chunk.text)
            if count == 5:
                five.set()

    task = asyncio.create_task(read())
    await five.wait()
    await asyncio.sleep(wait)  # pace: of a step
    await end(task)
    (request,) = await asyncio.to_thread(recorded, question)
    assert task.cancelled()  # it is kept until here
    return int(request.chunks_sent)


async def cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize("wait", [0, 0.1], ids=["with a chunk", "in the silence"])
@pytest.mark.parametrize(
    "around",
    [lambda model: model, lambda model: model | RunnablePassthrough(), in_a_generator],
    ids=["model", "chain", "generator"],
)
async def test_stop_stops_a_model_in_its_silence(
    around: Callable[[ChatOpenAI], Model], wait: float, taught: Taught, question: str
) -> None:
    stop, model = taught("05")["stop"], ChatOpenAI(**script(**FIVE, stall=30))
    assert await sent_until(around(model), question, stop, wait) == 5


@pytest.mark.parametrize(
    ("around", "wait"),
    [
        (lambda model: model | RunnablePassthrough(), 0),
        (lambda model: RunnableParallel(answer=model).pick("answer"), 0.1),
    ],
    ids=["chain, with a chunk", "dictionary, in the silence"],
)
async def test_without_its_last_lines_stop_leaves_the_model_of_a_chain_open(
    around: Callable[[ChatOpenAI], Model], wait: float, question: str
) -> None:
    model = ChatOpenAI(**script(**FIVE, stall=0.5))
    assert await sent_until(around(model), question, cancel, wait) == 9


@pytest.mark.parametrize(
    ("around", "saves"),
    [(lambda saving: saving, False), (asyncio.shield, True)],
    ids=["awaited", "shielded"],
)
async def test_stop_cuts_off_what_a_task_saves_unless_it_is_shielded(
    around: Callable[[Any], Any], saves: bool, taught: Taught
) -> None:
    begun, saved = asyncio.Event(), asyncio.Event()
    stopped = asyncio.Event()

    async def save() -> None:
        await stopped.wait()  # it lasts longer than any patience
        saved.set()

    async def read() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            saving = asyncio.ensure_future(save())
            ends.append(saving)
            await around(saving)

    ends: list[asyncio.Future[None]] = []
    task = asyncio.create_task(read())
    await begun.wait()
    await taught("05")["stop"](task)
    stopped.set()
    await asyncio.wait(ends)
    assert (task.cancelled(), saved.is_set()) == (True, saves)


DICTIONARIES = pytest.mark.parametrize(
    "around",
    [
        lambda model: RunnableParallel(answer=model).pick("answer"),
        lambda model: (
            RunnableLambda(lambda question: {"question": question})
            | RunnablePassthrough.assign(answer=itemgetter("question") | model)
        ).pick("answer"),
    ],
    ids=["parallel", "assign"],
)


@DICTIONARIES
async def test_a_dictionary_lets_go_at_the_next_chunk(
    around: Callable[[ChatOpenAI], Model], taught: Taught, question: str
) -> None:
    # If it fails, LangChain cancels what RunnableParallel starts: say so in 04 and 05.
    model = ChatOpenAI(**script(**FIVE, stall=0.5))
    assert await sent_until(around(model), question, taught("05")["stop"], 0.1) > 5


@DICTIONARIES
async def test_a_dictionary_lets_go_at_once_of_who_has_a_chunk(
    around: Callable[[ChatOpenAI], Model], question: str
) -> None:
    count, model = 0, ChatOpenAI(**script(**FIVE, stall=30))
    async with aclosing(around(model).astream(question)) as chunks:
        async for chunk in chunks:
            count += bool(chunk.text)
            if count == 5:
                break
    (request,) = await asyncio.to_thread(recorded, question)
    assert request.chunks_sent == 5


async def test_a_dictionary_lets_go_at_once_of_that_model_alone(question: str) -> None:
    # If it fails, LangChain cancels its other branches: say so in 05.
    silent, left, wrote = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def writes_on(questions: AsyncIterator[str]) -> AsyncIterator[str]:
        async for _ in questions:
            silent.set()
            await left.wait()
            wrote.set()
            yield "not asked for"

    async def then(questions: AsyncIterator[str]) -> AsyncIterator[str]:
        async for each in questions:
            await silent.wait()
            yield each

    model = ChatOpenAI(**script(**FIVE, stall=30))
    other = RunnableGenerator[Any, Any](writes_on)
    both = RunnableParallel(model=RunnableGenerator(then) | model, other=other)
    async with aclosing(both.astream(question)) as items:
        count = 0
        async for item in items:
            count += bool(item["model"].text)
            if count == 5:
                break
    (request,) = await asyncio.to_thread(recorded, question)
    assert request.chunks_sent == 5
    left.set()
    await asyncio.wait_for(wrote.wait(), 10)


async def test_a_group_raises_when_all_of_its_tasks_have_ended() -> None:
    ended = []

    async def saves() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # it takes a turn to save
            ended.append("saved")

    async def fails() -> None:
        raise ValueError

    with pytest.raises(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            group.create_task(saves())
            group.create_task(fails())
    assert ended == ["saved"]
