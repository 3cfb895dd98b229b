"""The exercises of notebook 04: chains."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

from .exercise import PLAIN, case, exercise, is_async

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

TEXTS = [  # after the first, each for a step that changes more, or less, than it should
    ["one\n", "\ntwo", " ", "\nthree", " four\n"],
    ["one\n\ntwo"],
    ["one  two"],
    ["one\ttwo"],
    ["Bücher\n", "\nfür DICH"],
    ["one", "\n", "two"],
]
LONG = ["\n", *([" word"] * 7 + ["."]) * 4, "\n"]  # with no line break in its middle


@exercise("4.1")
def streaming_step(answer: object) -> Iterator[str]:
    """Exercise 4.1: a step that turns line breaks into spaces, piece by piece."""
    from langchain_core.runnables import (
        RunnableLambda,
        RunnablePassthrough,
        RunnableSequence,
    )

    if is_async(answer):
        yield f"{PLAIN}: the chain is read with .stream"
    given = cast("Runnable[str, str]", answer)
    step = RunnableSequence[str, str](RunnablePassthrough(), given)
    if any(isinstance(each, RunnableLambda) for each in step.steps):
        yield "a RunnableLambda, or a function without yield, gets all the text first"
    for texts in TEXTS:
        text, _ = passed_through(step, texts)
        if text != (whole := "".join(texts).replace("\n", " ")):
            yield case(texts, whole, text)
    _, silence = passed_through(step, LONG)
    if silence > len(LONG) * 0.4:  # it may hold back a piece, or a sentence
        yield "the text is right, but much of it comes at once: yield each as it comes"


def passed_through(step: "Runnable[str, str]", texts: list[str]) -> tuple[object, int]:
    """Return what comes out, and how many texts went in while nothing came out."""
    taken, since, longest = 0, 0, 0

    def source() -> Iterator[str]:
        nonlocal taken
        for taken, text in enumerate(texts, 1):  # noqa: B007
            yield text

    items = []
    for item in step.transform(source()):
        items.append(item)
        if item:
            since, longest = taken, max(longest, taken - since)
    whole = all(isinstance(item, str) for item in items)
    return "".join(items) if whole else items, longest


@exercise("4.2")
def which_stream(
    answer: object, *, chains: Mapping[str, "Runnable[object, str]"], question: object
) -> Iterator[str]:
    """Exercise 4.2: which chains give their first text before the last is made."""
    said = answer if isinstance(answer, list | tuple) else []
    if len(said) != len(chains) or not all(isinstance(each, bool) for each in said):
        yield f"write a list of {len(chains)} of True and False, without quotes"
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda chain: streams(chain, question), chains.values())
    for name, each, does in zip(chains, said, found, strict=True):
        if each is not does:
            yield f"look at {name!r} again: when does its first text come?"


def streams(chain: "Runnable[object, str]", question: object) -> bool:
    """Tell whether the first text comes before the model has ended."""
    from langchain_core.callbacks import BaseCallbackHandler

    class Ended(BaseCallbackHandler):
        yet = False

        def on_llm_end(self, *_: object, **__: object) -> None:
            self.yet = True

    ended = Ended()
    for text in chain.stream(question, {"callbacks": [ended]}):
        if text:
            return not ended.yet
    return False
