"""Read an async generator that a reader of the course wrote."""

import inspect
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any

from .exercise import Hint

PATIENCE = 2.0
"""Seconds to wait for what comes at once, unless an answer holds it back."""


def stream_of(answer: object, *given: object) -> AsyncIterable[Any]:
    """Call an answer; raises Hint if `async for` cannot read what it returns."""
    stream = answer(*given) if callable(answer) else answer
    if isinstance(stream, AsyncIterable):
        return stream
    if inspect.iscoroutine(stream):
        stream.close()  # or Python says that nobody awaited it
    raise Hint("write an `async def` with a `yield` in it")


async def read(answer: object, *given: object, hear: Callable[[Any], None]) -> None:
    """Let `hear` have all that an answer yields.

    Raises what the answer raises, and Hint if it is no async generator or never ends.
    """

    async def reading() -> None:
        async for each in stream_of(answer, *given):
            hear(each)

    await ended(reading())


async def ended(work: Awaitable[object]) -> None:
    """Await the work of an answer; raises Hint if it never ends."""
    import asyncio  # not at the top: `import helpers` stays quick

    try:
        async with asyncio.timeout(5 * PATIENCE) as limit:
            await work
    except TimeoutError:
        if limit.expired():
            raise Hint("it does not end") from None
        raise


def only_text(value: object) -> str:
    """Return it if it is text, else raise Hint."""
    if isinstance(value, str):
        return value
    raise Hint(f"yield text, and not {type(value).__name__}")


class Heard:
    """Tells whether each thing that is said is heard before the next one."""

    late = False
    """Whether one was not, in good time."""

    def __init__(self) -> None:
        import asyncio

        self._event = asyncio.Event()
        self.clear, self.set = self._event.clear, self._event.set

    async def wait(self) -> None:
        """Wait for `set`, at most PATIENCE; once one thing was late, no more."""
        import asyncio

        try:
            if not self.late:
                await asyncio.wait_for(self._event.wait(), PATIENCE)
        except TimeoutError:
            self.late = True
