"""The checks of notebook 05: answers at the same time, and a stream that is closed."""

import asyncio
import weakref
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from contextlib import closing as closing_sync
from functools import partial, reduce, wraps
from operator import add
from typing import Any, cast

import pytest
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import Runnable
from langchain_openai import ChatOpenAI

from helpers import check, record
from helpers.models import script
from tests.support.hostile import Hostile

Model = Runnable[Any, BaseMessage]
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def whole(model: Model, question: str) -> str:
    return "".join([chunk.text async for chunk in model.astream(question)])


async def together(model: Model, questions: list[str]) -> list[str]:
    return await asyncio.gather(*(whole(model, each) for each in questions))


async def taking_them_out(model: Model, questions: list[str]) -> list[str]:
    tasks = []
    while questions:
        tasks.append(asyncio.create_task(whole(model, questions.pop(0))))
    return [await task for task in tasks]


async def in_a_group(model: Model, questions: list[str]) -> list[str]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(whole(model, each)) for each in questions]
    return [task.result() for task in tasks]


async def in_tasks(model: Model, questions: list[str]) -> list[str]:
    tasks = [asyncio.create_task(whole(model, each)) for each in questions]
    return [await task for task in tasks]


async def by_number(model: Model, questions: list[str]) -> tuple[str, ...]:
    texts: dict[int, str] = {}

    async def one(number: int, question: str) -> None:
        texts[number] = await whole(model, question)

    await asyncio.wait(
        [asyncio.create_task(one(*each)) for each in enumerate(questions)]
    )
    return tuple(texts[number] for number in range(len(questions)))


async def in_a_batch(model: Model, questions: list[str]) -> list[str]:
    return [message.text for message in await model.abatch(questions)]


async def in_a_chain(model: Model, questions: list[str]) -> list[str]:
    return await (model | StrOutputParser()).abatch(questions)


async def as_completed(model: Model, questions: list[str]) -> Iterable[str]:
    texts = [""] * len(questions)
    async for number, message in model.abatch_as_completed(questions):
        texts[number] = message.text  # type: ignore[union-attr]
    return deque(texts)


async def in_threads(model: Model, questions: list[str]) -> list[str]:
    def one(question: str) -> str:
        return "".join(chunk.text for chunk in model.stream(question))

    return await asyncio.gather(*(asyncio.to_thread(one, each) for each in questions))


async def few_at_a_time(model: Model, questions: list[str], most: int = 8) -> list[str]:
    places = asyncio.Semaphore(most)

    async def one(question: str) -> str:
        async with places:
            return await whole(model, question)

    return await asyncio.gather(*map(one, questions))


async def through_a_queue(model: Model, questions: list[str]) -> list[str]:
    queue: asyncio.Queue[tuple[int, str]] = asyncio.Queue()

    async def fill(number: int, question: str) -> None:
        async for chunk in model.astream(question):
            await queue.put((number, chunk.text))

    filling = asyncio.gather(*(fill(*each) for each in enumerate(questions)))
    await filling
    texts = [""] * len(questions)
    while not queue.empty():
        number, text = queue.get_nowait()
        texts[number] += text
    return texts


def not_async(model: Model, questions: list[str]) -> Awaitable[list[str]]:
    return asyncio.gather(*(whole(model, each) for each in questions))


def logged(
    function: Callable[..., Awaitable[list[str]]],
) -> Callable[..., Awaitable[list[str]]]:
    @wraps(function)
    async def call(*args: object, **options: object) -> list[str]:
        return await function(*args, **options)

    return call


class Answers:
    async def __call__(self, model: Model, questions: list[str]) -> list[str]:
        return [*await asyncio.gather(*(self.one(model, each) for each in questions))]

    async def one(self, model: Model, question: str) -> str:
        return (await model.ainvoke(question)).text


async def bound(model: Model, questions: list[str]) -> Iterable[str]:
    return map(str, await together(model.bind(), questions))  # type: ignore[arg-type]


async def with_second_tries(model: Model, questions: list[str]) -> list[str]:
    return await together(model.with_retry(), questions)  # type: ignore[arg-type]


async def with_exceptions(model: Model, questions: list[str]) -> list[Any]:
    coming = (whole(model, each) for each in questions)
    return await asyncio.gather(*coming, return_exceptions=True)


