"""The checks of notebook 19: where a reader goes on, and a log that is followed."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, ExitStack, aclosing, suppress
from functools import partial
from typing import Any, Protocol

import pytest
from fastapi import HTTPException

from helpers import check
from helpers.check import reading
from tests.support.hostile import Hostile

Said = Callable[[], str]
Event = tuple[int, str | None]
Events = AsyncGenerator[Event, None]


class Log(Protocol):
    async def after(self, number: int) -> list[Event]: ...

    def listen(self) -> AbstractContextManager["asyncio.Queue[Event]"]: ...


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return lambda: capsys.readouterr().out.strip()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for what does not come: for answers that are known to be wrong."""
    monkeypatch.setattr(reading, "PATIENCE", 0.3)


# 19.1: the number in a header


def by_pattern(header: str | None, last: int) -> int | None:
    if not header:
        return 0
    if not re.fullmatch("[0-9]{1,9}", header) or int(header) > last:
        return None
    return int(header)


def by_digits(header: str | None, last: int) -> int | None:
    header = header or "0"
    if header.isascii() and header.isdigit() and len(header) < 20:
        return int(header) if int(header) <= last else None
    return None


def by_list(header: str | None, last: int) -> int | None:
    known = ["", *map(str, range(1, last + 1))]
    with suppress(ValueError):
        return known.index("" if header in (None, "0") else header)  # type: ignore[arg-type]
    return None


def by_search(header: str | None, last: int) -> int | None:
    return next((n for n in range(last + 1) if str(n) == (header or "0")), None)


def by_dictionary(header: str | None, last: int) -> int | None:
    return {None: 0, "": 0, **{str(n): n for n in range(last + 1)}}.get(header)


def by_its_text(header: str | None, last: int) -> int | None:
    if header is None or header == "":
        return 0
    try:
        number = int(header)
    except ValueError:
        return None
    return number if str(number) == header and 0 <= number <= last else None


def by_match(header: str | None, last: int) -> int | None:
    match header:
        case None | "":
            return 0
        case text if set(text) <= set("0123456789") and len(text) <= len(str(last)):
            return None if int(text) > last else int(text)
        case _:
            return None


def by_end(header: str | None, last: int) -> int | None:
    found = re.match(r"\A(?:[1-9]\d{0,8}|0)\Z", header or "0", re.ASCII)
    return int(found[0]) if found and int(found[0]) in range(last + 1) else None


def by_bytes(header: str | None, last: int) -> int | None:
    number = 0
    for each in (header or "").encode():
        if not 48 <= each <= 57 or number > last:
            return None
        number = number * 10 + each - 48
    return None if number > last else number


class Cursor:
    def __call__(self, header: str | None, last: int) -> int | None:
        return by_digits(header, last)


@pytest.mark.parametrize(
    "answer",
    [
        by_pattern,
        by_digits,
        by_list,
        by_search,
        by_dictionary,
        by_its_text,
        by_match,
        by_end,
        by_bytes,
        Cursor(),
        partial(by_pattern),
        lambda header, last: by_search(header, last),
    ],
)
def test_cursor(answer: object, said: Said) -> None:
    check.cursor(answer)
    assert said() == "correct (19.1)"


def raising(header: str | None, last: int) -> int | None:
    found = by_pattern(header, last)
    if found is None:
        raise HTTPException(400)
    return found


def changed(pattern: str, flags: int = 0) -> Callable[[str | None, int], int | None]:
    """Return an answer that lets a pattern decide."""

    def answer(header: str | None, last: int) -> int | None:
        if not header:
            return 0
        if not re.match(pattern, header, flags) or int(header[:100]) > last:
            return None
        return int(header[:100])

    return answer


