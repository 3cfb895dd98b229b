"""What the checks of notebooks 06a and 06d say to the answers that readers write."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress

import anyio
import pytest
from fastapi.sse import ServerSentEvent
from langchain_core.messages import AIMessageChunk
from langchain_openai import ChatOpenAI

from helpers import check

Said = Callable[[], str]
Chunks = AsyncIterator[AIMessageChunk]
Events = AsyncIterator[ServerSentEvent]


async def mended(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    async for chunk in model.astream(question):
        yield chunk.text


async def leaking(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    async def fill() -> None:
        async for chunk in model.astream(question):
            await queue.put(chunk.text)
        await queue.put(None)

    filling = asyncio.create_task(fill())
    while (text := await queue.get()) is not None:
        yield text
    await filling


async def cancelled_once(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    async def fill() -> None:
        async for chunk in model.astream(question):
            await queue.put(chunk.text)
        await queue.put(None)

    filling = asyncio.create_task(fill())
    try:
        while (text := await queue.get()) is not None:
            yield text
    finally:
        filling.cancel()


async def blocking(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    for chunk in model.stream(question):
        yield chunk.text


async def chunks(model: ChatOpenAI, question: str) -> AsyncIterator[object]:
    async for chunk in model.astream(question):
        yield chunk


async def shouting(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    async for chunk in model.astream(question):
        yield chunk.text.upper()


def plain(model: ChatOpenAI, question: str) -> object:
    return (chunk.text for chunk in model.stream(question))


async def without_a_question(model: ChatOpenAI) -> AsyncIterator[str]:
    yield "text"


async def grouped(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    async def fill() -> None:
        async for chunk in model.astream(question):
            await queue.put(chunk.text)
        await queue.put(None)

    async with asyncio.TaskGroup() as group:
        group.create_task(fill())
        while (text := await queue.get()) is not None:
            yield text


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (mended, "correct"),
        (grouped, "correct"),
        (cancelled_once, "correct"),  # the notebook says why it may not be, elsewhere
        (leaking, "the model said all 100"),
        (blocking, "the model said all 100"),
        (chunks, "breaks off"),
        (shouting, "yield the text of each chunk"),
        (plain, "with a yield in it"),
        (without_a_question, "write async def mended(model, question)"),
        ("mended", "write async def mended(model, question)"),
    ],
)
def test_stopped_model(answer: object, line: str, said: Said) -> None:
    check.stopped_model(answer)
    assert line in said()


async def again(chunks: list[AIMessageChunk]) -> Chunks:
    for chunk in chunks:
        yield chunk


def events(
    *,
    usages: int = 1,
    usage_last: bool = False,
    data: Callable[[AIMessageChunk], object] = lambda chunk: chunk.usage_metadata,
    reasons: Callable[[str | None], str | None] = lambda reason: reason,
    leave_out: str = "",
    spoken: bool = True,
    usage_of_the_failed: bool = False,
    overwritten: bool = False,
    even_none: bool = False,
    collected: bool = False,
    caught: type[BaseException] = Exception,
    sorry: Callable[[BaseException], str] = lambda _: "It broke off.",
) -> Callable[[Chunks], Events]:
    """Return an answer to exercise 6a.2, right but for what is asked for."""

    async def answer(chunks: Chunks) -> Events:
        usage: object = None
        reason = None
        message = "It broke off."
        if collected:
            chunks = again([chunk async for chunk in chunks])
        try:
            async for chunk in chunks:
                if chunk.text:
                    yield ServerSentEvent(event="token", data={"text": chunk.text})
                reason = chunk.response_metadata.get("finish_reason", reason)
                if chunk.usage_metadata or overwritten:
                    usage = data(chunk)
            reason = reasons(reason)
        except caught as error:
            reason, message = None, sorry(error)
        said = [("usage", usage)] * usages if usage is not None or even_none else []
        if reason:
            end = ("done", {"finish_reason": reason})
            said.insert(0 if usage_last else len(said), end)
        else:
            said = said if usage_of_the_failed else []
            said += [("error", {"message": message})] if spoken else []
        for name, what in said:
            if name != leave_out:
                yield ServerSentEvent(event=name, data=what)

    return answer


async def ending_quietly(chunks: Chunks) -> Events:
    with suppress(asyncio.CancelledError):
        async for event in events()(chunks):
            yield event


async def in_a_task(chunks: Chunks) -> Events:
    queue: asyncio.Queue[ServerSentEvent | None] = asyncio.Queue()

    async def fill() -> None:
        async for event in events()(chunks):
            await queue.put(event)
        await queue.put(None)

    filling = asyncio.create_task(fill())
    try:
        while event := await queue.get():
            yield event
    finally:
        filling.cancel()


async def no_tokens(chunks: Chunks) -> Events:
    yield ServerSentEvent(event="done", data={"finish_reason": "stop"})


async def wrong(chunks: Chunks) -> Events:
    raise LookupError
    yield


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (events(), "correct"),
        (in_a_task, "correct"),
        (events(sorry=lambda error: type(error).__name__), "correct"),
        (events(usages=0), "no event with the usage"),
        (events(overwritten=True), "did a later chunk overwrite it?"),
        (events(overwritten=True, even_none=True), "did a later chunk overwrite it?"),
        (events(usages=2), "send one usage"),
        (events(usage_last=True), "the usage comes before it"),
        (events(data=lambda chunk: chunk.text), "its data: chunk.usage_metadata"),
        (events(data=lambda _: {"total_tokens": 1}), "its data: chunk.usage_metadata"),
        (events(leave_out="done"), "done still says the end"),
        (events(reasons=lambda _: "stop"), "ends without a reason"),
        (events(reasons=lambda reason: reason and "end"), "the data of done"),
        (events(reasons=lambda reason: reason and "stop"), "the reason length"),
        (events(spoken=False), "an answer that fails"),
        (events(usage_of_the_failed=True), "an answer that fails"),
        (events(even_none=True), "a model without usage"),
        (events(sorry=repr), "an exception's text is for the log"),
        (events(caught=BaseException), "it holds up a cancellation"),
        (ending_quietly, "it holds up a cancellation"),
        (events(collected=True), "send each token as its chunk comes"),
        (no_tokens, "send a token for each text"),
        (wrong, "raises LookupError"),
        ("usage", "write async def events_with_usage(chunks)"),
    ],
)
async def test_usage_event(answer: object, line: str, said: Said) -> None:
    await check.usage_event(answer)
    assert line in said()


async def freed(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    yield (await model.ainvoke(f"A title for: {question}")).text
    async for chunk in model.astream(question):
        yield chunk.text


async def without_a_title(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    yield (await model.ainvoke(question)).text
    async for chunk in model.astream(question):
        yield chunk.text


async def not_awaited(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    title = model.ainvoke(f"A title for: {question}")
    try:
        yield title.text  # type: ignore[attr-defined]
    finally:
        title.close()  # nothing is said of a coroutine that nobody awaited


async def in_threads(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    yield (await asyncio.to_thread(model.invoke, f"A title for: {question}")).text
    chunks = model.stream(question)
    while chunk := await asyncio.to_thread(next, chunks, None):
        yield chunk.text


async def collected(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    yield (await model.ainvoke(f"A title for: {question}")).text
    for text in [chunk.text async for chunk in model.astream(question)]:
        yield text


async def collected_in_a_thread(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    yield (await model.ainvoke(f"A title for: {question}")).text
    for chunk in await asyncio.to_thread(lambda: [*model.stream(question)]):
        yield chunk.text


async def waiting_for_a_thread(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    with ThreadPoolExecutor() as pool:
        yield pool.submit(model.invoke, question).result().text
    async for chunk in model.astream(question):
        yield chunk.text


async def titled(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    yield model.invoke(question).text
    for chunk in model.stream(question):
        yield chunk.text


async def half_freed(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    yield model.invoke(question).text
    async for chunk in model.astream(question):
        yield chunk.text


async def other_half(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    yield (await model.ainvoke(f"A title for: {question}")).text
    for chunk in model.stream(question):
        yield chunk.text


async def freed_once(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    yield (await model.ainvoke(f"A title for: {question}")).text
    chunks = model.stream(question)
    yield (await asyncio.to_thread(next, chunks)).text
    for chunk in chunks:
        yield chunk.text


async def two_lumps(model: ChatOpenAI, question: str) -> AsyncIterator[str]:
    for _ in range(2):
        yield (await model.ainvoke(f"A title for: {question}")).text


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (freed, "correct"),
        (in_threads, "correct"),
        (without_a_title, "ask what titled asks"),
        (not_awaited, "did you await"),
        (collected, "as it comes"),
        (collected_in_a_thread, "as it comes"),
        (waiting_for_a_thread, "the title still blocks"),
        (titled, "both still block"),
        (half_freed, "the title still blocks"),
        (other_half, "the answer still blocks"),
        (freed_once, "the answer still blocks"),
        (two_lumps, "use astream"),
        (mended, "yield the title"),
        (plain, "with a yield in it"),
        (wrong, "with a yield in it"),
        (shouting, "yield the title"),
        ("freed", "write async def freed(model, question)"),
    ],
)
async def test_freed_loop(answer: object, line: str, said: Said) -> None:
    await check.freed_loop(answer)
    assert line in said()


Save = Callable[[str, str], Awaitable[None]]
Kept = Callable[[Chunks, Save, float], AsyncIterator[str]]


async def limited(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.move_on_after(limit, shield=True):
        await save(text, end)


async def shielded(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.CancelScope(shield=True):
        await save(text, end)


async def limited_outside(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.move_on_after(limit):
        await shielded(save, text, end, limit)


async def limited_inside(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.CancelScope(shield=True):
        await asyncio.wait_for(save(text, end), limit)


async def in_the_open(save: Save, text: str, end: str, limit: float) -> None:
    await asyncio.wait_for(save(text, end), limit)


async def unseen(save: Save, text: str, end: str, limit: float) -> None:
    await asyncio.shield(asyncio.create_task(save(text, end)))  # nobody waits for it


async def twice(save: Save, text: str, end: str, limit: float) -> None:
    await limited(save, text, "left", limit)
    await limited(save, text, end, limit)


async def twice_if_left(save: Save, text: str, end: str, limit: float) -> None:
    await limited(save, text, end, limit)
    if end == "left":
        await limited(save, text, end, limit)


async def nothing(save: Save, text: str, end: str, limit: float) -> None:
    pass


def kept(
    saving: Callable[[Save, str, str, float], Awaitable[None]] = limited,
    *,
    texts: Callable[[str], str] = lambda text: text,
    no_reason: str = "failed",
    reasons: Callable[[str], str] = lambda reason: reason,
    left: str = "left",
    overwritten: bool = False,
    raises: bool = True,
) -> Kept:
    """Return an answer to exercise 6d.2, right but for what is asked for."""

    async def answer(chunks: Chunks, save: Save, limit: float) -> AsyncIterator[str]:
        text, reason, end = "", None, left
        try:
            async for chunk in chunks:
                text += chunk.text
                found = chunk.response_metadata.get("finish_reason")
                reason = found if overwritten else found or reason
                yield chunk.text
            end = reasons(reason) if reason else no_reason
        except Exception:
            end = "failed"
            if raises:
                raise
        finally:
            await saving(save, texts(text), end, limit)

    return answer


async def closing(chunks: Chunks, save: Save, limit: float) -> AsyncIterator[str]:
    said: list[str] = []
    end = "failed"
    try:
        async with aclosing(chunks):  # type: ignore[type-var]
            async for chunk in chunks:
                end = chunk.response_metadata.get("finish_reason", end)
                if chunk.text:
                    said.append(chunk.text)
                    yield chunk.text
    except (GeneratorExit, asyncio.CancelledError):
        end = "left"
        raise
    finally:
        await limited_inside(save, "".join(said), end, limit)


async def all_shielded(chunks: Chunks, save: Save, limit: float) -> AsyncIterator[str]:
    with anyio.CancelScope(shield=True):
        async with aclosing(kept()(chunks, save, limit)) as texts:  # type: ignore[type-var]
            async for text in texts:
                yield text


async def unmoved(chunks: Chunks, save: Save, limit: float) -> AsyncIterator[str]:
    with suppress(asyncio.CancelledError):
        async with aclosing(kept()(chunks, save, limit)) as texts:  # type: ignore[type-var]
            async for text in texts:
                yield text


async def at_once(chunks: Chunks, save: Save, limit: float) -> AsyncIterator[str]:
    heard = [chunk async for chunk in chunks]
    async for text in kept()(again(heard), save, limit):
        yield text


async def without_finally(
    chunks: Chunks, save: Save, limit: float
) -> AsyncIterator[str]:
    text, end = "", "failed"
    try:
        async for chunk in chunks:
            text += chunk.text
            end = chunk.response_metadata.get("finish_reason", end)
            yield chunk.text
    except Exception:
        await save(text, "failed")
        raise
    await save(text, end)


async def without_a_limit(chunks: Chunks, save: Save) -> AsyncIterator[str]:
    yield "text"


async def unlucky(chunks: Chunks, save: Save, limit: float) -> AsyncIterator[str]:
    raise LookupError
    yield


def silent(chunks: Chunks, save: Save, limit: float) -> None:
    pass


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (kept(), "correct"),
        (kept(limited_inside), "correct"),
        (closing, "correct"),
        (kept(in_the_open), "shield it by a scope"),
        (kept(unseen), "shield it by a scope"),
        (kept(shielded), "a save that hangs"),
        (kept(limited_outside), "a save that hangs"),
        (kept(nothing), "it saves nothing"),
        (kept(twice), "save once, at the end"),
        (kept(twice_if_left), "for a reader who has gone"),
        (kept(texts=str.upper), "save the whole text"),
        (kept(overwritten=True), "which one chunk has"),
        (kept(reasons=lambda _: "stop"), "which one chunk has"),
        (kept(no_reason="stop"), "without a reason is failed"),
        (kept(left="failed"), "for a reader who has gone"),
        (kept(raises=False), "Raise it again"),
        (without_finally, "the half was not saved"),
        (all_shielded, "shield the saving, and nothing else"),
        (unmoved, "shield the saving, and nothing else"),
        (at_once, "as it comes"),
        (without_a_limit, "write async def kept(chunks, save, limit)"),
        (silent, "with a yield in it"),
        (unlucky, "raises LookupError"),
        ("kept", "write async def kept(chunks, save, limit)"),
    ],
)
async def test_saved_half(answer: object, line: str, said: Said) -> None:
    await check.saved_half(answer)
    assert line in said()
