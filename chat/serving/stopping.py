"""Stop a model when its reader leaves: give it a task of its own, and cancel that once.

Starlette cancels again and again, through a scope of anyio, until the task has ended.
LangGraph stops its nodes in a task that it starts for that: a later cancellation
ends this one before its first step, and the model writes on. So let the server cancel
a task that only waits. What runs in a thread, such as a step of a graph that is a plain
function, goes on all the same. So does a silent model in a dictionary of a chain, until
its next chunk: LangChain reads it in a task of its own, which it does not cancel.
This file works alone, with anyio: take it along.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import TypeVar

import anyio

T = TypeVar("T")
Send = Callable[[T], Awaitable[object]]
Task = asyncio.Task[None]
TURN = 0.01  # seconds


async def relay(source: AsyncIterable[T], send: Send[T]) -> None:
    """Await `send(item)` for each item of the source; if cancelled, stop the source.

    The source is read as fast as `send` takes it, and no faster. What it or `send`
    raises is raised here. On return, the source has ended, and so has its `finally`.
    """
    async with delivering(source, send) as task:
        await asyncio.wait([task])
        task.result()


@asynccontextmanager
async def stoppable(source: AsyncIterable[T]) -> AsyncGenerator[AsyncGenerator[T]]:
    """Yield an iterator over the source, for others to read; at the end, stop it."""
    sending, receiving = anyio.create_memory_object_stream[T](0)  # keeps nothing

    async def items() -> AsyncGenerator[T]:
        async for item in receiving:
            yield item
        task.result()

    async with delivering(source, sending.send) as task:
        task.add_done_callback(lambda _: sending.close())
        with receiving:
            yield items()


@asynccontextmanager
async def delivering(source: AsyncIterable[T], send: Send[T]) -> AsyncGenerator[Task]:
    """Start the task of `relay`; at the end, cancel it once, and wait for its end."""
    task = asyncio.create_task(_deliver(source, send))
    try:
        yield task
    finally:
        if task.cancel():  # it had not ended
            with anyio.CancelScope(shield=True):
                await asyncio.wait([task])
            # Until it is taken, a task keeps its exception, and so all that the source
            # left open: of a chain, the stream of its model.
            with suppress(asyncio.CancelledError):
                task.result()


async def _deliver(source: AsyncIterable[T], send: Send[T]) -> None:
    task, items, turn = asyncio.current_task(), aiter(source), monotonic() + TURN
    try:
        async for item in items:
            try:
                if task and task.cancelling():  # Python 3.11's wait_for has lost that
                    raise asyncio.CancelledError
                await send(item)
            except asyncio.CancelledError as error:  # it may be a deadline's, inside
                if isinstance(items, AsyncGenerator):
                    with suppress(StopAsyncIteration):
                        await items.athrow(error)
                raise
            if monotonic() > turn:  # a source that never waits hears nothing
                await asyncio.sleep(0)
                turn = monotonic() + TURN
    finally:
        if isinstance(items, AsyncGenerator):
            await items.aclose()
