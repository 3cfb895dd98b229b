"""The exercises of notebook 05: asynchronous streams."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    MutableMapping,
)
from contextlib import suppress
from itertools import accumulate, count
from typing import TYPE_CHECKING, cast

from .exercise import case, exercise, shown

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

Answer = Callable[..., Awaitable[object]]
QUESTIONS = [
    "Why does token streaming matter?",
    "Explain token streaming in simple terms",
    "What is a token?",
    "Should I stream or invoke?",
    "Hi",
]
"""The longest answer first: in the order of their ends, the texts are reversed.

So many that a set, such as `asyncio.wait` returns, has them in order only by chance.
"""


@exercise("5.1")
async def answers_together(answer: object) -> AsyncGenerator[str, None]:
    """Exercise 5.1: several questions asked at once, the texts in their order."""
    import asyncio  # not at the top: `import helpers` stays quick

    from langchain_core.callbacks import BaseCallbackHandler
    from langchain_openai import ChatOpenAI

    from helpers.models import script
    from helpers.scripted.saying.answers import answer as written

    class UnderWay(BaseCallbackHandler):
        run_inline = True
        steps: list[int] = []  # noqa: RUF012  1 for each that begins, -1 as it ends

        def on_chat_model_start(self, *_: object, **__: object) -> None:
            self.steps.append(1)

        def on_llm_end(self, *_: object, **__: object) -> None:
            self.steps.append(-1)

        on_llm_error = on_llm_end

    if not callable(answer):
        yield "write async def answers(model, questions)"
    # All have half a second to begin, as long at any speed of the script.
    scripted = script(ttft=0, pace=400, fault="late_headers", stall=0.5)
    model = ChatOpenAI(callbacks=[UnderWay()], **scripted)
    others = asyncio.Event()
    asyncio.get_running_loop().call_soon(others.set)  # runs when the answer waits
    coming = cast("Answer", answer)(model, [*QUESTIONS])  # it may take them out
    if not isinstance(coming, Awaitable):
        yield "write it with async def, and return the texts"
    got = await coming
    if not isinstance(got, Iterable) or isinstance(got, str | dict | set):
        yield "return a list of texts, one for each question"
    said, texts = [*cast("Iterable[object]", got)], [*map(written, QUESTIONS)]
    if any(isinstance(each, Awaitable) for each in said):
        yield "what is in your list has not come yet: await it"
    if not UnderWay.steps:
        yield "it does not ask the model that it is given"
    if len(said) != len(texts):
        yield f"return {len(texts)} texts, one for each question, not {len(said)}"
    if said != texts and all(text in said for text in texts):
        yield "the texts are right, but in another order than the questions"
    for question, text, each in zip(QUESTIONS, texts, said, strict=True):
        if isinstance(each, str) and each != text == each.strip():
            yield f"there is more than the text: {shown(each.replace(text, '…'))}"
        if each != text:
            yield case(question, text, each)
    if (most := max(accumulate(UnderWay.steps))) < len(texts):
        yield f"the texts are right, but at most {most} of {len(texts)} came at once"
    if (asked := UnderWay.steps.count(1)) > len(texts):
        yield f"the texts are right, but the model was asked {asked} times"
    if not others.is_set():
        yield "the texts are right, but nothing is awaited, so nothing else can run"


SAID = ["One", " sentence", ".", *[" More"] * 100, "."]
AGAIN = ["A", " word.", " More", "."]  # asked again, it says something else
UNENDED = [" Version", " 3.5", " is", " out "]  # no piece of it ends in a full stop
ASKED = count(1)  # a question of its own for each try: the record remembers


@exercise("5.2")
async def closed_stream(
    answer: object, *, streams: MutableMapping[str, AsyncIterator[object]]
) -> AsyncGenerator[str, None]:
    """Exercise 5.2: a function that returns one sentence, and closes its stream."""
    import asyncio  # not at the top: `import helpers` stays quick

    from langchain_core.runnables import RunnableGenerator
    from langchain_openai import ChatOpenAI

    from helpers.models import script

    if not callable(answer):
        yield "write async def repaired(model, question)"
    first_sentence = cast("Answer", answer)
    one, two, three, *others = (f"exercise 5.2, no. {next(ASKED)}" for _ in range(5))
    model = ChatOpenAI(**script(tokens=SAID, ttft=0, pace=12))
    # It waits for its first text when the other is closed, which must not disturb it.
    pause = script(tokens=SAID, ttft=0, pace=12, fault="late_headers", stall=0.5)
    late = ChatOpenAI(**pause)
    coming = first_sentence(model, one), first_sentence(late, two)
    if not all(isinstance(each, Awaitable) for each in coming):
        yield "write it with async def, and return the text"
    for question, got in zip((one, two), await asyncio.gather(*coming), strict=True):
        if got != "One sentence.":
            yield f"return the first sentence, as preview does, not {shown(got)}"
        if not hasattr(streams.get(question), "__aiter__"):
            yield "streams[question] does not hold the stream, as it does with preview"
    if hint := await leak(one) or await leak(two):
        yield f"the text is right, but {hint}"
    with suppress(Exception):  # it may have been read by a recording, which says so
        if await anext(aiter(streams[one]), None) is not None:
            yield "the stream in streams is not the one that was read"
    unended = ChatOpenAI(**script(tokens=UNENDED, ttft=0, pace=0))
    if (got := await first_sentence(unended, three)) != "".join(UNENDED):
        yield case(f"an answer in the pieces {UNENDED}", "".join(UNENDED), got)
    if not hasattr(streams.get(three), "__aiter__"):
        yield "streams[question] does not hold a stream that was read to its end"
    changed = ChatOpenAI(**script(tokens=AGAIN, ttft=0, pace=0))
    if (got := await first_sentence(changed, three)) != "A word.":
        yield case(f"the same question, answered by {AGAIN}", "A word.", got)

    kept = []

    async def tear(question: str, end: type[BaseException]) -> list[object]:
        """Let the second text end the loop; return what is returned, and no error.

        An error that is kept would keep the stream, too.
        """

        class Torn:
            @property
            def text(self) -> str:
                raise end

        async def torn(chunks: "AsyncIterator[AIMessage]") -> AsyncIterator[object]:
            async for chunk in chunks:
                kept.append(question in streams)
                yield Torn() if chunk.text == " sentence" else chunk

        with suppress(Exception, asyncio.CancelledError):
            return [await first_sentence(model | RunnableGenerator(torn), question)]
        return []

    ends = {"exception": AttributeError, "cancellation": asyncio.CancelledError}
    returned = await asyncio.gather(*map(tear, others, ends.values()))
    for end, texts in zip(ends, returned, strict=True):
        for text in texts:
            yield f"the {end} in the loop is lost, and {shown(text)} is returned"
    if not all(kept):
        yield "streams[question] holds the stream too late: set it before you read"
    for end, question in zip(ends, others, strict=True):
        if hint := await leak(question):
            yield f"this works, but after the {end} in the loop, {hint}"


async def leak(question: str) -> str:
    """Say what the server noted instead of a reader who left; "" if one did."""
    import asyncio  # not at the top: `import helpers` stays quick

    from helpers.models import requests

    # In a thread: a stream is closed by the loop, which must not wait for the record.
    record = await asyncio.to_thread(requests)
    asked = [each for each in record if each.prompt == question]
    if not asked:
        return "the model was not asked the question"
    if all(each.left_after is not None for each in asked):
        return ""
    return f"the server sent all {len(SAID)} chunks"