async def waiting(header: str | None, last: int) -> int | None:
    return by_pattern(header, last)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (lambda header, last: None, "not tried yet"),
        ("4", "write def cursor(header, last)"),
        (waiting, "write it with def, without async"),
        (lambda header, last: int(header), "cursor(None, 6) is 0, but it raises Type"),
        (lambda header, last: int(header or 0), "cursor('7', 6) is None, not 7"),
        (lambda header, last: header or 0, "cursor('4', 6) is 4, not '4'"),
        (
            lambda header, last: 0 if header is None else by_end(header or "x", last),
            "cursor('', 6) is 0, not None",
        ),
        (
            lambda header, last: min(int(header or 0), last),
            "cursor('7', 6) is None, not 6",
        ),
        (
            lambda header, last: by_pattern(header, last - 1),
            "cursor('6', 6) is 6, not None",
        ),
        (
            lambda header, last: (by_pattern(header, last) or 0) + 1,
            "cursor(None, 6) is 0, not 1",
        ),
        (
            lambda header, last: by_pattern(header, last) or 0,
            "cursor('7', 6) is None, not 0",
        ),
        (
            lambda header, last: by_pattern(header, last) or None,
            "cursor(None, 6) is 0, not None",
        ),
        (
            lambda header, last: bool(header) and by_pattern(header, last),
            "cursor(None, 6) is 0, not False",
        ),
        (raising, "cursor('7', 6) is None, but it raises HTTPException"),
        (changed(r"-?\d+$"), "cursor('-1', 6) is None, not -1"),
        (changed(r".*"), "cursor('-1', 6) is None, not -1"),
        (changed(r"\s*\d+$"), "cursor(' 4', 6) is None, not 4"),
        (changed(r"\d+$", re.ASCII), r"cursor('4\n', 6) is None, not 4"),
        (changed(r"\d+", re.ASCII), "cursor('4.0', 6) is None, but it raises Val"),
        (changed(r"[\d_]+\Z"), "cursor('1_0', 40) is None, not 10"),
        (changed(r"\d+\Z"), "cursor('٤', 6) is None, not 4"),
        (
            lambda header, last: (
                (0 if not header else int(header) if int(header) <= last else None)
                if not header or header.isdigit()
                else None
            ),
            "cursor('٤', 6) is None, not 4",
        ),
        (
            lambda header, last: (
                by_pattern(header, last)
                if not header or not header.isascii() or len(header) < 9
                else int(header)
            ),
            "cursor('999",
        ),
        (
            lambda header, last: by_pattern(
                header if (header or "").strip() else "", last
            ),
            "cursor(' ', 6) is None, not 0",
        ),
        (
            lambda header, last: (
                by_pattern(header, 5000) if (header or "") <= str(last) else None
            ),
            "cursor('9', 12) is 9, not None",
        ),
        (Hostile(), "it raises RuntimeError: no"),
    ],
)
def test_cursor_hints(answer: object, line: str, said: Said) -> None:
    check.cursor(answer)
    assert line in said()


# 19.2: what comes between the replay and the rest


async def followed(log: Log, after: int) -> Events:
    with log.listen() as queue:
        for event in await log.after(after):
            after, text = event
            yield event
            if text is None:
                return
        while True:
            event = await queue.get()
            if event[0] > after:
                yield event
                if event[1] is None:
                    return


async def by_a_set(log: Log, after: int) -> Events:
    seen = set(range(after + 1))
    with log.listen() as queue:
        waiting = list(await log.after(after))
        while True:
            event = waiting.pop(0) if waiting else await queue.get()
            if event[0] not in seen:
                seen.add(event[0])
                yield event
            if event[1] is None:
                return


async def by_both(log: Log, after: int) -> Events:
    async def both(queue: "asyncio.Queue[Event]") -> Events:
        for each in await log.after(after):
            yield each
        while True:
            yield await queue.get()

    with log.listen() as queue:
        next_ = after + 1
        async with aclosing(both(queue)) as events:
            async for number, text in events:
                if number == next_:
                    yield number, text
                    next_ += 1
                    if text is None:
                        break


async def by_draining(log: Log, after: int) -> Events:
    with log.listen() as queue:
        found = dict(await log.after(after))
        while not queue.empty():
            number, text = queue.get_nowait()
            if number > after:
                found[number] = text
        for number in sorted(found):
            yield number, found[number]
        after = max(found, default=after)
        text = found.get(after, "")
        while text is not None:
            number, text = await queue.get()
            if number > after:
                yield number, text


async def with_a_stack(log: Log, after: int) -> Events:
    with ExitStack() as stack:
        queue = stack.enter_context(log.listen())
        async for event in followed_by(queue, await log.after(after), after):
            yield event


async def followed_by(
    queue: "asyncio.Queue[Event]", found: list[Event], after: int
) -> Events:
    for number, text in found:
        yield number, text
        after = number
    ended = bool(found) and found[-1][1] is None
    while not ended:
        number, text = await queue.get()
        ended = text is None
        if number > after:
            yield number, text


