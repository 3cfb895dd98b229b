"""The checks of notebooks 03 and 04, and the chains that notebook 04 hands on."""

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import chain as joined

import pytest
from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableGenerator, RunnableLambda
from langchain_openai import ChatOpenAI

from helpers import chains, check
from helpers.models import requests, script
from tests.support.recorded import recorded

QUESTION = {"topic": "Token streaming"}


def reason(message: BaseMessage) -> object:
    return message.response_metadata.get("finish_reason")


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (lambda whole: reason(whole) in {"stop", "tool_calls"}, "correct"),
        (True, "write one with def"),
        (lambda whole: not reason(whole), "ended with stop is complete"),
        (lambda _: True, "length means cut off"),
        (lambda whole: reason(whole) not in {"length", None}, "content_filter means"),
        (lambda whole: reason(whole) == "stop", "tool_calls means that the model was"),
        (
            lambda whole: (
                whole.response_metadata["finish_reason"] in {"stop", "tool_calls"}
            ),
            "read it with .get()",
        ),
    ],
)
def test_complete_answer(answer: object, line: str, said: Callable[[], str]) -> None:
    check.complete_answer(answer)
    assert line in said()


RIGHT = {
    ("stream", "no flag"): True,
    ("stream", "streaming=False"): False,
    ("invoke", "no flag"): False,
    ("invoke", "streaming=True"): True,
}


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (dict.fromkeys(RIGHT), "not tried yet"),
        (RIGHT, "correct"),
        ({}, "not tried yet"),
        (
            RIGHT | {("invoke", "no flag"): True},
            "ask the server again: invoke, no flag",
        ),
        (RIGHT | {("stream", "no flag"): "True"}, "without quotes"),
        (RIGHT | {("stream", "no flag"): None}, "replace each None"),
    ],
)
def test_streaming_flag(answer: object, line: str, said: Callable[[], str]) -> None:
    check.streaming_flag(answer)
    assert line in said()


def tidy(texts: Iterator[str]) -> Iterator[str]:
    for text in texts:
        yield text.replace("\n", " ")


async def asynchronous(texts: AsyncIterator[str]) -> AsyncIterator[str]:
    async for text in texts:
        yield text


def lump(texts: Iterator[str]) -> Iterator[str]:
    yield "".join(texts).replace("\n", " ")


def loud(texts: Iterator[str]) -> Iterator[str]:
    for text in texts:
        yield text.upper()


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (tidy, "correct"),
        (RunnableGenerator(tidy), "correct"),
        ("tidy", "write a function"),
        (RunnableLambda(tidy), "collects its input first"),
        (asynchronous, "without async"),
        (lump, "yield a text for each text"),
        (loud, "the text is another one"),
        (lambda text: text.replace("\n", " "), "yield"),
    ],
)
def test_streaming_step(answer: object, line: str, said: Callable[[], str]) -> None:
    check.streaming_step(answer)
    assert line in said()


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        ([True, False], "correct"),
        ([False, False], "look at 'model' again"),
        ([True, True], "look at 'lump' again"),
        ([True], "a list of 2"),
        ("True, False", "a list of 2"),
        (["True", "False"], "a list of 2"),
    ],
)
def test_which_stream(answer: object, line: str, said: Callable[[], str]) -> None:
    model = ChatOpenAI(**script(tokens=["a", "b"] * 12)) | StrOutputParser()
    both = {"model": model, "lump": model | RunnableLambda(str.upper)}
    check.which_stream(answer, chains=both, question="Hi")
    assert line in said()


def test_explain_streams_text() -> None:
    chain = chains.explain(ChatOpenAI(**script(tokens=["Hel", "lo"])))
    assert [text for text in chain.stream(QUESTION) if text] == ["Hel", "lo"]
    assert requests()[-1].prompt.endswith("briefly:\nToken streaming")


def test_two_models_stream_both_and_the_second_is_heard() -> None:
    first, second = (
        ChatOpenAI(**script(tokens=list(text))) for text in ("long", "short")
    )
    chain = chains.explain_and_shorten(first, second)
    assert "".join(joined(*chain.stream(QUESTION))) == "short"
    *_, explained = recorded("Explain the following topic briefly:\nToken streaming")
    *_, shortened = recorded("Shorten this: long")
    assert (explained.stream, shortened.stream) == (True, True)
