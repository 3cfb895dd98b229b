"""The input in pieces, and the sum of them; each piece is marked as it is taken."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TypeVar, cast

from langchain_core.runnables import AddableDict, Runnable
from langchain_core.runnables.base import RunnableLike, coerce_to_runnable

from .trace import Trace

T = TypeVar("T")


def prepared(
    runnable: RunnableLike[T, object], pieces: Sequence[T]
) -> tuple[Runnable[T, object], list[T]]:
    """Return the step that a chain would make of it, and pieces that can be added."""
    if len(pieces) < 2:
        raise ValueError('Give the input in pieces, two or more: "Hel", "lo".')
    parts = [AddableDict(part) if isinstance(part, dict) else part for part in pieces]
    return coerce_to_runnable(runnable), cast("list[T]", parts)


def add_up(parts: list[T]) -> T:
    """Add the pieces up as LangChain does: if they do not add, the last one counts."""
    total = parts[0]
    for part in parts[1:]:
        try:
            total = total + part  # type: ignore[operator]
        except TypeError:
            total = part
    return total


def feed(parts: list[T], trace: Trace) -> Iterator[T]:
    """Yield the pieces, each marked as it is taken.

    Our own thread asks for the last one only when it has had every item that could
    come before it. Another thread may be ahead of the items, and waits for one.
    """
    for part in parts[:-1]:
        trace.mark("I")
        yield part
    if trace.elsewhere:
        trace.wait(trace.given)
    trace.mark("I")
    yield parts[-1]


async def afeed(parts: list[T], trace: Trace) -> AsyncIterator[T]:
    """Yield the pieces, each marked; before the last, let other tasks catch up."""
    for part in parts[:-1]:
        trace.mark("I")
        yield part
    await trace.await_(trace.given)
    trace.mark("I")
    yield parts[-1]
