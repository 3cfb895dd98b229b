"""The checks of notebook 06a: right answers, odd ones too, and the hints to others."""

import asyncio
import json
import logging
import queue
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

import anyio
import pytest
from fastapi.sse import ServerSentEvent
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_openai import ChatOpenAI
from starlette.concurrency import iterate_in_threadpool

from helpers import check
from helpers.check import notebook_06a, reading
from helpers.serving.stopping import relay, stoppable

Said = Callable[[], str]
Texts = AsyncIterator[str]
Chunks = AsyncIterator[AIMessageChunk]
Events = AsyncIterator[ServerSentEvent]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for what does not come: for answers that are known to be wrong."""
    monkeypatch.setattr(reading, "PATIENCE", 0.3)
    monkeypatch.setattr(notebook_06a, "SILENCE", 0.5)


# 6a.1: a body whose model stops


async def fixed(model: ChatOpenAI, question: str) -> Texts:
    async for chunk in model.astream(question):
        yield chunk.text


async def closed(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    async with aclosing(model.astream(question)) as chunks:  # type: ignore[type-var]
        async for chunk in chunks:
            if chunk.text:
                yield chunk.text


def returned(model: ChatOpenAI, question: str) -> Texts:
    return (chunk.text async for chunk in model.astream(question))


async def parsed(model: ChatOpenAI, question: str) -> Texts:
    async for text in (model | StrOutputParser()).astream(question):
        yield text


async def from_events(model: ChatOpenAI, question: str) -> Texts:
    async for event in model.astream_events(question, version="v2"):
        if event["event"] == "on_chat_model_stream":
            yield event["data"]["chunk"].text


class Iterated:
    """An async iterator, written out."""

    def __init__(self, model: ChatOpenAI, question: str) -> None:
        self.chunks = model.astream([HumanMessage(question)])

    def __aiter__(self) -> "Iterated":
        return self

    async def __anext__(self) -> str:
        return (await anext(self.chunks)).text


async def letters(model: ChatOpenAI, question: str) -> Texts:
    async for chunk in model.astream(question):
        for letter in chunk.text:
            yield letter


async def stopping(model: ChatOpenAI, question: str) -> Texts:
    async with stoppable(model.astream(question)) as chunks:
        async for chunk in chunks:
            yield chunk.text


async def stopping_texts(model: ChatOpenAI, question: str) -> Texts:
    async with stoppable(fixed(model, question)) as texts, aclosing(texts):
        async for text in texts:
            yield text


async def stopping_a_chain(model: ChatOpenAI, question: str) -> Texts:
    async with stoppable((model | StrOutputParser()).astream(question)) as texts:
        async for text in texts:
            yield text


async def relayed(model: ChatOpenAI, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()

    async def fill() -> None:
        try:
            await relay(fixed(model, question), heard.put)
        finally:
            heard.put_nowait(None)

    filling = asyncio.create_task(fill())
    try:
        async for text in drained(heard):
            yield text
        await filling
    finally:
        filling.cancel()


async def handed_on(model: ChatOpenAI, question: str) -> Texts:
    async with aclosing(fixed(model, question)) as texts:  # type: ignore[type-var]
        async for text in texts:
            yield text


async def within_a_minute(model: ChatOpenAI, question: str) -> Texts:
    async with asyncio.timeout(60):
        async for chunk in model.astream(question):
            yield chunk.text


async def cleaning_up(model: ChatOpenAI, question: str) -> Texts:
    stream = model.astream(question)
    try:
        async for chunk in stream:
            yield chunk.text
    finally:
        with anyio.CancelScope(shield=True):
            await stream.aclose()  # type: ignore[attr-defined]


async def one_by_one(model: ChatOpenAI, question: str) -> Texts:
    stream = model.astream(question)
    while (chunk := await anext(stream, None)) is not None:
        yield chunk.text


class Called:
    """An answer that is an object."""

    async def __call__(self, model: ChatOpenAI, question: str) -> Texts:
        async for chunk in model.astream(input=question):
            yield str(chunk.text)


async def fill(heard: "asyncio.Queue[str | None]", model: Any, question: str) -> None:
    async for chunk in model.astream(question):
        await heard.put(chunk.text)
    await heard.put(None)


async def fill_in_any_case(
    heard: "asyncio.Queue[str | None]", model: Any, question: str
) -> None:
    try:
        async for chunk in model.astream(question):
            await heard.put(chunk.text)
    finally:
        heard.put_nowait(None)


async def drained(heard: "asyncio.Queue[str | None]") -> Texts:
    while (text := await heard.get()) is not None:
        yield text


async def grouped(model: ChatOpenAI, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        group.create_task(fill(heard, model, question))
        async for text in drained(heard):
            yield text


async def cancelled(model: ChatOpenAI, question: str) -> Texts:
    # The notebook says why it may fail elsewhere: Python 3.11 may lose the request.
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    filling = asyncio.create_task(fill_in_any_case(heard, model, question))
    try:
        async for text in drained(heard):
            yield text
        await filling
    finally:
        filling.cancel()


async def cancelled_and_awaited(model: ChatOpenAI, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    filling = asyncio.create_task(fill_in_any_case(heard, model, question))
    try:
        while (text := await heard.get()) is not None:
            yield text
    finally:
        filling.cancel()
        with suppress(asyncio.CancelledError):
            await filling


async def over_a_memory_stream(model: ChatOpenAI, question: str) -> Texts:
    sending, coming = anyio.create_memory_object_stream[str](0)

    async def send() -> None:
        async with sending:
            async for chunk in model.astream(question):
                await sending.send(chunk.text)

    async with anyio.create_task_group() as group, coming:
        group.start_soon(send)
        async for text in coming:
            yield text


@pytest.mark.parametrize(
    "answer",
    [
        fixed,
        closed,
        returned,
        parsed,
        from_events,
        Iterated,
        letters,
        stopping,
        stopping_texts,
        stopping_a_chain,
        relayed,
        handed_on,
        within_a_minute,
        cleaning_up,
        one_by_one,
        Called(),
        grouped,
        cancelled,
        cancelled_and_awaited,
        over_a_memory_stream,
        partial(fixed),
    ],
)
async def test_stopped_model(answer: object, said: Said) -> None:
    await check.stopped_model(answer)
    assert said() == "correct (6a.1)"


async def leaking(model: ChatOpenAI, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    filling = asyncio.create_task(fill(heard, model, question))
    async for text in drained(heard):
        yield text
    await filling


async def cancelled_too_late(model: ChatOpenAI, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    filling = asyncio.create_task(fill(heard, model, question))
    async for text in drained(heard):
        yield text
    filling.cancel()


async def awaited_to_its_end(model: ChatOpenAI, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    filling = asyncio.create_task(fill(heard, model, question))
    try:
        async for text in drained(heard):
            yield text
    finally:
        with anyio.CancelScope(shield=True):
            await filling


async def shielded(model: ChatOpenAI, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    filling = asyncio.ensure_future(fill(heard, model, question))
    getting = asyncio.shield(filling)
    try:
        async for text in drained(heard):
            yield text
    finally:
        getting.cancel()


async def only_on_errors(model: ChatOpenAI, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    filling = asyncio.create_task(fill(heard, model, question))
    try:
        async for text in drained(heard):
            yield text
    except Exception:
        filling.cancel()
        raise


async def blocking(model: ChatOpenAI, question: str) -> Texts:
    for chunk in model.stream(question):
        yield chunk.text


async def a_turn_between(model: ChatOpenAI, question: str) -> Texts:
    for chunk in model.stream(question):
        yield chunk.text
        await asyncio.sleep(0)


async def in_threads(model: ChatOpenAI, question: str) -> Texts:
    async for chunk in iterate_in_threadpool(model.stream(question)):
        yield chunk.text


async def in_a_thread(model: ChatOpenAI, question: str) -> Texts:
    heard: queue.Queue[str | None] = queue.Queue()

    def write() -> None:
        for chunk in model.stream(question):
            heard.put(chunk.text)
        heard.put(None)

    threading.Thread(target=write, daemon=True).start()
    while (text := await asyncio.to_thread(heard.get)) is not None:
        yield text


async def asked_twice(model: ChatOpenAI, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    beside = asyncio.create_task(fill(heard, model, question))
    async for chunk in model.astream(question):
        yield chunk.text
    await beside


async def collected(model: ChatOpenAI, question: str) -> Texts:
    for text in [chunk.text async for chunk in model.astream(question)]:
        yield text


async def in_tens(model: ChatOpenAI, question: str) -> Texts:
    held: list[str] = []
    async for chunk in model.astream(question):
        held.append(chunk.text)
        if len(held) == 10:
            yield "".join(held)
            held.clear()
    yield "".join(held)


async def only_cancelled(model: ChatOpenAI, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    filling = asyncio.create_task(fill(heard, model, question))
    try:
        async for text in drained(heard):
            yield text
    except asyncio.CancelledError:
        filling.cancel()
        raise


async def in_pairs(model: ChatOpenAI, question: str) -> Texts:
    held: list[str] = []
    async for chunk in model.astream(question):
        held.append(chunk.text)
        if len(held) == 2:
            yield "".join(held)
            held.clear()
    yield "".join(held)


async def thirty(model: ChatOpenAI, question: str) -> Texts:
    left = 30
    async for chunk in model.astream(question):
        if chunk.text and left:
            left -= 1
            yield chunk.text


async def invoked(model: ChatOpenAI, question: str) -> Texts:
    yield (await model.ainvoke(question)).text


async def another_question(model: ChatOpenAI, question: str) -> Texts:
    async for chunk in model.astream("Hi"):
        yield chunk.text


async def first_lost(model: ChatOpenAI, question: str) -> Texts:
    stream = model.astream(question)
    while not (await anext(stream)).text:
        pass
    async for chunk in stream:
        yield chunk.text


async def shouting(model: ChatOpenAI, question: str) -> Texts:
    async for chunk in model.astream(question):
        yield chunk.text.upper()


async def stripped(model: ChatOpenAI, question: str) -> Texts:
    async for chunk in model.astream(question):
        yield chunk.text.strip()


async def chunks(model: ChatOpenAI, question: str) -> AsyncIterator[object]:
    async for chunk in model.astream(question):
        yield chunk


def plain(model: ChatOpenAI, question: str) -> object:
    return (chunk.text for chunk in model.stream(question))


async def awaited(model: ChatOpenAI, question: str) -> str:
    return (await model.ainvoke(question)).text


async def without_a_question(model: ChatOpenAI) -> Texts:
    yield "text"


async def endless(model: ChatOpenAI, question: str) -> Texts:
    async for chunk in model.astream(question):
        yield chunk.text
    await asyncio.Event().wait()


async def passing_over(model: ChatOpenAI, question: str) -> Texts:
    try:
        async for chunk in model.astream(question):
            yield chunk.text
    except Exception:  # noqa: BLE001
        pass


async def asking_again(model: ChatOpenAI, question: str) -> Texts:
    try:
        async for chunk in model.astream(question):
            yield chunk.text
    except Exception:  # noqa: BLE001
        async for chunk in model.astream(question):
            yield chunk.text


async def passing_over_in_a_task(model: ChatOpenAI, question: str) -> Texts:
    with suppress(Exception):
        async with stoppable(model.astream(question)) as chunks:
            async for chunk in chunks:
                yield chunk.text


async def sorry(model: ChatOpenAI, question: str) -> Texts:
    try:
        async for chunk in model.astream(question):
            yield chunk.text
    except Exception:  # noqa: BLE001
        yield "Sorry."


async def logging_alone(model: ChatOpenAI, question: str) -> Texts:
    try:
        async for chunk in model.astream(question):
            yield chunk.text
    except Exception:
        logging.getLogger("quiet").debug("no answer", exc_info=True)


async def passing_over_all(model: ChatOpenAI, question: str) -> Texts:
    with suppress(BaseException):
        async for chunk in model.astream(question):
            yield chunk.text


async def waiting_for_a_task_that_failed(model: ChatOpenAI, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    filling = asyncio.create_task(fill(heard, model, question))
    try:
        async for text in drained(heard):
            yield text
        await filling
    finally:
        filling.cancel()


async def not_asking_its_task(model: ChatOpenAI, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    filling = asyncio.create_task(fill_in_any_case(heard, model, question))
    filling.add_done_callback(lambda _: filling.cancelled() or filling.exception())
    try:
        async for text in drained(heard):
            yield text
    finally:
        filling.cancel()


async def passing_over_the_first(model: ChatOpenAI, question: str) -> Texts:
    begun = False
    try:
        async for chunk in model.astream(question):
            yield chunk.text
            begun = begun or bool(chunk.text)
    except Exception:
        if begun:
            raise


async def raising_another_kind(model: ChatOpenAI, question: str) -> Texts:
    try:
        async for chunk in model.astream(question):
            yield chunk.text
    except Exception as error:
        raise asyncio.CancelledError from error


async def raising_its_own(model: ChatOpenAI, question: str) -> Texts:
    try:
        async for chunk in model.astream(question):
            yield chunk.text
    except Exception as error:
        raise RuntimeError("no answer") from error


async def impatient(model: ChatOpenAI, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    filling = asyncio.create_task(fill(heard, model, question))
    try:
        while (text := await asyncio.wait_for(heard.get(), 1)) is not None:
            yield text
    finally:
        filling.cancel()


async def trying_first(model: ChatOpenAI, question: str) -> Texts:
    async with aclosing(model.astream(question)) as chunks:  # type: ignore[type-var]
        await anext(chunks)
    async for chunk in model.astream(question):
        yield chunk.text


async def plain_for(model: ChatOpenAI, question: str) -> Texts:
    for chunk in model.astream(question):  # type: ignore[attr-defined]
        yield chunk.text


async def async_for_over_stream(model: ChatOpenAI, question: str) -> Texts:
    async for chunk in model.stream(question):  # type: ignore[attr-defined]
        yield chunk.text


async def awaiting_a_stream(model: ChatOpenAI, question: str) -> Texts:
    for chunk in await model.astream(question):  # type: ignore[misc]
        yield chunk.text


async def failing(model: ChatOpenAI, question: str) -> Texts:
    async for chunk in model.astream(question):
        yield chunk.txt  # type: ignore[attr-defined]


async def empty(model: ChatOpenAI, question: str) -> None:
    """Say nothing."""


WENT_ON = "when its reader left, the model went on"
AND_BLOCKS = f"{WENT_ON}; use `async for` and `astream`"
ASYNC_FOR = "read `astream` with `async for`"
AS_IF = "when the model fails in the middle, it ends as if that were all"
SHAPE = "write an `async def` with a `yield` in it"


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (empty, "not tried yet"),
        (leaking, WENT_ON),
        (cancelled_too_late, WENT_ON),
        (awaited_to_its_end, WENT_ON),
        (shielded, WENT_ON),
        (only_on_errors, WENT_ON),
        (blocking, AND_BLOCKS),
        (in_threads, AND_BLOCKS),
        (in_a_thread, AND_BLOCKS),
        (plain_for, ASYNC_FOR),
        (async_for_over_stream, ASYNC_FOR),
        (awaiting_a_stream, ASYNC_FOR),
        (collected, "as it comes, not when all are there"),
        (in_pairs, "it joins texts; yield each as it comes"),
        (thirty, "it stops after 30 of 60 texts"),
        (in_tens, "as it comes, not when all are there"),
        (invoked, "use astream"),
        (another_question, "ask the model the question that is given"),
        (first_lost, "it yields ' on on"),
        (shouting, "it yields 'GO ON"),
        (stripped, "it yields 'Goonon"),
        (chunks, "yield text, and not AIMessageChunk"),
        (plain, SHAPE),
        (awaited, SHAPE),
        ("fixed", SHAPE),
        (without_a_question, "it raises TypeError: without_a_question() takes 1"),
        (endless, "it does not end"),
        (failing, "it raises AttributeError: 'AIMessageChunk' object has no"),
    ],
)
async def test_stopped_model_hints(answer: object, line: str, said: Said) -> None:
    await check.stopped_model(answer)
    assert line in said()


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (passing_over, AS_IF),
        (asking_again, "when the model fails in the middle, it says more"),
        (passing_over_the_first, "fails before its first text, it ends as if that"),
        (raising_another_kind, "in the middle, it raises a CancelledError; let the"),
        (raising_its_own, "in the middle, it raises RuntimeError; let the model's"),
        (impatient, "in the middle, it raises TimeoutError; let the model's"),
        (a_turn_between, "it blocks the event loop; use `async for` and `astream`"),
        (passing_over_in_a_task, AS_IF),
        (passing_over_all, "it holds up the cancellation"),
        (sorry, AS_IF),
        (logging_alone, AS_IF),
        (not_asking_its_task, AS_IF),
        (waiting_for_a_task_that_failed, "fails in the middle, it never ends"),
        (only_cancelled, "when the generator is closed, the model goes on"),
        (asked_twice, "it asks the model more than once"),
        (trying_first, "it asks the model more than once"),
    ],
)
async def test_stopped_model_hints_of_what_stops_it(
    answer: object, line: str, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    # They stop the model in its silence, so its length costs nothing.
    monkeypatch.setattr(notebook_06a, "SILENCE", 5)
    monkeypatch.setattr(reading, "PATIENCE", 1)
    await check.stopped_model(answer)
    assert line in said()


# 6a.2: the usage, before the end


def event(name: str, **data: object) -> ServerSentEvent:
    return ServerSentEvent(event=name, data=data)


def raw(name: str, **data: object) -> ServerSentEvent:
    return ServerSentEvent(event=name, raw_data=json.dumps(data))


def twice_encoded(name: str, **data: object) -> ServerSentEvent:
    return ServerSentEvent(event=name, data=json.dumps(data))


def only_words(name: str, **data: object) -> ServerSentEvent:
    return ServerSentEvent(event=name, raw_data=" ".join(map(str, data.values())))


def numbered(name: str, **data: object) -> ServerSentEvent:
    return ServerSentEvent(event=name, data=data, id="7", retry=100)


def unnamed(name: str, **data: object) -> ServerSentEvent:
    return ServerSentEvent(data=data)


def under_text(name: str, **data: object) -> ServerSentEvent:
    return event(name, **{{"text": "token"}.get(key, key): data[key] for key in data})


def events(
    make: Callable[..., Any] = event,
    *,
    usages: int = 1,
    usage_last: bool = False,
    data: Callable[[AIMessageChunk], Any] = lambda chunk: chunk.usage_metadata,
    reasons: Callable[[str | None], str | None] = lambda reason: reason,
    leave_out: str = "",
    silent: bool = False,
    usage_of_the_failed: bool = False,
    overwritten: bool = False,
    even_none: bool = False,
    even_empty: bool = False,
    of_any_message: bool = False,
    caught: type[BaseException] = Exception,
    sorry: Callable[[BaseException], str] = lambda _: "It broke off.",
) -> Callable[[Chunks], AsyncIterator[Any]]:
    """Return an answer to exercise 6a.2, right but for what is asked for."""

    async def answer(chunks: Chunks) -> AsyncIterator[Any]:
        usage: Any = None
        reason, message = None, "It broke off."
        try:
            async for chunk in chunks:
                if chunk.text or even_empty:
                    yield make("token", text=chunk.text)
                if chunk.text and not of_any_message:
                    reason = None
                reason = chunk.response_metadata.get("finish_reason", reason)
                if chunk.usage_metadata or overwritten:
                    usage = data(chunk)
            reason = reasons(reason)
        except caught as error:
            reason, message = None, sorry(error)
        said = [make("usage", **(usage or {}))] * usages if usage or even_none else []
        if reason:
            end = make("done", finish_reason=reason)
            said.insert(0 if usage_last else len(said), end)
        else:
            said = said if usage_of_the_failed else []
            said += [] if silent else [make("error", message=message)]
        for each in said:
            if not leave_out or each.event != leave_out:
                yield each

    return answer


async def wrapped(chunks: Chunks) -> Events:
    usage: list[Any] = []

    async def noting() -> Chunks:
        async for chunk in chunks:
            usage.extend(filter(None, [chunk.usage_metadata]))
            yield chunk

    async for each in events(usages=0)(noting()):
        for counts in usage if each.event == "done" else []:
            yield ServerSentEvent(event="usage", data=counts)
        yield each


async def in_a_task(chunks: Chunks) -> Events:
    queue: asyncio.Queue[ServerSentEvent | None] = asyncio.Queue()

    async def write() -> None:
        async for each in events()(chunks):
            await queue.put(each)
        await queue.put(None)

    writing = asyncio.create_task(write())
    try:
        while each := await queue.get():
            yield each
    finally:
        writing.cancel()


async def closing(chunks: Chunks) -> Events:
    async with aclosing(events()(chunks)) as found:  # type: ignore[type-var]
        async for each in found:
            yield each


async def pinging(chunks: Chunks) -> Events:
    yield ServerSentEvent(comment="ping")
    async for each in events()(chunks):
        yield each


def handed_on(chunks: Chunks) -> Events:
    return events()(chunks)


class EventsWithUsage:
    """An answer that is an object."""

    def __init__(self, chunks: Chunks) -> None:
        self.found = events()(chunks)

    def __aiter__(self) -> Events:
        return self.found


@pytest.mark.parametrize(
    "answer",
    [
        events(),
        events(raw),
        events(numbered),
        events(sorry=lambda error: type(error).__name__),
        events(data=lambda chunk: dict(chunk.usage_metadata or {})),
        events(data=lambda chunk: {**(chunk.usage_metadata or {}), "cost": 0.1}),
        wrapped,
        in_a_task,
        closing,
        pinging,
        handed_on,
        EventsWithUsage,
    ],
)
async def test_usage_event(answer: object, said: Said) -> None:
    await check.usage_event(answer)
    assert said() == "correct (6a.2)"


async def usage_without_text(chunks: Chunks) -> Events:
    usage: list[Any] = []

    async def noting() -> Chunks:
        async for chunk in chunks:
            usage.extend([] if chunk.text else filter(None, [chunk.usage_metadata]))
            yield chunk

    async for each in events(usages=0)(noting()):
        for counts in usage if each.event == "done" else []:
            yield ServerSentEvent(event="usage", data=counts)
        yield each


async def summed(chunks: Chunks) -> Events:
    whole: Any = AIMessageChunk(content="")
    try:
        async for chunk in chunks:
            whole += chunk
            if chunk.text:
                yield event("token", text=chunk.text)
    except Exception:  # noqa: BLE001
        whole = AIMessageChunk(content="")
    if reason := whole.response_metadata.get("finish_reason"):
        if whole.usage_metadata:
            yield event("usage", **whole.usage_metadata)
        yield event("done", finish_reason=reason)
    else:
        yield event("error", message="It broke off.")


async def swallowing(chunks: Chunks) -> Events:
    with suppress(asyncio.CancelledError):
        async for each in events()(chunks):
            yield each


async def gathered(chunks: Chunks) -> Events:
    async for each in events()(again([chunk async for chunk in chunks])):
        yield each


async def one_behind(chunks: Chunks) -> Events:
    found = events()(chunks)
    before = await anext(found)
    async for each in found:
        yield before
        before = each
    yield before


async def rest_at_once(chunks: Chunks) -> Events:
    found = events()(chunks)
    yield await anext(found)
    for each in [each async for each in found]:
        yield each


async def again(chunks: list[AIMessageChunk]) -> Chunks:
    for chunk in chunks:
        yield chunk


async def dictionaries(chunks: Chunks) -> AsyncIterator[Any]:
    async for each in events()(chunks):
        yield {"event": each.event, "data": each.data}


async def immediately(chunks: Chunks) -> Events:
    async def noting() -> Chunks:
        async for chunk in chunks:
            yield chunk
            found.extend(filter(None, [chunk.usage_metadata]))

    found: list[Any] = []
    async for each in events(usages=0)(noting()):
        yield each
    if found:
        yield ServerSentEvent(event="usage", data=found[0])


async def endless(chunks: Chunks) -> Events:
    async for each in events()(chunks):
        yield each
    await asyncio.Event().wait()


async def broken(chunks: Chunks) -> Events:
    raise LookupError("no such thing")
    yield


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (events(usages=0), "no event with the usage"),
        (events(overwritten=True), "did a later chunk overwrite it?"),
        (events(overwritten=True, even_none=True), "the data of usage is {}; {"),
        (events(usages=2), "it makes token, token, usage, usage, done"),
        (events(usage_last=True), "it makes token, token, done, usage"),
        (immediately, "it makes token, token, done, usage"),
        (events(even_empty=True), "it makes token, token, token"),
        (events(data=lambda _: {"total_tokens": 1}), 'usage is {"total_tokens": 1}'),
        (usage_without_text, "tells its usage with a text, there is no event with the"),
        (
            events(data=lambda chunk: {"usage": chunk.usage_metadata}),
            '"total_tokens": 5} is right: pass the dictionary itself',
        ),
        (events(twice_encoded), "is right: pass the dictionary itself"),
        (events(leave_out="done"), "it makes token, token, usage; "),
        (events(unnamed), "it makes None, None, None, None; "),
        (events(twice_encoded), r'the data of token is "{\"text\": \"Hel\"}"; {"text"'),
        (events(only_words), 'the data of token is "Hel"'),
        (events(under_text), 'the data of token is {"token": "Hel"}'),
        (events(reasons=lambda reason: reason and "end"), '{"finish_reason": "stop"}'),
        (events(even_none=True), "tells no usage, it makes token, token, usage, done"),
        (events(reasons=lambda reason: reason and "stop"), "at its token limit, the"),
        (events(of_any_message=True), "second message has no reason, it makes token, "),
        (summed, "second message has no reason, it makes token, token, usage, done"),
        (events(silent=True), "a model that raises, it makes token; token, error is"),
        (events(caught=LookupError), "it raises APIError: The model failed"),
        (events(reasons=lambda reason: reason or "stop"), "without a reason, it makes"),
        (events(usage_of_the_failed=True), "token, token, usage, error; "),
        (events(sorry=repr), "the reader gets an exception's text"),
        (events(caught=BaseException), "it holds up a cancellation"),
        (swallowing, "it holds up a cancellation"),
        (dictionaries, "yield a ServerSentEvent for each event"),
        (broken, "it raises LookupError: no such thing"),
        (awaited, "it raises TypeError: awaited() missing 1 required"),
        ("usage", SHAPE),
    ],
)
async def test_usage_event_hints(answer: object, line: str, said: Said) -> None:
    await check.usage_event(answer)
    assert line in said()


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (gathered, "send each token as its chunk comes"),
        (one_behind, "send each token as its chunk comes"),
        (rest_at_once, "send each token as its chunk comes"),
        (endless, "it does not end"),
    ],
)
async def test_usage_event_that_is_late(answer: object, line: str, said: Said) -> None:
    await check.usage_event(answer)
    assert line in said()