async def by_finally(log: Log, after: int) -> Events:
    listening = log.listen()
    queue = listening.__enter__()
    try:
        found = await log.after(after)
        async for event in followed_by(queue, found, after):
            yield event
    finally:
        listening.__exit__(None, None, None)


async def from_the_start(log: Log, after: int) -> Events:
    """Ask for all that there is, and skip what the reader has."""
    async with aclosing(followed(log, 0)) as events:
        async for event in events:
            if event[0] > after:
                yield event


async def by_recursion(log: Log, after: int) -> Events:
    async def rest(queue: "asyncio.Queue[Event]", after: int) -> Events:
        number, text = await queue.get()
        if number > after:
            yield number, text
        if text is not None:
            async for event in rest(queue, max(number, after)):
                yield event

    with log.listen() as queue:
        found = await log.after(after)
        for event in found:
            yield event
        if not found or found[-1][1] is not None:
            async for event in rest(queue, found[-1][0] if found else after):
                yield event


async def asked_again(log: Log, after: int) -> Events:
    """Take what is listened to for a bell, and ask the log each time it rings."""
    with log.listen() as queue:
        found = await log.after(after)
        for event in found:
            yield event
        after = found[-1][0] if found else after
        while not (found and found[-1][1] is None):
            heard = await queue.get()
            if heard[0] <= after:
                continue
            found = [heard]
            after = heard[0]
            yield heard


async def in_a_task(log: Log, after: int) -> Events:
    """Let a task read, and hand over by a queue of its own."""
    out: asyncio.Queue[Event] = asyncio.Queue()

    async def fill() -> None:
        async for event in followed(log, after):
            await out.put(event)

    filling = asyncio.create_task(fill())
    try:
        while True:
            event = await out.get()
            yield event
            if event[1] is None:
                await filling
                return
    finally:
        filling.cancel()
        await asyncio.wait([filling])


class Iterated:
    """An iterator, and no generator."""

    def __init__(self, log: Log, after: int) -> None:
        self._events = followed(log, after)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        return await anext(self._events)

    async def aclose(self) -> None:
        await self._events.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        followed,
        by_a_set,
        by_both,
        by_draining,
        with_a_stack,
        by_finally,
        from_the_start,
        by_recursion,
        asked_again,
        in_a_task,
        Iterated,
        lambda log, after: followed(log, after),
    ],
)
async def test_followed(answer: object, said: Said) -> None:
    await check.followed(answer)
    assert said() == "correct (19.2)"


async def replay_first(log: Log, after: int) -> Events:
    found = await log.after(after)
    with log.listen() as queue:
        async for event in followed_by(queue, found, after):
            yield event


async def replay_yielded_first(log: Log, after: int) -> Events:
    for event in await log.after(after):
        yield event
        after = event[0]
    with log.listen() as queue:
        async for event in followed_by(queue, [], after):
            yield event


async def both_whole(log: Log, after: int) -> Events:
    with log.listen() as queue:
        for event in await log.after(after):
            yield event
        async for event in followed_by(queue, [], after):
            yield event


async def by_text(log: Log, after: int) -> Events:
    seen = set()
    with log.listen() as queue:
        async for event in followed_by(queue, await log.after(after), after):
            if event[1] not in seen:
                seen.add(event[1])
                yield event


async def endless(log: Log, after: int) -> Events:
    with log.listen() as queue:
        for event in await log.after(after):
            after = event[0]
            yield event
        while True:
            event = await queue.get()
            if event[0] > after:
                yield event


async def ended_by_none_alone(log: Log, after: int) -> Events:
    with log.listen() as queue:
        for event in await log.after(after):
            after = event[0]
            yield event
        while (event := await queue.get())[1] is not None:
            if event[0] > after:
                yield event


async def ended_by_no_text(log: Log, after: int) -> Events:
    with log.listen() as queue:
        waiting = await log.after(after)
        while True:
            event = waiting.pop(0) if waiting else await queue.get()
            if event[0] > after:
                after = event[0]
                yield event
                if not event[1]:
                    return


