"""The exercises of notebook 04: chains."""

import inspect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from helpers.timing.recording import record

from .grading import grade

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable


def streaming_step(answer: object) -> None:
    """Exercise 4.1: a step that turns line breaks into spaces, piece by piece."""
    from langchain_core.runnables.base import coerce_to_runnable

    texts = ["one\n", "two", "\nthree", " four"]

    def run() -> tuple[int, str]:
        """Return how many texts were taken for the first one given, and the whole."""
        taken: list[str] = []

        def source() -> Iterator[str]:
            for text in texts:
                taken.append(text)
                yield text

        like = cast("Runnable[str, str]", answer)
        given = coerce_to_runnable(like).transform(source())
        first = next(given)
        return len(taken), first + "".join(given)

    whole = "".join(texts).replace("\n", " ")
    grade(
        answer,
        lambda _: run() == (1, whole),
        (lambda a: not callable(a) and not hasattr(a, "transform"), "write a function"),
        (
            lambda a: type(a).__name__ == "RunnableLambda",
            "a RunnableLambda collects its input first: pass the function itself",
        ),
        (inspect.isasyncgenfunction, "write it with def and for, without async"),
        (
            lambda _: run() == (len(texts), whole),
            "the text is right, but all of it at once: yield a text for each text",
        ),
        (lambda _: run()[0] < len(texts), "it streams, but the text is another one"),
        otherwise="loop over the texts and yield each, its line breaks replaced",
    )


def which_stream(
    answer: object, *, chains: Mapping[str, "Runnable[object, str]"], question: object
) -> None:
    """Exercise 4.2: which chains give their first text before the last is made."""

    def streams(name: str) -> bool:
        recording = record(chains[name].stream(question), name)
        for _ in recording:
            pass
        return (recording.ttft or 0) < 0.8 * (recording.total or 0)

    given = answer if isinstance(answer, list) else []
    fits = len(given) == len(chains) and all(isinstance(each, bool) for each in given)
    said = zip(chains, given, strict=True) if fits else ()
    wrong = next((name for name, each in said if each is not streams(name)), None)
    hint = f"write a list of {len(chains)} of True and False"
    if wrong:
        hint = f"look at {wrong!r} again: when does its first text come?"
    grade(answer, lambda _: fits and not wrong, otherwise=hint)