async def waiting_for_tasks(model: Model, questions: list[str]) -> list[str]:
    tasks = [asyncio.ensure_future(whole(model, each)) for each in questions]
    await asyncio.wait(tasks)
    return [task.result() for task in tasks]


async def generated(model: Model, questions: list[str]) -> list[str]:
    found = await model.agenerate([[HumanMessage(each)] for each in questions])
    return [each.text for (each,) in found.generations]


async def by_events(model: Model, questions: list[str]) -> list[str]:
    async def one(question: str) -> str:
        return "".join(
            [
                event["data"]["chunk"].text
                async for event in model.astream_events(question)
                if event["event"] == "on_chat_model_stream"
            ]
        )

    return await asyncio.gather(*map(one, questions))


async def with_a_deadline(model: Model, questions: list[str]) -> list[str]:
    async with asyncio.timeout(60):
        return await asyncio.shield(together(model, questions))


async def added_up(model: Model, questions: list[str]) -> list[str]:
    async def one(question: str) -> str:
        chunks = [chunk async for chunk in model.astream([HumanMessage(question)])]
        return reduce(add, chunks).text

    return await asyncio.gather(*map(one, questions))


RIGHT_ANSWERS = [
    taking_them_out,
    bound,
    with_second_tries,
    with_exceptions,
    waiting_for_tasks,
    generated,
    by_events,
    with_a_deadline,
    added_up,
    partial(together),
    together,
    in_a_group,
    in_tasks,
    by_number,
    in_a_batch,
    in_a_chain,
    as_completed,
    in_threads,
    few_at_a_time,
    through_a_queue,
    not_async,
    logged(together),
    Answers(),
    Answers().__call__,
]


async def in_turn(model: Model, questions: list[str]) -> list[str]:
    return [await whole(model, each) for each in questions]


async def blocking(model: Model, questions: list[str]) -> list[str]:
    async def one(question: str) -> str:
        return "".join(chunk.text for chunk in model.stream(question))

    return await asyncio.gather(*map(one, questions))


async def blocking_at_once(model: Model, questions: list[str]) -> list[str]:
    return [message.text for message in model.batch(questions)]


async def as_they_end(model: Model, questions: list[str]) -> list[str]:
    ends = asyncio.as_completed([whole(model, each) for each in questions])
    return [await each for each in ends]


async def in_a_set(model: Model, questions: list[str]) -> set[str]:
    return {*await together(model, questions)}


async def by_question(model: Model, questions: list[str]) -> dict[str, str]:
    return dict(zip(questions, await together(model, questions), strict=True))


async def in_one(model: Model, questions: list[str]) -> str:
    return "\n".join(await together(model, questions))


async def messages(model: Model, questions: list[str]) -> list[BaseMessage]:
    return await asyncio.gather(*(model.ainvoke(each) for each in questions))


async def chunks(model: Model, questions: list[str]) -> list[list[BaseMessage]]:
    async def one(question: str) -> list[BaseMessage]:
        return [chunk async for chunk in model.astream(question)]

    return await asyncio.gather(*map(one, questions))


async def last_chunks(model: Model, questions: list[str]) -> list[str]:
    async def one(question: str) -> str:
        text = ""
        async for chunk in model.astream(question):
            text = chunk.text or text
        return text

    return await asyncio.gather(*map(one, questions))


async def not_awaited(model: Model, questions: list[str]) -> list[Any]:
    return [asyncio.create_task(whole(model, each)) for each in questions]


async def printed(model: Model, questions: list[str]) -> None:
    for text in await together(model, questions):
        print(text)


async def half(model: Model, questions: list[str]) -> list[str]:
    return await together(model, questions[:2])


async def two_at_a_time(model: Model, questions: list[str]) -> list[str]:
    return await few_at_a_time(model, questions, most=2)


async def of_another(_: Model, questions: list[str]) -> list[str]:
    return await together(ChatOpenAI(**script(ttft=0, pace=0)), questions)


async def yielding(model: Model, questions: list[str]) -> AsyncIterator[str]:
    for each in questions:
        yield await whole(model, each)


async def one_too_many(model: Model, questions: list[str]) -> list[str]:
    texts = await together(model, questions)
    return [*texts, texts[0]]


