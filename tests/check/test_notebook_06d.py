"""The checks of notebook 06d: right answers, odd ones too, and the hints to others."""

import asyncio
import queue
import select
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from time import sleep
from typing import Any

import anyio
import anyio.to_thread
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool

from helpers import check
from helpers.check import notebook_06d, reading

Said = Callable[[], str]
Texts = AsyncGenerator[str, None]
Chunks = AsyncIterator[AIMessageChunk]

SHAPE = "write an `async def` with a `yield` in it"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for what does not come: for answers that are known to be wrong."""
    monkeypatch.setattr(reading, "PATIENCE", 0.3)


# 6d.1: a title and an answer that block nobody


async def freed(model: BaseChatModel, question: str) -> Texts:
    yield (await model.ainvoke(f"A title for: {question}")).text
    async for chunk in model.astream(question):
        yield chunk.text


async def parsed(model: BaseChatModel, question: str) -> Texts:
    chain = model | StrOutputParser()
    yield await chain.ainvoke([HumanMessage(f"A title for: {question}")])
    async for text in chain.astream([("human", question)]):
        yield text


async def streamed_title(model: BaseChatModel, question: str) -> Texts:
    title = ""
    async for chunk in model.astream(f"A title for: {question}"):
        title += chunk.text
    yield title
    async with aclosing(model.astream(question)) as chunks:  # type: ignore[type-var]
        async for chunk in chunks:
            yield chunk.text


async def from_events(model: BaseChatModel, question: str) -> Texts:
    [title] = await model.abatch([f"A title for: {question}"])
    yield title.text
    async for event in model.astream_events(question, version="v2"):
        if event["event"] == "on_chat_model_stream":
            yield event["data"]["chunk"].text


async def in_threads(model: BaseChatModel, question: str) -> Texts:
    yield (await asyncio.to_thread(model.invoke, f"A title for: {question}")).text
    chunks = model.stream(question)
    while chunk := await asyncio.to_thread(next, chunks, None):
        yield chunk.text


async def by_starlette(model: BaseChatModel, question: str) -> Texts:
    yield (await run_in_threadpool(model.invoke, f"A title for: {question}")).text
    async for chunk in iterate_in_threadpool(model.stream(question)):
        yield chunk.text


async def by_anyio(model: BaseChatModel, question: str) -> Texts:
    title = f"A title for: {question}"
    yield (await anyio.to_thread.run_sync(model.invoke, title)).text
    async for chunk in model.astream(question):
        yield chunk.text


async def in_an_executor(model: BaseChatModel, question: str) -> Texts:
    loop, heard = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def write() -> None:
        try:
            for chunk in model.stream(question):
                loop.call_soon_threadsafe(heard.put_nowait, chunk.text)
        finally:
            loop.call_soon_threadsafe(heard.put_nowait, None)

    title = f"A title for: {question}"
    with ThreadPoolExecutor() as pool:
        yield (await loop.run_in_executor(pool, model.invoke, title)).text
        writing = loop.run_in_executor(pool, write)
        while (text := await heard.get()) is not None:
            yield text
        await writing


async def both_at_once(model: BaseChatModel, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()

    async def write() -> None:
        async for chunk in model.astream(question):
            await heard.put(chunk.text)
        await heard.put(None)

    async with asyncio.TaskGroup() as group:
        title = group.create_task(model.ainvoke(f"A title for: {question}"))
        group.create_task(write())
        yield (await title).text
        while (text := await heard.get()) is not None:
            yield text


async def in_a_loop_of_its_own(model: BaseChatModel, question: str) -> Texts:
    loop = asyncio.get_running_loop()
    heard = asyncio.Queue[str | Exception | None]()

    async def write() -> None:
        end = None
        try:
            async for text in freed(model, question):
                loop.call_soon_threadsafe(heard.put_nowait, text)
        except Exception as error:  # noqa: BLE001
            end = error
        loop.call_soon_threadsafe(heard.put_nowait, end)

    threading.Thread(target=asyncio.run, args=[write()]).start()
    while (said := await heard.get()) is not None:
        if isinstance(said, Exception):
            raise said
        yield said


async def without_empty_texts(model: BaseChatModel, question: str) -> Texts:
    async with asyncio.timeout(60):
        async for text in freed(model, question):
            if text:
                yield text


def handed_on(model: BaseChatModel, question: str) -> Texts:
    return freed(model, question)


async def both_streamed_at_once(model: BaseChatModel, question: str) -> Texts:
    heard: asyncio.Queue[str | None] = asyncio.Queue()

    async def write() -> None:
        async for chunk in model.astream(question):
            await heard.put(chunk.text)
        await heard.put(None)

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        title = model.astream(f"A title for: {question}")
        yield "".join([chunk.text async for chunk in title])
        while (text := await heard.get()) is not None:
            yield text


async def in_threads_that_block(model: BaseChatModel, question: str) -> Texts:
    async for text in freed(model, question):
        yield text
        await asyncio.to_thread(threading.Event().wait, 0.5)  # limit: in vain


async def busy_in_between(model: BaseChatModel, question: str) -> Texts:
    async for text in freed(model, question):
        for _ in range(100):
            sum(range(1000))
            await asyncio.sleep(0)
        yield text


class Freed:
    """An answer that is an object."""

    async def __call__(self, model: BaseChatModel, question: str) -> Texts:
        async for text in freed(model, question):
            yield text


@pytest.mark.parametrize(
    "answer",
    [
        freed,
        parsed,
        streamed_title,
        from_events,
        in_threads,
        by_starlette,
        by_anyio,
        in_an_executor,
        both_at_once,
        both_streamed_at_once,
        in_a_loop_of_its_own,
        without_empty_texts,
        handed_on,
        in_threads_that_block,
        busy_in_between,
        partial(freed),
        Freed(),
    ],
)
async def test_freed_loop(answer: object, said: Said) -> None:
    await check.freed_loop(answer)
    assert said() == "correct (6d.1)"


async def test_nobody_pays_for_the_imports_of_the_check(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making the model imports LangChain, which holds the loop in a fresh kernel."""
    watched = notebook_06d._watched

    def slowly(seen: notebook_06d.Seen) -> BaseChatModel:
        time.sleep(0.001)  # pace: it blocks the loop, and the check notices any
        return watched(seen)

    monkeypatch.setattr(notebook_06d, "_watched", slowly)
    await check.freed_loop(freed)
    assert said() == "correct (6d.1)"


