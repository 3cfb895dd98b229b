"""What the checks of notebooks 06a and 06d say to the answers that readers write."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

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
) -> Callable[[Chunks], Events]:
    """Return an answer to exercise 6a.2, right but for what is asked for."""

    async def answer(chunks: Chunks) -> Events:
        usage: object = None
        reason = None
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
        except Exception:  # noqa: BLE001
            reason = None
        said = [("usage", usage)] * usages if usage is not None or even_none else []
        if reason:
            end = ("done", {"finish_reason": reason})
            said.insert(0 if usage_last else len(said), end)
        else:
            said = said if usage_of_the_failed else []
            said += [("error", {"message": "It broke off."})] if spoken else []
        for name, what in said:
            if name != leave_out:
                yield ServerSentEvent(event=name, data=what)

    return answer


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
