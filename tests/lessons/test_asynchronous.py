"""What notebook 05 says beside its cells: of limits, of closing, of what traces see."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.output_parsers import StrOutputParser
from langchain_openai import ChatOpenAI

from helpers.models import script
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
    coming = asyncio.Event()

    async def read() -> None:
        count = 0
        async for _ in ChatOpenAI(**limits, **ENDLESS).astream(question):
            count += 1
            if count == 40:
                coming.set()

    async def fail() -> None:
        await coming.wait()
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