async def titled(model: BaseChatModel, question: str) -> Texts:
    yield model.invoke(f"A title for: {question}").text
    for chunk in model.stream(question):
        yield chunk.text


async def cut_into_words(model: BaseChatModel, question: str) -> Texts:
    yield (await model.ainvoke(f"A title for: {question}")).text
    first, space, rest = (await model.ainvoke(question)).text.partition(" ")
    yield first
    yield space + rest


async def half_freed(model: BaseChatModel, question: str) -> Texts:
    yield model.invoke(f"A title for: {question}").text
    async for chunk in model.astream(question):
        yield chunk.text


async def other_half(model: BaseChatModel, question: str) -> Texts:
    yield (await model.ainvoke(f"A title for: {question}")).text
    for chunk in model.stream(question):
        yield chunk.text


async def freed_once(model: BaseChatModel, question: str) -> Texts:
    yield (await model.ainvoke(f"A title for: {question}")).text
    chunks = model.stream(question)
    yield (await asyncio.to_thread(next, chunks)).text
    for chunk in chunks:
        yield chunk.text


async def a_turn_between(model: BaseChatModel, question: str) -> Texts:
    yield (await model.ainvoke(f"A title for: {question}")).text
    for chunk in model.stream(question):
        await asyncio.sleep(0)
        yield chunk.text


async def generated(model: BaseChatModel, question: str) -> Texts:
    yield (
        model.generate([[HumanMessage(f"A title for: {question}")]])
        .generations[0][0]
        .text
    )
    async for chunk in model.astream(question):
        yield chunk.text


async def waiting_for_a_thread(model: BaseChatModel, question: str) -> Texts:
    with ThreadPoolExecutor() as pool:
        title = pool.submit(model.invoke, f"A title for: {question}")
        yield title.result().text
    async for chunk in model.astream(question):
        yield chunk.text


async def joining_a_thread(model: BaseChatModel, question: str) -> Texts:
    titles: list[str] = []

    def ask() -> None:
        titles.append(model.invoke(f"A title for: {question}").text)

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join()
    yield titles[0]
    async for chunk in model.astream(question):
        yield chunk.text


async def joining_a_loop(model: BaseChatModel, question: str) -> Texts:
    titles: list[str] = []

    async def ask() -> None:
        titles.append((await model.ainvoke(f"A title for: {question}")).text)

    asking = threading.Thread(target=asyncio.run, args=[ask()])
    asking.start()
    asking.join()
    yield titles[0]
    async for chunk in model.astream(question):
        yield chunk.text


async def joining_a_loop_for_the_answer(model: BaseChatModel, question: str) -> Texts:
    yield (await model.ainvoke(f"A title for: {question}")).text
    texts: list[str] = []

    async def ask() -> None:
        texts.extend([chunk.text async for chunk in model.astream(question)])

    asking = threading.Thread(target=asyncio.run, args=[ask()])
    asking.start()
    asking.join()
    for text in texts:
        yield text


