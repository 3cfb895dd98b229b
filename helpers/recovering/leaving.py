"""Ways to leave a stream in its middle, for a table of those that the server notices.

Each takes a model and a question, reads some chunks, and leaves. `KEPT` holds what a
program would hold in an attribute, a list or a cache; so nothing is closed by chance.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, closing, suppress
from typing import Any

from langchain_openai import ChatOpenAI

from helpers.models import requests
from helpers.serving.answers import Answer, AsyncAnswer

from .failures import readable

KEPT: list[Any] = []
LIMITS: dict[str, Any] = {"first": 60, "between": 60}
Way = Callable[[ChatOpenAI, str], Awaitable[object]]


async def some(stream: AsyncIterator[Any]) -> None:
    """Read three texts."""
    texts = 0
    async for chunk in stream:
        texts += bool(chunk.text)
        if texts == 3:
            break


def held(model: ChatOpenAI, question: str) -> AsyncIterator[Any]:
    """Open a stream that something holds."""
    KEPT.append(model.astream(question))
    stream: AsyncIterator[Any] = KEPT[-1]
    return stream


async def in_aclosing(model: ChatOpenAI, question: str) -> None:
    """Close the stream at the end of a block."""
    async with aclosing(held(model, question)) as stream:  # type: ignore[type-var]
        await some(stream)


async def task_cancel(model: ChatOpenAI, question: str) -> None:
    """Cancel the task that reads, while it waits for a chunk."""
    begun, stream = asyncio.Event(), held(model, question)

    async def read() -> None:
        await some(stream)
        begun.set()
        async for _ in stream:
            pass  # until it is cancelled

    reading = asyncio.create_task(read())
    await begun.wait()
    reading.cancel()
    await asyncio.wait([reading])


async def task_group(model: ChatOpenAI, question: str) -> None:
    """Let the failure of another task cancel the one that reads."""
    begun, stream = asyncio.Event(), held(model, question)

    async def read() -> None:
        await some(stream)
        begun.set()
        async for _ in stream:
            pass  # until it is cancelled

    with suppress(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            group.create_task(read())
            await begun.wait()
            raise LookupError


async def answer_block(model: ChatOpenAI, question: str) -> None:
    """Leave the block of an AsyncAnswer."""
    async with AsyncAnswer(held(model, question), **LIMITS) as answer:
        await some(aiter(answer))


async def graph_aclosing(model: ChatOpenAI, question: str) -> None:
    """Close the stream of a graph at the end of a block."""
    graph, asked, options = readable("graph", model, question)
    async with aclosing(graph.astream(asked, **options)) as stream:
        KEPT.append(stream)
        await some(message async for message, _ in stream)


async def events_break(model: ChatOpenAI, question: str) -> None:
    """Leave the loop over events of the third version."""
    KEPT.append(await model.astream_events(question, version="v3"))
    async for _ in KEPT[-1].text:
        break


async def events_block(model: ChatOpenAI, question: str) -> None:
    """Leave their block."""
    async with await model.astream_events(question, version="v3") as events:
        KEPT.append(events)
        async for _ in events.text:
            break


def sync_break(model: ChatOpenAI, question: str) -> None:
    """Leave the loop over a stream that something holds."""
    KEPT.append(model.stream(question))
    next(chunk for chunk in KEPT[-1] if chunk.text)


def sync_closing(model: ChatOpenAI, question: str) -> None:
    """Close the stream at the end of a block."""
    KEPT.append(model.stream(question))
    with closing(KEPT[-1]) as stream:
        next(chunk for chunk in stream if chunk.text)


def sync_answer(model: ChatOpenAI, question: str) -> None:
    """Leave the block of an Answer with limits, which a thread reads."""
    KEPT.append(model.stream(question))
    with Answer(KEPT[-1], **LIMITS) as answer:
        next(chunk for chunk in answer if chunk.text)


def in_thread(way: Callable[[ChatOpenAI, str], None]) -> Way:
    """Return the same for asynchronous code."""
    return lambda model, question: asyncio.to_thread(way, model, question)


LEAVING: dict[str, Way] = {
    "break, held": lambda model, question: some(held(model, question)),
    "aclosing": in_aclosing,
    "task.cancel": task_cancel,
    "TaskGroup": task_group,
    "AsyncAnswer": answer_block,
    "graph, aclosing": graph_aclosing,
    "events v3, break": events_break,
    "events v3, async with": events_block,
    "sync: break, held": in_thread(sync_break),
    "sync: closing": in_thread(sync_closing),
    "sync: Answer": in_thread(sync_answer),
}
"""By the names that a table has for them."""


async def noticed(model: ChatOpenAI) -> dict[str, bool]:
    """Leave in each way at once; return whether the server stopped before its end."""
    await asyncio.gather(*[way(model, name) for name, way in LEAVING.items()])
    notes = {each.prompt: each for each in await asyncio.to_thread(requests)}
    KEPT.clear()
    return {name: not notes[name].finished for name in LEAVING}
