"""The exercises of notebook 05: asynchronous streams."""

from collections.abc import Awaitable, Callable
from typing import cast

from .grading import grade


async def answers_together(answer: object) -> None:
    """Exercise 5.1: several questions asked at once, the texts in their order."""
    from langchain_core.callbacks import BaseCallbackHandler
    from langchain_openai import ChatOpenAI

    from helpers.models import script
    from helpers.scripted import answers

    class UnderWay(BaseCallbackHandler):
        run_inline = True
        now = most = 0

        def on_chat_model_start(self, *_: object, **__: object) -> None:
            self.now += 1
            self.most = max(self.most, self.now)

        def on_llm_end(self, *_: object, **__: object) -> None:
            self.now -= 1

    # The longest answer first: in the order of their ends, the texts are reversed.
    questions = ["Why does token streaming matter?", "What is a token?", "Hi"]
    texts = [answers.answer(question) for question in questions]
    under_way = UnderWay()
    model = ChatOpenAI(callbacks=[under_way], **script(pace=200))
    got = await _awaited(answer, model, questions)
    grade(
        answer,
        lambda _: got == texts and under_way.most == len(texts),
        (lambda _: got == texts, "the texts are right, but one began after another"),
        (lambda a: not callable(a), "write async def answers(model, questions)"),
        (lambda _: isinstance(got, Exception), f"it raises {type(got).__name__}"),
        (lambda _: {*cast("list[str]", got)} == {*texts}, "the order is another one"),
        otherwise="return a list of texts, one for each question",
    )


async def closed_stream(answer: object) -> None:
    """Exercise 5.2: a function that returns one sentence, and closes its stream."""
    import asyncio  # not at the top: `import helpers` stays quick

    from langchain_openai import ChatOpenAI

    from helpers.models import requests, script

    said = ["One", " sentence", ".", *[" More"] * 100, "."]
    model = ChatOpenAI(**script(tokens=said))
    got = await _awaited(answer, model, "Hi")
    # In a thread: a stream is closed by the loop, which must not wait for the record.
    last = (await asyncio.to_thread(requests))[-1:]
    grade(
        answer,
        lambda _: got == "One sentence." and last[0].left_after is not None,
        (
            lambda _: got == "One sentence.",
            f"the text is right, but the server sent all {len(said)} chunks",
        ),
        (lambda a: not callable(a), "write async def mended(model, question)"),
        (lambda _: isinstance(got, Exception), f"it raises {type(got).__name__}"),
        otherwise="return the first sentence, as preview does",
    )


async def _awaited(answer: object, *arguments: object) -> object:
    """Return what an asynchronous function returns, or the exception it raises."""
    if answer is None:
        return None
    try:
        call = cast("Callable[..., Awaitable[object]]", answer)
        return await call(*arguments)
    except Exception as error:  # noqa: BLE001  (there is no telling what it does)
        return error