async def polling_a_thread(model: BaseChatModel, question: str) -> Texts:
    with ThreadPoolExecutor() as pool:
        title = pool.submit(model.invoke, f"A title for: {question}")
        while not title.done():
            time.sleep(0.001)  # noqa: ASYNC251
        yield title.result().text
    async for chunk in model.astream(question):
        yield chunk.text


async def asleep_at_first(model: BaseChatModel, question: str) -> Texts:
    # pace: how long it takes there is the subject
    time.sleep(0.5)  # noqa: ASYNC251
    async for text in freed(model, question):
        yield text


async def asleep_after_the_title(model: BaseChatModel, question: str) -> Texts:
    yield (await model.ainvoke(f"A title for: {question}")).text
    # pace: how long it takes there is the subject
    sleep(0.5)  # noqa: ASYNC251
    async for chunk in model.astream(question):
        yield chunk.text


async def asleep_at_each_chunk(model: BaseChatModel, question: str) -> Texts:
    async for text in freed(model, question):
        # pace: how long it takes there is the subject
        time.sleep(0.05)  # noqa: ASYNC251
        yield text


def blocking(call: Callable[[], object]) -> Callable[..., Texts]:
    """Return an answer that is right, but for a call between the title and the rest."""

    async def answer(model: BaseChatModel, question: str) -> Texts:
        yield (await model.ainvoke(f"A title for: {question}")).text
        call()
        async for chunk in model.astream(question):
            yield chunk.text

    return answer


WAIT = 2.0
"""Seconds that a call blocks for: many times what the check looks for."""


def waits_for_an_event() -> None:
    threading.Event().wait(WAIT)


def waits_for_a_queue() -> None:
    with suppress(queue.Empty):
        queue.Queue[None]().get(timeout=WAIT)


def waits_for_a_lock() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=WAIT)


def waits_for_a_future() -> None:
    with suppress(TimeoutError):
        Future[None]().result(timeout=WAIT)


def waits_for_a_program() -> None:
    program = f"import time; time.sleep({WAIT})"
    subprocess.run([sys.executable, "-c", program], check=True)


def waits_for_a_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, suppress(OSError):
        host, port = server.getsockname()
        urllib.request.urlopen(f"http://{host}:{port}", timeout=WAIT)


def selects() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        select.select([server], [], [], WAIT)


def computes() -> None:
    end = time.thread_time() + WAIT  # of work: a busy machine takes longer for it
    while time.thread_time() < end:
        sum(range(1000))


async def blocks_at_first(model: BaseChatModel, question: str) -> Texts:
    computes()
    async for text in freed(model, question):
        yield text


async def blocks_at_last(model: BaseChatModel, question: str) -> Texts:
    async for text in freed(model, question):
        yield text
    waits_for_an_event()


BLOCKING = (
    waits_for_an_event,
    waits_for_a_queue,
    waits_for_a_lock,
    waits_for_a_future,
    waits_for_a_program,
    waits_for_a_server,
    selects,
    computes,
)


async def asked_again(model: BaseChatModel, question: str) -> Texts:
    yield (await model.ainvoke(f"A title for: {question}")).text
    await model.ainvoke(question)
    async for chunk in model.astream(question):
        yield chunk.text


async def begun_before_the_title(model: BaseChatModel, question: str) -> Texts:
    await anext(model.astream(question))
    async for text in freed(model, question):
        yield text


async def batched(model: BaseChatModel, question: str) -> Texts:
    yield model.batch([f"A title for: {question}", "Bye"])[0].text
    async for chunk in model.astream(question):
        yield chunk.text


async def collected(model: BaseChatModel, question: str) -> Texts:
    yield (await model.ainvoke(f"A title for: {question}")).text
    for text in [chunk.text async for chunk in model.astream(question)]:
        yield text


async def collected_in_a_thread(model: BaseChatModel, question: str) -> Texts:
    yield (await model.ainvoke(f"A title for: {question}")).text
    for chunk in await asyncio.to_thread(lambda: [*model.stream(question)]):
        yield chunk.text


async def a_text_behind(model: BaseChatModel, question: str) -> Texts:
    before = (await model.ainvoke(f"A title for: {question}")).text
    async for chunk in model.astream(question):
        yield before
        before = chunk.text
    yield before


async def without_a_title(model: BaseChatModel, question: str) -> Texts:
    async for chunk in model.astream(question):
        yield chunk.text


async def another_title(model: BaseChatModel, question: str) -> Texts:
    yield (await model.ainvoke(question)).text
    async for chunk in model.astream(question):
        yield chunk.text