async def with_line_ends(model: Model, questions: list[str]) -> list[str]:
    return [text + "\n" for text in await together(model, questions)]


async def backwards(model: Model, questions: list[str]) -> list[str]:
    return (await together(model, questions))[::-1]


async def first_alone(model: Model, questions: list[str]) -> list[str]:
    first, *others = questions
    return [await whole(model, first), *await together(model, others)]


async def all_in_one_question(model: Model, questions: list[str]) -> list[str]:
    return [await whole(model, " ".join(questions))]


async def twice(model: Model, questions: list[str]) -> list[str]:
    await together(model, questions)
    return await together(model, questions)


async def in_pairs(model: Model, questions: list[str]) -> list[tuple[str, str]]:
    return [*zip(questions, await together(model, questions), strict=True)]


async def one_for_all(model: Model, questions: list[str]) -> list[str]:
    return await together(model, [questions[0]] * len(questions))


async def without_a_star(model: Model, questions: list[str]) -> Any:
    return await asyncio.gather([together(model, questions)])  # type: ignore[call-overload]


WRONG_ANSWERS = [
    (one_too_many, "return 5 texts, one for each question, not 6"),
    (with_line_ends, "there is more than the text: '…\\n'"),
    (backwards, "in another order than the questions"),
    (first_alone, "at most 4 of 5 came at once"),
    (all_in_one_question, "return 5 texts, one for each question, not 1"),
    (twice, "the model was asked 10 times"),
    (in_pairs, "expected, got ('Why does"),
    (one_for_all, "for 'Explain token streaming in simple terms': 'A lang"),
    (without_a_star, "it raises TypeError: unhashable"),
    (in_turn, "at most 1 of 5 came at once"),
    (blocking, "at most 1 of 5 came at once"),
    (two_at_a_time, "at most 2 of 5 came at once"),
    (blocking_at_once, "the texts are right, but nothing is awaited"),
    (as_they_end, "in another order than the questions"),
    (in_a_set, "return a list of texts"),
    (by_question, "return a list of texts"),
    (in_one, "return a list of texts"),
    (printed, "return a list of texts"),
    (messages, "expected, got AIMessage"),
    (chunks, "expected, got [AIMessageChunk"),
    (last_chunks, "expected, got '.'"),
    (not_awaited, "has not come yet: await it"),
    (half, "return 5 texts, one for each question, not 2"),
    (of_another, "it does not ask the model that it is given"),
    (lambda model, questions: asyncio.sleep(0, questions), "does not ask"),
    (lambda model, questions: ["texts"], "write it with async def"),
    (yielding, "write it with async def"),
    (lambda model: together(model, []), "it raises TypeError: "),
    (["texts"], "write async def"),
    (together(ChatOpenAI(**script()), []), "write async def"),
    (Hostile(), "it raises RuntimeError"),
]


@pytest.mark.parametrize("answer", RIGHT_ANSWERS)
async def test_they_are_asked_together(answer: object, said: Callable[[], str]) -> None:
    await check.answers_together(answer)
    assert said() == "correct (5.1)"


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize(("answer", "hint"), WRONG_ANSWERS)
async def test_they_are_not_asked_together(
    answer: object, hint: str, said: Callable[[], str]
) -> None:
    await check.answers_together(answer)
    *_, line = said().splitlines()
    assert line.startswith("not yet: ")
    assert hint in line


async def to_be_written(model: Model, questions: list[str]) -> None: ...


@pytest.mark.parametrize("answer", [None, to_be_written])
async def test_they_are_not_asked_yet(answer: object, said: Callable[[], str]) -> None:
    await check.answers_together(answer)
    assert said() == "not tried yet"


streams: dict[str, Any] = {}


async def first_sentence(stream: AsyncIterator[BaseMessage]) -> str:
    text = ""
    async for chunk in stream:
        text += chunk.text
        if text.endswith("."):
            break
    return text


async def preview(model: Model, question: str) -> str:
    """Return the first sentence, and leave the model writing: as the notebook does."""
    streams[question] = model.astream(question)
    return await first_sentence(streams[question])


async def closing(model: Model, question: str) -> str:
    streams[question] = model.astream(question)
    async with aclosing(streams[question]) as stream:
        return await first_sentence(stream)