async def waiting_for_both(log: Log, after: int) -> Events:
    """Join what there is and the first that comes, and only then look at them."""
    with log.listen() as queue:
        found = await log.after(after)
        if not found or found[-1][1] is not None:
            event = await queue.get()
            found += [event] * (not found or event[0] > found[-1][0])
        async for event in followed_by(queue, found, after):
            yield event


async def every_other(log: Log, after: int) -> Events:
    async with aclosing(followed(log, after)) as events:
        async for event in events:
            if event[0] % 2:
                yield event


async def queue_only(log: Log, after: int) -> Events:
    with log.listen() as queue:
        async for event in followed_by(queue, [], after):
            yield event


async def replay_only(log: Log, after: int) -> Events:
    for event in await log.after(after):
        yield event


async def polling(log: Log, after: int) -> Events:
    while True:
        for event in await log.after(after):
            after = event[0]
            yield event
            if event[1] is None:
                return
        await asyncio.sleep(0)


async def polling_and_listening(log: Log, after: int) -> Events:
    with log.listen():
        async with aclosing(polling(log, after)) as events:
            async for event in events:
                yield event


async def from_zero(log: Log, after: int) -> Events:
    async with aclosing(followed(log, 0)) as events:
        async for event in events:
            yield event


async def one_too_early(log: Log, after: int) -> Events:
    async with aclosing(followed(log, max(0, after - 1))) as events:
        async for event in events:
            yield event


async def texts(log: Log, after: int) -> AsyncGenerator[str | None, None]:
    async with aclosing(followed(log, after)) as events:
        async for _, text in events:
            yield text


async def without_the_end(log: Log, after: int) -> Events:
    async with aclosing(followed(log, after)) as events:
        async for event in events:
            if event[1] is None:
                return
            yield event


async def at_the_end(log: Log, after: int) -> Events:
    for event in [each async for each in followed(log, after)]:
        yield event


async def unclosed(log: Log, after: int) -> Events:
    listening = log.listen()
    kept.append(listening)
    queue = listening.__enter__()
    async for event in followed_by(queue, await log.after(after), after):
        yield event


kept: list[object] = []


async def closed_at_its_end(log: Log, after: int) -> Events:
    listening = log.listen()
    kept.append(listening)
    queue = listening.__enter__()
    async for event in followed_by(queue, await log.after(after), after):
        if event[1] is None:
            listening.__exit__(None, None, None)
        yield event


async def no_generator(log: Log, after: int) -> list[Event]:
    return [each async for each in followed(log, after)]


async def with_async_with(log: Any, after: int) -> Events:
    async with log.listen() as queue:
        yield await queue.get()


async def empty(log: Log, after: int) -> None:
    pass


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (empty, "not tried yet"),
        (replay_first, "nobody listens while event 3 comes; listen first"),
        (replay_yielded_first, "nobody listens while event 3 comes; listen first"),
        (replay_only, "nobody listens while event 3 comes; listen first"),
        (polling, "nobody listens while event 3 comes; listen first"),
        (polling_and_listening, "it asks the log again and again; take the rest"),
        (both_whole, "event (3, ' two') comes twice; drop what the reader has"),
        (by_text, "while the log is asked, event 3 is lost, or comes late"),
        (endless, "it does not end; the text of the end is None"),
        (ended_by_none_alone, "it ends before event 7"),
        (ended_by_no_text, "it ends before event 5"),
        (waiting_for_both, "nothing comes while the log is asked, it drops event 1"),
        (every_other, "while the log is asked, event 2 is lost, or comes late"),
        (queue_only, "it drops event 1, or holds it back"),
        (from_zero, "for a reader who has 2 events, (3, ' two') is next, and it yi"),
        (one_too_early, "for a reader who has 2 events, (3, ' two') is next, and it"),
        (texts, "(1, 'One') is next, and it yields 'One'"),
        (without_the_end, "it ends before event 7"),
        (at_the_end, "it drops event 1, or holds it back"),
        (unclosed, "it listens on when it has ended; use `with`"),
        (closed_at_its_end, "when its reader leaves, it listens on; use `with`"),
        (no_generator, "write an `async def` with a `yield` in it"),
        (with_async_with, "it raises TypeError"),
        (Hostile(), "it raises RuntimeError: no"),
        ("followed", "write an `async def` with a `yield` in it"),
    ],
)
async def test_followed_hints(answer: object, line: str, said: Said) -> None:
    await check.followed(answer)
    assert line in said()