async def in_pieces(model: BaseChatModel, question: str) -> Texts:
    for prompt in (f"A title for: {question}", question):
        async for chunk in model.astream(prompt):
            yield chunk.text


async def two_wholes(model: BaseChatModel, question: str) -> Texts:
    for prompt in (f"A title for: {question}", question):
        yield (await model.ainvoke(prompt)).text


async def title_last(model: BaseChatModel, question: str) -> Texts:
    async for chunk in model.astream(question):
        yield chunk.text
    yield (await model.ainvoke(f"A title for: {question}")).text


async def messages(model: BaseChatModel, question: str) -> AsyncIterator[object]:
    yield await model.ainvoke(f"A title for: {question}")
    async for chunk in model.astream(question):
        yield chunk


async def not_awaited(model: BaseChatModel, question: str) -> Texts:
    title = model.ainvoke(f"A title for: {question}")
    try:
        yield title.text  # type: ignore[attr-defined]
    finally:
        title.close()  # nothing is said of a coroutine that nobody awaited


async def for_without_async(model: BaseChatModel, question: str) -> Texts:
    yield (await model.ainvoke(f"A title for: {question}")).text
    for chunk in model.astream(question):  # type: ignore[attr-defined]
        yield chunk.text


async def run_again(model: BaseChatModel, question: str) -> Texts:
    work = model.ainvoke(f"A title for: {question}")
    try:
        yield asyncio.run(work).text
    finally:
        work.close()


async def returned(model: BaseChatModel, question: str) -> str:
    return (await model.ainvoke(question)).text


def plain(model: BaseChatModel, question: str) -> object:
    return (chunk.text for chunk in model.stream(question))


async def without_a_question(model: BaseChatModel) -> Texts:
    yield "text"


async def endless(model: BaseChatModel, question: str) -> Texts:
    async for text in freed(model, question):
        yield text
    await asyncio.Event().wait()


async def empty(*given: object) -> None:
    """Say nothing."""


async def quiet(model: BaseChatModel, question: str) -> Texts:
    with suppress(Exception):
        async for text in freed(model, question):
            yield text


async def apologetic(model: BaseChatModel, question: str) -> Texts:
    try:
        async for text in freed(model, question):
            yield text
    except Exception as error:  # noqa: BLE001
        yield f"Sorry: {error}"


async def quiet_about_the_title(model: BaseChatModel, question: str) -> Texts:
    with suppress(Exception):
        yield (await model.ainvoke(f"A title for: {question}")).text
    async for chunk in model.astream(question):
        yield chunk.text


async def asked_after_a_failure(model: BaseChatModel, question: str) -> Texts:
    yield (await model.ainvoke(f"A title for: {question}")).text
    try:
        async for chunk in model.astream(question):
            yield chunk.text
    except Exception:  # noqa: BLE001
        async for chunk in model.astream(question):
            yield chunk.text


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (empty, "not tried yet"),
        (titled, "nobody else has a turn during the title and the answer"),
        (cut_into_words, "yield each text as it comes, not when all are there"),
        (half_freed, "nobody else has a turn during the title"),
        (generated, "nobody else has a turn during the title"),
        (waiting_for_a_thread, "nobody else has a turn during the title"),
        (polling_a_thread, "nobody else has a turn during the title"),
        (joining_a_thread, "nobody else has a turn during the title"),
        (joining_a_loop, "nobody else has a turn during the title"),
        (joining_a_loop_for_the_answer, "nobody else has a turn during the answer"),
        (other_half, "nobody else has a turn during the answer"),
        (freed_once, "nobody else has a turn during the answer"),
        (a_turn_between, "nobody else has a turn during the answer"),
        (asleep_at_first, "nobody else has a turn during time.sleep"),
        (asleep_after_the_title, "nobody else has a turn during time.sleep"),
        (asleep_at_each_chunk, "nobody else has a turn during time.sleep"),
        *[
            (blocking(call), "something in it blocks the event loop; await it, or")
            for call in BLOCKING
        ],
        (blocks_at_first, "something in it blocks the event loop"),
        (blocks_at_last, "something in it blocks the event loop"),
        (asked_again, "'A title for: Hi' and 'Hi', once each"),
        (begun_before_the_title, "'A title for: Hi' and 'Hi', once each"),
        (collected, "as it comes, not when all are there"),
        (collected_in_a_thread, "as it comes, not when all are there"),
        (a_text_behind, "as it comes, not when all are there"),
        (batched, "ask the model what titled asks, 'A title for: Hi' and 'Hi'"),
        (another_title, "ask the model what titled asks, 'A title for: Hi' and 'Hi'"),
        (without_a_title, "it yields ['Two', ' words']; as titled does"),
        (in_pieces, "it yields ['Two', ' words', 'Two', ' words']; as titled does"),
        (two_wholes, "it yields ['Two words', 'Two words']; as titled does, yield"),
        (title_last, "it yields ['Two', ' words', 'Two words']; as titled does, "),
        (messages, "yield text, and not AIMessage"),
        (not_awaited, "it raises AttributeError: 'coroutine' object has no attribute"),
        (for_without_async, "it raises TypeError: 'async_generator' object"),
        (run_again, "it raises RuntimeError: asyncio.run() cannot be called from"),
        (returned, SHAPE),
        (plain, SHAPE),
        ("freed", SHAPE),
        (without_a_question, "it raises TypeError: without_a_question() takes 1"),
        (endless, "it does not end"),
        (quiet, "when the model fails, it ends as if that were all"),
        (apologetic, "when the model fails, it ends as if that were all"),
        (quiet_about_the_title, "when the model fails at the title, it goes on; let"),
        (
            asked_after_a_failure,
            "when the model fails, it asks again; let the",
        ),
    ],
)
async def test_freed_loop_hints(answer: object, line: str, said: Said) -> None:
    await check.freed_loop(answer)
    assert line in said()