async def by_finally(model: Model, question: str) -> str:
    stream = streams[question] = model.astream(question)
    try:
        return await first_sentence(stream)
    finally:
        await cast("Any", stream).aclose()


async def by_two_ways(model: Model, question: str) -> str:
    stream = streams[question] = model.astream(question)
    try:
        text = await first_sentence(stream)
    except BaseException:
        await cast("Any", stream).aclose()
        raise
    await cast("Any", stream).aclose()
    return text


async def by_stack(model: Model, question: str, *, end: str = ".") -> str:
    text = ""
    async with AsyncExitStack() as stack:
        stream = model.astream(question)
        streams.update({question: stream})
        stack.push_async_callback(cast("Any", stream).aclose)
        while not text.endswith(end) and (chunk := await anext(stream, None)):
            text += chunk.text
    return text


@asynccontextmanager
async def kept(
    model: Model, question: str
) -> AsyncIterator[AsyncIterator[BaseMessage]]:
    async with aclosing(cast("Any", model.astream(question))) as stream:
        streams[question] = stream
        yield stream


async def by_manager(model: Model, question: str) -> str:
    async with kept(model, question) as stream:
        return await first_sentence(stream)


async def of_texts(model: Model, question: str) -> str:
    streams[question] = (model | StrOutputParser()).astream(question)
    parts: list[str] = []
    async with aclosing(streams[question]) as texts:
        async for text in texts:
            parts.append(text)
            if text.endswith("."):
                return "".join(parts)
    return "".join(parts)


async def recorded(model: Model, question: str) -> str:
    async with record(model.astream(question), question) as stream:
        streams[question] = stream
        return await first_sentence(aiter(stream))


async def by_comprehension(model: Model, question: str) -> str:
    streams[question] = model.astream(question)
    async with aclosing(streams[question]) as stream:
        return "".join([text async for text in up_to("", stream)])


async def up_to(end: str, stream: AsyncIterator[BaseMessage]) -> AsyncIterator[str]:
    async for chunk in stream:
        yield chunk.text
        if chunk.text.endswith(end or "."):
            return


async def reading_on(model: Model, question: str) -> str:
    """Find out that the sentence is over by the chunk after it."""
    streams[question] = model.astream(question)
    text = ""
    async with aclosing(streams[question]) as stream:
        async for chunk in stream:
            if text.endswith("."):
                break
            text += chunk.text
    return text


async def in_a_task(model: Model, question: str) -> str:
    stream = streams[question] = model.astream(question)
    reading = asyncio.create_task(first_sentence(stream))
    try:
        return await reading
    finally:
        with suppress(RuntimeError):
            await asyncio.shield(cast("Any", stream).aclose())


async def closing_soon(model: Model, question: str) -> str:
    stream = streams[question] = model.astream(question)
    try:
        return await first_sentence(stream)
    finally:
        CLOSING.add(task := asyncio.create_task(cast("Any", stream).aclose()))
        task.add_done_callback(CLOSING.discard)


CLOSING: set[asyncio.Task[None]] = set()


class Preview:
    def __init__(self, kept: dict[str, Any]) -> None:
        self.kept = kept

    async def __call__(self, model: Model, question: str) -> str:
        self.kept[question] = model.astream(question)
        async with aclosing(self.kept[question]) as stream:
            return await first_sentence(stream)


async def as_a_target(model: Model, question: str) -> str:
    async with aclosing(model.astream(question)) as streams[question]:
        return await first_sentence(streams[question])


async def step_by_step(model: Model, question: str) -> str:
    stream, text = model.astream(question), ""
    streams.update({question: stream})
    try:
        while not text.endswith(".") and (chunk := await anext(stream, None)):
            text += chunk.text
        return text
    finally:
        await stream.aclose()  # type: ignore[attr-defined]


async def in_a_group_of_one(model: Model, question: str) -> str:
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(closing(model, question))
    return reading.result()


async def with_a_note(model: Model, question: str) -> str:
    stream: Any = model.astream(question)
    streams[question] = stream
    try:
        return await first_sentence(stream)
    except Exception as error:
        error.add_note("It happened in the loop.")
        raise
    finally:
        await stream.aclose()


