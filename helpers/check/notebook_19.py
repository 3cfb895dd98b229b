"""The exercises of notebook 19: where a reader goes on, and what comes meanwhile."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from . import reading
from .exercise import ANYTHING, PLAIN, Hint, exercise, is_async, raised, shown

if TYPE_CHECKING:
    from asyncio import Queue

Event = tuple[int, str | None]

HEADERS: list[tuple[str | None, int, int | None]] = [
    (None, 6, 0),
    ("4", 6, 4),
    ("", 6, 0),
    ("0", 6, 0),
    ("6", 6, 6),
    ("12", 40, 12),
    ("4321", 5000, 4321),
    ("7", 6, None),
    ("-1", 6, None),
    ("four", 6, None),
    ("4.0", 6, None),
    (" 4", 6, None),
    ("+4", 6, None),
    ("4\n", 6, None),
    ("4x", 6, None),
    ("1_0", 40, None),
    ("٤", 6, None),
    ("²", 6, None),
    (" ", 6, None),
    ("9", 12, 9),
    ("10", 9, None),
    ("9" * 5000, 6, None),
]


@exercise("19.1")
def cursor(answer: object) -> Iterator[str]:
    """Exercise 19.1: a function that reads `Last-Event-ID`."""
    if not callable(answer):
        yield "write def cursor(header, last)"
    if is_async(answer):
        yield PLAIN
    find = cast("Callable[[str | None, int], object]", answer)
    for header, last, right in HEADERS:
        asked = f"cursor({shown(header)}, {last})"
        try:
            found = find(header, last)
        except ANYTHING as error:
            yield f"{asked} is {right}, but {raised(error)}"
            return
        if type(found) is not type(right) or found != right:
            yield f"{asked} is {right}, not {shown(found)}"


class Case(NamedTuple):
    """When events come, by how many there are: each count is of all by then."""

    when: str
    after: int
    """What the reader has."""
    first: int
    """There are so many before it comes,"""
    asked: int
    """so many when the log is asked for what it has,"""
    answered: int
    """and so many when it answers. The rest come one by one, each after the last."""


TEXTS = ["One", " two", " two", "", " three", " four", None]
CASES = [
    Case("when events come while the log is asked", 0, 2, 2, 4),
    Case("when events come before the log is asked", 0, 2, 4, 4),
    Case("for a reader who has 2 events", 2, 3, 4, 5),
    Case("for a reader who has all but the end", 6, 7, 7, 7),
    Case("when the answer has ended", 0, 7, 7, 7),
    Case("when the end comes while the log is asked", 3, 5, 5, 7),
    Case("when nothing is there yet", 0, 0, 0, 1),
    Case("when nothing comes while the log is asked", 0, 2, 2, 2),
]


class Log:
    """A log as the exercise has it, which writes when it is most in the way."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._written: list[Event] = []
        self._queues: list[Queue[Event]] = []
        self._asked = 0
        self.write(case.first)

    @property
    def listeners(self) -> int:
        """Return how many listen now."""
        return len(self._queues)

    @property
    def last(self) -> int:
        """Return the number of the last event."""
        return len(self._written)

    def write(self, count: int) -> None:
        """Write until there are so many; raises Hint if nobody is to hear of one."""
        while len(self._written) < min(count, len(TEXTS)):
            number = len(self._written) + 1
            event = number, TEXTS[number - 1]
            self._written.append(event)
            if self._asked and not self._queues:
                raise Hint(f"nobody listens while event {number} comes; listen first")
            for queue in self._queues:
                queue.put_nowait(event)

    async def after(self, number: int) -> list[Event]:
        """Return the events after a number that were there when this was called."""
        import asyncio  # not at the top: `import helpers` stays quick

        self._asked += 1
        if self._asked > 5:
            raise Hint("it asks the log again and again; take the rest from the queue")
        await asyncio.sleep(0)
        self.write(self._case.asked)
        found = [each for each in self._written if each[0] > number]
        await asyncio.sleep(0)
        self.write(self._case.answered)
        return found

    @contextmanager
    def listen(self) -> Iterator[Queue[Event]]:
        """Give a queue of all that is written from here on, to the end of the block."""
        import asyncio

        queue: Queue[Event] = asyncio.Queue()
        self._queues.append(queue)
        try:
            yield queue
        finally:
            self._queues.remove(queue)


@exercise("19.2")
async def followed(answer: object) -> AsyncGenerator[str, None]:
    """Exercise 19.2: an async generator of a log's events, each of them once."""
    import asyncio

    for case in CASES:
        log = Log(case)
        got: list[object] = []

        def hear(event: object, log: Log = log, got: list[object] = got) -> None:
            got.append(event)
            if got[-1:] == [_event(log.last)]:
                log.write(log.last + 1)

        right = [_event(number) for number in range(case.after + 1, len(TEXTS) + 1)]
        try:
            async with asyncio.timeout(reading.PATIENCE) as limit:
                async for each in reading.stream_of(answer, log, case.after):
                    hear(each)
                    if hint := _compared(got, right, case):
                        yield hint
                        return
        except TimeoutError:
            if not limit.expired():
                raise
            if len(got) == len(right):
                yield f"{case.when}, it does not end; the text of the end is None"
            next_ = case.after + len(got) + 1
            yield f"{case.when}, it drops event {next_}, or holds it back"
            return
        if len(got) < len(right):
            yield f"{case.when}, it ends before event {case.after + len(got) + 1}"
        if log.listeners:
            yield "it listens on when it has ended; use `with`"
    async for hint in _left(answer):
        yield hint


async def _left(answer: object) -> AsyncGenerator[str, None]:
    """Leave in the middle, as a reader does, and look who listens still."""
    log = Log(CASES[0])
    stream: Any = aiter(reading.stream_of(answer, log, 0))
    await anext(stream)
    if hasattr(stream, "aclose"):
        await stream.aclose()
    if log.listeners:
        yield "when its reader leaves, it listens on; use `with`"


def _event(number: int) -> Event:
    return number, TEXTS[number - 1] if number else None


def _compared(got: list[object], right: list[Event], case: Case) -> str:
    """Say what is wrong with the last thing that came; "" if nothing is."""
    at, found = len(got) - 1, got[-1]
    expected = right[at] if at < len(right) else None
    if found == expected:
        return ""
    if found in got[:-1]:
        return f"event {shown(found)} comes twice; drop what the reader has"
    if expected is None:
        return f"{case.when}, it yields {shown(found)} after the end"
    if found in right:
        return f"{case.when}, event {expected[0]} is lost, or comes late"
    return f"{case.when}, {shown(expected)} is next, and it yields {shown(found)}"
