"""The checks of notebook 08."""

from collections.abc import AsyncIterator, Callable, Iterator
from operator import itemgetter

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import (
    Runnable,
    RunnableGenerator,
    RunnableLambda,
    RunnablePassthrough,
)

from helpers import check
from helpers.probing.notebook_08.subjects import QUESTION, Echo, says


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        ({"model": None, "echo": None}, "not tried yet"),
        ({"model": True, "echo": False}, "correct"),
        ({"echo": False, "model": True}, "correct"),
        (
            {"model": True, "echo": True},
            "not yet: look at 'echo' again: its order is ()O",
        ),
        ({"model": False, "echo": False}, "look at 'model' again: its order is (TOTO)"),
        ({"model": True, "echo": None}, "give each example a True or a False"),
        ({"model": "True", "echo": "False"}, "without quotes"),
        ({"model": True}, "give each example"),
        ({}, "give each example"),
        (True, "give each example"),
    ],
)
def test_in_pieces(answer: object, line: str, said: Callable[[], str]) -> None:
    steps = {"model": says("One", " two"), "echo": Echo()}
    check.in_pieces(answer, steps=steps, pieces=QUESTION)
    assert line in said()


Chain = Runnable[dict[str, str], str]
PROMPT = ChatPromptTemplate.from_template("Explain {topic}")


def tidy(texts: Iterator[str]) -> Iterator[str]:
    for text in texts:
        yield text.replace("\n", " ")


async def tidy_async(texts: AsyncIterator[str]) -> AsyncIterator[str]:
    async for text in texts:
        yield text.replace("\n", " ")


async def untidy_async(texts: AsyncIterator[str]) -> AsyncIterator[str]:
    async for text in texts:
        yield text


def hasty(texts: Iterator[str]) -> Iterator[str]:
    """Give the first piece at once, and the others in one."""
    clean = tidy(texts)
    yield next(text for text in clean if text)
    yield "".join(clean)


async def hasty_async(texts: AsyncIterator[str]) -> AsyncIterator[str]:
    said = ""
    async for text in tidy_async(texts):
        if said:
            said += text
        elif text:
            yield text
            said = " "
    yield said[1:]


class Tidy(StrOutputParser):
    """The other way to mend it: a parser, which works in sync and in async code."""

    def parse(self, text: str) -> str:
        return text.replace("\n", " ")


def mended(end: object = None) -> Callable[[BaseChatModel], Chain]:
    def build(model: BaseChatModel) -> Chain:
        last = RunnableGenerator(tidy, tidy_async) if end is None else end
        answer = PROMPT | model | StrOutputParser() | last
        return RunnablePassthrough.assign(answer=answer).pick("answer")

    return build


def without_the_prompt(model: BaseChatModel) -> Chain:
    answer = itemgetter("topic") | model | StrOutputParser() | Tidy()
    return RunnablePassthrough.assign(answer=answer).pick("answer")


async def awaited(model: BaseChatModel) -> Chain:
    return mended()(model)


async def yielded(model: BaseChatModel) -> AsyncIterator[Chain]:
    yield mended()(model)


def lumpy(model: BaseChatModel) -> Chain:
    answer = PROMPT | model | StrOutputParser() | RunnableGenerator(tidy, tidy_async)
    return RunnablePassthrough.assign(answer=answer) | itemgetter("answer")


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (mended(), "correct"),
        (mended(Tidy()), "correct"),
        ("mended", "write def mended(model)"),
        (awaited, "not async def"),
        (yielded, "not async def"),
        (lambda: None, "it raises TypeError"),
        (lambda model: None, "it raises TypeError"),
        (mended(itemgetter("answer")), "it raises TypeError"),
        (mended(StrOutputParser()), "its text is 'One\\npiece"),
        (lumpy, "it gives whole"),
        (
            mended(RunnableLambda(lambda text: text.replace("\n", " "))),
            "it gives whole",
        ),
        (mended(RunnableLambda(tidy, tidy_async)), "it gives late"),
        (without_the_prompt, "it asks 'Token streaming', not 'Explain"),
        (mended(tidy), "it needs an async twin"),
        (mended(RunnableGenerator(tidy_async)), "it needs a sync twin"),
        (
            mended(RunnableGenerator(tidy, untidy_async)),
            "its text is 'One\\npiece\\nafter another'",
        ),
        (
            mended(RunnableGenerator(hasty, hasty_async)),
            "a step still collects: the order is (TOTTT)O and (TOTTT)O",
        ),
        (
            mended(RunnableGenerator(tidy, hasty_async)),
            "a step still collects: the order is (TOTTT)O",
        ),
    ],
)
async def test_mended_chain(answer: object, line: str, said: Callable[[], str]) -> None:
    await check.mended_chain(answer)
    assert line in said()