async def on_each_way_out(model: Model, question: str) -> str:
    stream: Any = model.astream(question)
    streams[question] = stream
    try:
        text = await first_sentence(stream)
    except BaseException:
        await stream.aclose()
        raise
    await stream.aclose()
    return text


async def closing_in_a_task(model: Model, question: str) -> str:
    stream: Any = model.astream(question)
    streams[question] = stream
    try:
        return await first_sentence(stream)
    finally:
        await asyncio.create_task(stream.aclose())


async def in_a_minute(model: Model, question: str) -> str:
    async with asyncio.timeout(60):
        return await closing(model, question)


class Wrapped:
    """A stream in a class of somebody's own."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.aclose = stream, stream.aclose

    def __aiter__(self) -> Any:
        return self.stream


async def wrapping(model: Model, question: str) -> str:
    streams[question] = Wrapped(model.astream(question))
    async with aclosing(streams[question]) as stream:
        return await first_sentence(stream)


RIGHT_REPAIRS = [
    as_a_target,
    step_by_step,
    in_a_group_of_one,
    with_a_note,
    on_each_way_out,
    closing_in_a_task,
    in_a_minute,
    wrapping,
    lambda model, question: closing(model, question),
    closing,
    by_finally,
    by_two_ways,
    by_stack,
    partial(by_stack, end="."),
    by_manager,
    of_texts,
    recorded,
    by_comprehension,
    reading_on,
    in_a_task,
    closing_soon,
    Preview(streams),
    logged(cast("Any", closing)),
]


async def not_kept(model: Model, question: str) -> str:
    async with aclosing(cast("Any", model.astream(question))) as stream:
        return await first_sentence(stream)


async def not_held(model: Model, question: str) -> str:
    """Let Python close what nobody holds."""
    return await first_sentence(model.astream(question))


async def keeping_it_late(model: Model, question: str) -> str:
    async with aclosing(cast("Any", model.astream(question))) as stream:
        try:
            return await first_sentence(stream)
        finally:
            streams[question] = stream


async def removing(model: Model, question: str) -> str:
    try:
        return await closing(model, question)
    finally:
        del streams[question]


async def clearing(model: Model, question: str) -> str:
    text = await closing(model, question)
    streams.clear()
    return text


async def emptying(model: Model, question: str) -> str:
    text = await closing(model, question)
    streams[question] = None
    return text


async def keeping_a_reference(model: Model, question: str) -> str:
    stream = model.astream(question)
    streams[question] = weakref.ref(stream)
    return await first_sentence(stream)


async def keeping_the_text(model: Model, question: str) -> str:
    streams[question] = await not_kept(model, question)
    return cast("str", streams[question])


async def keeping_its_closing(model: Model, question: str) -> str:
    streams[question] = aclosing(cast("Any", model.astream(question)))
    async with streams[question] as stream:
        return await first_sentence(stream)


async def keeping_another(model: Model, question: str) -> str:
    streams[question] = model.astream(question)
    return await not_kept(model, question)


async def under_one_name(model: Model, question: str) -> str:
    streams["question"] = model.astream(question)
    return await first_sentence(streams["question"])


async def before_break(model: Model, question: str) -> str:
    text = ""
    stream = streams[question] = model.astream(question)
    async for chunk in stream:
        text += chunk.text
        if text.endswith("."):
            await cast("Any", stream).aclose()
            break
    return text


async def after_the_loop(model: Model, question: str) -> str:
    stream = streams[question] = model.astream(question)
    text = await first_sentence(stream)
    await cast("Any", stream).aclose()
    return text


async def on_errors_only(model: Model, question: str) -> str:
    stream = streams[question] = model.astream(question)
    try:
        return await first_sentence(stream)
    except Exception:
        await cast("Any", stream).aclose()
        raise


async def deleting_its_name(model: Model, question: str) -> str:
    stream = streams[question] = model.astream(question)
    text = await first_sentence(stream)
    del stream
    return text


async def returning(model: Model, question: str) -> str:
    text = ""
    streams[question] = model.astream(question)
    async for chunk in streams[question]:
        text += chunk.text
        if text.endswith("."):
            return text
    return text


async def closing_all(model: Model, question: str) -> str:
    streams[question] = model.astream(question)
    try:
        return await first_sentence(streams[question])
    finally:
        for stream in [*streams.values()]:
            await stream.aclose()


async def all_of_it(model: Model, question: str) -> str:
    streams[question] = model.astream(question)
    async with aclosing(streams[question]) as stream:
        return "".join([chunk.text async for chunk in stream])


async def short_of_it(model: Model, question: str) -> str:
    return (await closing(model, question)).removesuffix(".")


async def printing(model: Model, question: str) -> None:
    print(await closing(model, question))


async def of_the_whole(model: Model, question: str) -> str:
    streams[question] = model.astream(question)
    text = (await model.ainvoke(question)).text
    return text.partition(".")[0] + "."


async def made_up(model: Model, question: str) -> str:
    streams[question] = model.astream(question)
    return "One sentence."


async def not_awaiting_its_closing(model: Model, question: str) -> str:
    stream: Any = model.astream(question)
    streams[question] = stream
    text = await first_sentence(stream)
    stream.aclose()
    return text


async def swallowing_all(model: Model, question: str) -> str | None:
    with suppress(AttributeError):
        return await closing(model, question)
    return None


async def swallowing(model: Model, question: str) -> str:
    with suppress(Exception):
        return await closing(model, question)
    return "One"


async def closing_another(model: Model, question: str) -> str:
    streams[question] = model.astream(question)
    async with aclosing(model.astream(question)):
        return await first_sentence(streams[question])


async def closing_in_else(model: Model, question: str) -> str:
    stream: Any = model.astream(question)
    streams[question], text = stream, ""
    async for chunk in stream:
        text += chunk.text
        if text.endswith("."):
            break
    else:
        await stream.aclose()
    return text


async def without_async(model: Model, question: str) -> str:
    streams[question] = model.astream(question)
    text = ""
    with closing_sync(model.stream(question)) as stream:
        for chunk in stream:
            text += chunk.text
            if text.endswith("."):
                break
    return text


async def forgetting(model: Model, question: str) -> str:
    text = await closing(model, question)
    del streams[question]
    return text


async def reading_all_of_it(model: Model, question: str) -> str:
    text = await all_of_it(model, question)
    return text.partition(".")[0] + "."


async def in_a_list(model: Model, question: str) -> list[str]:
    return [await closing(model, question)]


async def closing_later(model: Model, question: str) -> str:
    text = await preview(model, question)
    close, loop = streams[question].aclose, asyncio.get_running_loop()
    loop.call_later(4, lambda: loop.create_task(close()))
    return text


async def yielding_it(model: Model, question: str) -> AsyncIterator[str]:
    yield await closing(model, question)


async def by_default(model: Model, question: str) -> str:
    stream = streams.setdefault(question, model.astream(question))
    async with aclosing(stream):
        return await first_sentence(stream)


async def keeping_the_first(model: Model, question: str) -> str:
    if question not in streams:
        streams[question] = model.astream(question)
    async with aclosing(streams[question]) as stream:
        return await first_sentence(stream)


async def removing_at_the_end(model: Model, question: str) -> str:
    text, streams[question] = "", model.astream(question)
    async with aclosing(streams[question]) as stream:
        async for chunk in stream:
            text += chunk.text
            if text.endswith("."):
                break
        else:
            del streams[question]
    return text


async def at_a_piece_that_is_a_full_stop(model: Model, question: str) -> str:
    text, streams[question] = "", model.astream(question)
    async with aclosing(streams[question]) as stream:
        async for chunk in stream:
            text += chunk.text
            if chunk.text == ".":
                break
    return text


SENT = "the server sent all 104 chunks"


async def after_an_error_alone(model: Model, question: str) -> str:
    stream = streams[question] = model.astream(question)
    try:
        text = await first_sentence(stream)
    except Exception:
        await cast("Any", stream).aclose()
        raise
    await cast("Any", stream).aclose()
    return text


async def with_an_end_alone(model: Model, question: str) -> str | None:
    text = await closing(model, question)
    return text if text.endswith(".") else None


async def at_a_full_stop_within(model: Model, question: str) -> str:
    text, streams[question] = "", model.astream(question)
    async with aclosing(streams[question]) as stream:
        async for chunk in stream:
            text += chunk.text
            if "." in text:
                break
    return text


async def stripping(model: Model, question: str) -> str:
    return (await closing(model, question)).strip()


UNENDED = "' Version 3.5 is out ' expected, got "
WRONG_REPAIRS = [
    (by_default, "'A word.' expected, got ''"),
    (keeping_the_first, "'A word.' expected, got ''"),
    (removing_at_the_end, "does not hold a stream that was read to its end"),
    (at_a_piece_that_is_a_full_stop, "'A word.' expected, got 'A word. More.'"),
    (with_an_end_alone, f"{UNENDED}None"),
    (at_a_full_stop_within, f"{UNENDED}' Version 3.5'"),
    (stripping, f"{UNENDED}'Version 3.5 is out'"),
    (after_an_error_alone, f"after the cancellation in the loop, {SENT}"),
    (not_awaiting_its_closing, f"the text is right, but {SENT}"),
    (swallowing, "the exception in the loop is lost, and 'One' is returned"),
    (swallowing_all, "the exception in the loop is lost, and None is returned"),
    (closing_another, f"the text is right, but {SENT}"),
    (closing_in_else, f"the text is right, but {SENT}"),
    (without_async, "is not the one that was read"),
    (forgetting, "does not hold the stream"),
    (reading_all_of_it, f"the text is right, but {SENT}"),
    (in_a_list, "as preview does, not ['One sentence.']"),
    (closing_later, f"the text is right, but {SENT}"),
    (yielding_it, "write it with async def"),
    (preview, f"the text is right, but {SENT}"),
    (returning, f"the text is right, but {SENT}"),
    (deleting_its_name, f"the text is right, but {SENT}"),
    (on_errors_only, f"the text is right, but {SENT}"),
    (of_the_whole, f"the text is right, but {SENT}"),
    (before_break, f"after the exception in the loop, {SENT}"),
    (after_the_loop, f"after the exception in the loop, {SENT}"),
    (not_kept, "does not hold the stream"),
    (not_held, "does not hold the stream"),
    (keeping_it_late, "holds the stream too late"),
    (removing, "does not hold the stream"),
    (clearing, "does not hold the stream"),
    (emptying, "does not hold the stream"),
    (keeping_a_reference, "does not hold the stream"),
    (keeping_the_text, "does not hold the stream"),
    (keeping_its_closing, "does not hold the stream"),
    (under_one_name, "does not hold the stream"),
    (keeping_another, "is not the one that was read"),
    (made_up, "the model was not asked"),
    (
        closing_all,
        "it raises RuntimeError: aclose(): asynchronous generator is already",
    ),
    (all_of_it, "return the first sentence, as preview does, not 'One sentence. More"),
    (short_of_it, "return the first sentence, as preview does, not 'One sentence'"),
    (printing, "return the first sentence, as preview does, not None"),
    (lambda model, question: "One sentence.", "write it with async def"),
    (lambda model: "One sentence.", "it raises TypeError"),
    ("One sentence.", "write async def"),
    (Hostile(), "it raises RuntimeError"),
]


@pytest.fixture(autouse=True)
def _no_streams() -> None:
    streams.clear()


@pytest.mark.parametrize("answer", RIGHT_REPAIRS)
async def test_the_leak_is_closed(answer: object, said: Callable[[], str]) -> None:
    await check.closed_stream(answer, streams=streams)
    assert said() == "correct (5.2)"


@pytest.mark.parametrize(("answer", "hint"), WRONG_REPAIRS)
async def test_the_leak_is_not_closed(
    answer: object, hint: str, said: Callable[[], str]
) -> None:
    await check.closed_stream(answer, streams=streams)
    *_, line = said().splitlines()
    assert line.startswith("not yet: ")
    assert hint in line


async def test_the_leak_is_not_looked_at_yet(said: Callable[[], str]) -> None:
    await check.closed_stream(None, streams=streams)
    assert said() == "not tried yet"


async def test_a_repair_is_not_judged_by_what_was_tried_before(
    said: Callable[[], str],
) -> None:
    for answer, verdict in (
        (preview, "not yet: "),
        (closing, "correct"),
        (not_kept, "not yet: "),
    ):
        await check.closed_stream(answer, streams=streams)
        assert said().startswith(verdict)
