"""Probing what is odd: steps, items and errors that once fooled the probe."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any, NoReturn

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel

from helpers.probing import aprobe, probe

QUESTION = "Hel", "lo"
MODEL = FakeListChatModel(responses=["abcd"])  # a chunk for each letter
SLOW = FakeListChatModel(responses=["abcdefgh"], sleep=0.01)
YES = FakeListChatModel(responses=["y"])  # one chunk
TEXT, SLOW_TEXT = MODEL | StrOutputParser(), SLOW | StrOutputParser()
WHOLE = RunnableLambda(str.upper)


def with_a_title(question: str) -> Iterator[str]:
    yield from TEXT.stream(question)
    yield from (TEXT | WHOLE).stream("a title")


def two_short(question: str) -> Iterator[Any]:
    yield from YES.stream(question)
    yield from YES.stream(question)


def pairs(question: str) -> Iterator[tuple[str, None]]:
    for text in TEXT.stream(question):
        yield text, None


def documents(question: str) -> Iterator[Document]:
    for text in TEXT.stream(question):
        yield Document(text)


def in_a_thread(run: Callable[[Callable[[], None]], None], question: str) -> Any:
    texts = queue.SimpleQueue[str | None]()

    def work() -> None:
        for chunk in MODEL.stream(question):
            texts.put(chunk.text)
        texts.put(None)

    thread = threading.Thread(target=run, args=(work,))
    thread.start()
    yield from iter(texts.get, None)
    thread.join()


def unseen(question: str) -> Iterator[str]:
    yield from in_a_thread(lambda work: work(), question)


def unseen_whole(question: str) -> Iterator[str]:
    yield from list(unseen(question))


def seen(question: str) -> Iterator[str]:
    yield from in_a_thread(copy_context().run, question)


def seen_whole(question: str) -> Iterator[str]:
    yield from list(seen(question))


@pytest.mark.parametrize(
    ("step", "gives"),
    [
        (with_a_title, "pieces"),
        (two_short, "can't tell"),  # one chunk of each: no time between two
        (pairs, "pieces"),
        (documents, "pieces"),
        (unseen, "can't tell"),
        (unseen_whole, "can't tell"),
        (seen, "pieces"),
        (seen_whole, "late"),
    ],
)
def test_a_generator_gives(step: Callable[[str], Any], gives: str) -> None:
    found = probe(RunnableLambda(step), *QUESTION)
    assert (found.gives, found.output.error) == (gives, ""), found.output


@pytest.mark.parametrize(
    ("step", "gives"),
    [
        # The whole of the quick one comes while the slow one writes.
        (RunnableParallel(a=TEXT | WHOLE, b=SLOW_TEXT | WHOLE), "can't tell"),
        (RunnableParallel(a=TEXT | WHOLE, b=SLOW_TEXT), "pieces"),
        (RunnableParallel(a=TEXT, b=SLOW_TEXT | WHOLE), "pieces"),
    ],
)
async def test_models_at_the_same_time(step: Runnable[str, object], gives: str) -> None:
    for found in (probe(step, *QUESTION), await aprobe(step, *QUESTION)):
        assert found.gives == gives, found.output


class NoTruth:
    """Refuses to be compared, and to have a text."""

    def __eq__(self, _: object) -> bool:
        raise ValueError("no truth")

    __ne__ = __eq__
    __hash__ = None  # type: ignore[assignment]

    @property
    def text(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(
    ("item", "gives"),
    [(np.zeros(2), "whole"), (NoTruth(), "whole"), (set(), "nothing")],
)
def test_any_object_can_be_an_item(item: object, gives: str) -> None:
    found = probe(RunnableLambda(lambda _: item), *QUESTION)
    assert (found.gives, found.output.error) == (gives, "")


class Mute(Exception):
    def __str__(self) -> str:
        raise KeyError


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ExceptionGroup("two", [ValueError("why"), OSError()]), "ValueError: why"),
        (
            ExceptionGroup("g", [ExceptionGroup("h", [OSError("deep")])]),
            "OSError: deep",
        ),
        (ValueError("\n\nwhy\nmore"), "ValueError: why"),
        (Mute(), "Mute"),
    ],
)
def test_the_cause_is_told(error: Exception, told: str) -> None:
    def fail(_: str) -> NoReturn:
        raise error

    assert probe(RunnableLambda(fail), *QUESTION).output.error == told