# 6d.2: a half that is kept

Save = Callable[[str, str], Awaitable[None]]
Saving = Callable[[Save, str, str, float], Awaitable[None]]
Kept = Callable[[Chunks, Save, float], Texts]


async def limited(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.move_on_after(limit, shield=True):
        await save(text, end)


async def limited_by_name(save: Any, text: str, end: str, limit: float) -> None:
    with anyio.move_on_after(limit, shield=True):
        await save(end=end, text=text)


async def limited_in_two_scopes(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.CancelScope(shield=True), anyio.move_on_after(limit):
        await save(text, end)


async def until_a_deadline(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.CancelScope(shield=True, deadline=anyio.current_time() + limit):
        await save(text, end)


async def waited_for(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.CancelScope(shield=True), suppress(TimeoutError):
        await asyncio.wait_for(save(text, end), limit)


async def timed(save: Save, text: str, end: str, limit: float) -> None:
    try:
        with anyio.CancelScope(shield=True):
            async with asyncio.timeout(limit):
                await save(text, end)
    except TimeoutError:
        pass


async def failing_quietly(save: Save, text: str, end: str, limit: float) -> None:
    with suppress(TimeoutError), anyio.fail_after(limit, shield=True):
        await save(text, end)


async def in_a_task(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.CancelScope(shield=True):
        saving = asyncio.ensure_future(save(text, end))
        await asyncio.wait([saving], timeout=limit)


async def stubborn(save: Save, text: str, end: str, limit: float) -> None:
    """Without anyio: wait again after each cancellation, and be cancelled after all."""
    saving = asyncio.ensure_future(save(text, end))
    deadline = asyncio.get_running_loop().time() + limit
    lost: BaseException | None = None
    while (
        not saving.done() and (left := deadline - asyncio.get_running_loop().time()) > 0
    ):
        try:
            await asyncio.wait([saving], timeout=left)
        except asyncio.CancelledError as error:
            lost = error
    saving.cancel()
    if lost:
        raise lost


async def shielded(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.CancelScope(shield=True):
        await save(text, end)


async def failing(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.fail_after(limit, shield=True):
        await save(text, end)


async def failing_by_asyncio(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.CancelScope(shield=True):
        await asyncio.wait_for(save(text, end), limit)


async def limited_outside(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.move_on_after(limit):
        await shielded(save, text, end, limit)


async def limited_in_milliseconds(
    save: Save, text: str, end: str, limit: float
) -> None:
    await limited(save, text, end, limit / 1000)


async def limited_to_a_minute(save: Save, text: str, end: str, limit: float) -> None:
    await limited(save, text, end, 60)


async def in_the_open(save: Save, text: str, end: str, limit: float) -> None:
    await save(text, end)


async def limited_in_the_open(save: Save, text: str, end: str, limit: float) -> None:
    with anyio.move_on_after(limit):
        await save(text, end)


async def waited_for_in_the_open(save: Save, text: str, end: str, limit: float) -> None:
    await asyncio.wait_for(save(text, end), limit)


async def by_asyncio(save: Save, text: str, end: str, limit: float) -> None:
    await asyncio.shield(asyncio.ensure_future(save(text, end)))


async def in_the_background(save: Save, text: str, end: str, limit: float) -> None:
    background.add(asyncio.ensure_future(save(text, end)))


background: set[asyncio.Future[None]] = set()


async def twice(save: Save, text: str, end: str, limit: float) -> None:
    await limited(save, text, "left", limit)
    await limited(save, text, end, limit)


async def twice_if_left(save: Save, text: str, end: str, limit: float) -> None:
    for _ in range(1 + (end == "left")):
        await limited(save, text, end, limit)


async def if_it_ended(save: Save, text: str, end: str, limit: float) -> None:
    if end != "left":
        await limited(save, text, end, limit)


async def the_other_way_round(save: Save, text: str, end: str, limit: float) -> None:
    await limited(save, end, text, limit)


async def nothing(save: Save, text: str, end: str, limit: float) -> None:
    pass


def found_in(chunk: AIMessageChunk) -> str | None:
    return chunk.response_metadata.get("finish_reason")


def of_its_text(chunk: AIMessageChunk, before: str | None) -> str | None:
    return found_in(chunk) or (None if chunk.text else before)


def of_any_text(chunk: AIMessageChunk, before: str | None) -> str | None:
    return found_in(chunk) or before


def of_the_first(chunk: AIMessageChunk, before: str | None) -> str | None:
    return before or found_in(chunk)


def without_a_text(chunk: AIMessageChunk, before: str | None) -> str | None:
    return None if chunk.text else found_in(chunk) or before


def kept(
    saving: Saving = limited,
    *,
    texts: Callable[[str], str] = lambda text: text,
    no_reason: str = "failed",
    reasons: Callable[[str], str] = lambda reason: reason,
    left: str = "left",
    failed: str = "failed",
    overwritten: bool = False,
    raises: bool = True,
    closed: Callable[[str | None], str] = lambda _: "left",
    take: Callable[[AIMessageChunk, str | None], str | None] = of_its_text,
    said: Callable[[AIMessageChunk], Any] = lambda chunk: chunk.text,
) -> Kept:
    """Return an answer to exercise 6d.2, right but for what is asked for."""

    async def answer(chunks: Chunks, save: Save, limit: float) -> Texts:
        text, reason, end = "", None, left
        try:
            async for chunk in chunks:
                text += said(chunk)
                reason = found_in(chunk) if overwritten else take(chunk, reason)
                yield said(chunk)
            end = reasons(reason) if reason else no_reason
        except Exception:
            end = failed
            if raises:
                raise
        except GeneratorExit:
            end = closed(reason) if left == "left" else left
            raise
        finally:
            await saving(save, texts(text), end, limit)

    return answer


async def told_apart(chunks: Chunks, save: Save, limit: float) -> Texts:
    said: list[str] = []
    end = "failed"
    try:
        async with aclosing(chunks):  # type: ignore[type-var]
            async for chunk in chunks:
                if chunk.text:
                    end = chunk.response_metadata.get("finish_reason", "failed")
                    said.append(chunk.text)
                    yield chunk.text
                end = chunk.response_metadata.get("finish_reason", end)
    except (GeneratorExit, asyncio.CancelledError):
        end = "left"
        raise
    except Exception:
        end = "failed"
        raise
    finally:
        await limited(save, "".join(said), end, limit)


async def in_a_context(chunks: Chunks, save: Save, limit: float) -> Texts:
    said: dict[str, str] = {"text": "", "end": "left"}

    @asynccontextmanager
    async def keeping() -> AsyncIterator[None]:
        try:
            yield
        except Exception:
            said["end"] = "failed"
            raise
        finally:
            await limited(save, said["text"], said["end"], limit)

    async with keeping():
        reason = "failed"
        async for chunk in chunks:
            said["text"] += chunk.text
            reason = of_its_text(chunk, reason) or "failed"
            yield chunk.text
        said["end"] = reason


async def caught_everywhere(chunks: Chunks, save: Save, limit: float) -> Texts:
    text, reason = "", "failed"
    try:
        async for chunk in chunks:
            text += chunk.text
            reason = of_its_text(chunk, reason) or "failed"
            yield chunk.text
    except BaseException as error:
        end = "failed" if isinstance(error, Exception) else "left"
        await limited(save, text, end, limit)
        raise
    await limited(save, text, reason, limit)


async def from_a_task(chunks: Chunks, save: Save, limit: float) -> Texts:
    heard: asyncio.Queue[AIMessageChunk | Exception | None] = asyncio.Queue()

    async def write() -> None:
        try:
            async for chunk in chunks:
                await heard.put(chunk)
            await heard.put(None)
        except Exception as error:  # noqa: BLE001
            await heard.put(error)

    async def found() -> AsyncIterator[AIMessageChunk]:
        while (each := await heard.get()) is not None:
            if isinstance(each, Exception):
                raise each
            yield each

    writing = asyncio.create_task(write())
    try:
        async with aclosing(kept()(found(), save, limit)) as texts:
            async for text in texts:
                yield text
    finally:
        writing.cancel()


@pytest.mark.parametrize(
    "answer",
    [
        kept(),
        kept(limited_by_name),
        kept(limited_in_two_scopes),
        kept(until_a_deadline),
        kept(waited_for),
        kept(timed),
        kept(failing_quietly),
        kept(in_a_task),
        kept(stubborn),
        told_apart,
        in_a_context,
        caught_everywhere,
        from_a_task,
    ],
)
async def test_saved_half(answer: object, said: Said) -> None:
    await check.saved_half(answer)
    assert said() == "correct (6d.2)"


async def summed(chunks: Chunks, save: Save, limit: float) -> Texts:
    whole: Any = AIMessageChunk(content="")
    end = "left"
    try:
        async for chunk in chunks:
            whole += chunk
            yield chunk.text
        end = whole.response_metadata.get("finish_reason", "failed")
    except Exception as error:
        end = "failed"
        raise error
    finally:
        await waited_for(save, whole.text, end, limit)


async def all_shielded(chunks: Chunks, save: Save, limit: float) -> Texts:
    with anyio.CancelScope(shield=True):
        async with aclosing(kept()(chunks, save, limit)) as texts:
            async for text in texts:
                yield text


async def all_limited(chunks: Chunks, save: Save, limit: float) -> Texts:
    with anyio.move_on_after(limit):
        async with aclosing(kept()(chunks, save, limit)) as texts:
            async for text in texts:
                yield text


async def unmoved(chunks: Chunks, save: Save, limit: float) -> Texts:
    with suppress(asyncio.CancelledError):
        async with aclosing(kept()(chunks, save, limit)) as texts:
            async for text in texts:
                yield text


async def at_once(chunks: Chunks, save: Save, limit: float) -> Texts:
    async def again() -> Chunks:
        for chunk in heard:
            yield chunk

    heard = [chunk async for chunk in chunks]
    async for text in kept()(again(), save, limit):
        yield text


async def one_behind(chunks: Chunks, save: Save, limit: float) -> Texts:
    before = ""
    async with aclosing(kept()(chunks, save, limit)) as texts:
        async for text in texts:
            yield before
            before = text
    yield before


async def without_finally(chunks: Chunks, save: Save, limit: float) -> Texts:
    text, end = "", "failed"
    try:
        async for chunk in chunks:
            text += chunk.text
            end = chunk.response_metadata.get("finish_reason", end)
            yield chunk.text
    except Exception:
        await limited(save, text, "failed", limit)
        raise
    await limited(save, text, end, limit)


async def if_any_text(save: Save, text: str, end: str, limit: float) -> None:
    if text:
        await limited(save, text, end, limit)


def reason_first(left: str = "left", failed: str = "") -> Kept:
    """Return an answer that has the reason, once it came, outlast what came later."""

    async def answer(chunks: Chunks, save: Save, limit: float) -> Texts:
        text, reason, end = "", "", "left"
        try:
            async for chunk in chunks:
                text += chunk.text
                reason = chunk.response_metadata.get("finish_reason", reason)
                yield chunk.text
            end = reason or "failed"
        except Exception:
            end = failed or reason or "failed"
            raise
        except (GeneratorExit, asyncio.CancelledError):
            end = left or reason or "left"
            raise
        finally:
            await limited(save, text, end, limit)

    return answer


async def only_closed(chunks: Chunks, save: Save, limit: float) -> Texts:
    text, end = "", "failed"
    try:
        async for chunk in chunks:
            text += chunk.text
            end = chunk.response_metadata.get("finish_reason", end)
            yield chunk.text
    except GeneratorExit:
        end = "left"
        raise
    finally:
        await limited(save, text, end, limit)


async def pieces(chunks: Chunks, save: Save, limit: float) -> AsyncIterator[object]:
    async for chunk in chunks:
        yield chunk


async def in_capitals(chunks: Chunks, save: Save, limit: float) -> Texts:
    async with aclosing(kept()(chunks, save, limit)) as texts:
        async for text in texts:
            yield text.upper()


async def still_speaking(chunks: Chunks, save: Save, limit: float) -> Texts:
    try:
        async with aclosing(kept()(chunks, save, limit)) as texts:
            async for text in texts:
                yield text
    finally:
        yield "."


async def never_ending(chunks: Chunks, save: Save, limit: float) -> Texts:
    async with aclosing(kept()(chunks, save, limit)) as texts:
        async for text in texts:
            yield text
    await asyncio.Event().wait()


async def without_a_limit(chunks: Chunks, save: Save) -> Texts:
    yield "text"


async def unlucky(chunks: Chunks, save: Save, limit: float) -> Texts:
    raise LookupError("no such thing")
    yield


async def no_generator(chunks: Chunks, save: Save, limit: float) -> str:
    return "text"


CUT = "the saving is cut off, or nobody waits for it; shield it by a scope"


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (empty, "not tried yet"),
        (kept(in_the_open), f"when a scope around it is cancelled, {CUT}"),
        (kept(limited_in_the_open), f"when a scope around it is cancelled, {CUT}"),
        (kept(waited_for_in_the_open), f"when a scope around it is cancelled, {CUT}"),
        (kept(by_asyncio), f"when a scope around it is cancelled, {CUT}"),
        (kept(in_the_background), f"when the model ends with stop, {CUT}"),
        (kept(shielded), "let no save take longer than `limit`"),
        (
            kept(limited_outside),
            "let no save take longer than `limit`",
        ),
        (kept(limited_to_a_minute), "let no save take longer than `limit`"),
        (kept(limited_in_milliseconds), "it gives up the saving before `limit`, which"),
        (kept(failing), "it raises TimeoutError; give up a save that hangs"),
        (kept(failing_by_asyncio), "it raises TimeoutError; give up a save that hangs"),
        (kept(nothing), "it calls no save; save('Two words', 'stop') is right, once"),
        (kept(if_it_ended), "it calls no save; save('Two', 'left') is right, once"),
        (kept(twice), "it calls save('Two words', 'left') and save("),
        (kept(twice_if_left), "it calls save('Two', 'left') and save('Two', 'left')"),
        (kept(the_other_way_round), "it calls save('stop', 'Two words'); "),
        (kept(texts=str.upper), "it calls save('TWO WORDS', 'stop')"),
        (kept(overwritten=True), "it calls save('Two words', 'failed'); "),
        (kept(reasons=lambda _: "stop"), "when the model ends with length, it calls"),
        (
            kept(reasons=lambda reason: {"stop": "stop"}.get(reason, "length")),
            "when a second message has a reason of its own, it calls",
        ),
        (kept(take=of_any_text), "when a second message has no reason, it calls"),
        (kept(take=of_the_first), "when a second message has no reason, it calls"),
        (summed, "when a second message has no reason, it calls"),
        (kept(texts=str.strip), "when a second message has no reason, it calls"),
        (
            kept(take=without_a_text),
            "when its reason comes with its text, it calls save(",
        ),
        (
            kept(closed=lambda reason: reason or "left"),
            "when its reason comes with its text, and its reader closes it, it calls",
        ),
        (
            kept(said=lambda chunk: chunk.content),
            "when a second message has no reason, it raises TypeError",
        ),
        (kept(no_reason="stop"), "when the model ends without a reason, it calls"),
        (kept(no_reason="left"), "when the model ends without a reason, it calls"),
        (kept(failed="left"), "when the model raises, it calls save("),
        (kept(raises=False), "when the model raises, its error is lost"),
        (
            kept(left="failed"),
            "when its reader closes it, it calls save(",
        ),
        (without_finally, "when its reader closes it, it calls no save"),
        (
            kept(if_any_text),
            "when the model says nothing, it calls no save; save('', 'stop') is right",
        ),
        (
            reason_first(),
            "when the model raises after its reason, it calls save('Two words', 'stop')"
            "; save('Two words', 'failed') is right",
        ),
        (
            reason_first(left="", failed="failed"),
            "when its reason has come, and its task is cancelled, it calls "
            "save('Two words', 'stop'); save('Two words', 'left') is right",
        ),
        (only_closed, "when its task is cancelled, it calls save("),
        (all_shielded, "when a scope around it is cancelled, it goes on"),
        (
            all_limited,
            "['Two', ' words'] is right; limit the saving",
        ),
        (unmoved, "when its task is cancelled, it goes on; "),
        (at_once, "it holds texts back; yield each as it comes"),
        (one_behind, "it holds texts back; yield each as it comes"),
        (pieces, "yield text, and not AIMessageChunk"),
        (in_capitals, "it yields ['TWO', ' WORDS']; ['Two', ' words'] is right"),
        (still_speaking, "it yields ['Two', ' words', '.']; "),
        (never_ending, "when the model ends with stop, it does not end"),
        (unlucky, "it raises LookupError: no such thing"),
        (without_a_limit, "it raises TypeError: without_a_limit() takes 2 positional"),
        (no_generator, SHAPE),
        ("kept", SHAPE),
    ],
)
async def test_saved_half_hints(answer: object, line: str, said: Said) -> None:
    await check.saved_half(answer)
    assert line in said()
