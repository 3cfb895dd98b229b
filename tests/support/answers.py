"""Answers to an exercise as readers write them, each with the line of its check."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from tests.support.hostile import Hostile

A = TypeVar("A")


class Answers:
    """The right and the wrong answers to one exercise.

    answers = Answers("7.1")

    @answers.wrong("without async")
    async def awaits(model, question, kept): ...

    @pytest.mark.parametrize(("answer", "line"), answers.cases)
    def test_cached_stream(answer, line, said): ...
    """

    def __init__(self, number: str) -> None:
        self.number = number
        self.cases = [
            pytest.param(None, "not tried yet", id="not tried yet"),
            pytest.param(Hostile(), "not yet", id="hostile"),
        ]

    def right(self, answer: A, name: str = "") -> A:
        return self.wrong(f"correct ({self.number})", name)(answer)

    def wrong(self, line: str, name: str = "") -> Callable[[A], A]:
        """Expect this in the line; a name is for an answer that has none."""

        def add(answer: A) -> A:
            about = name or getattr(answer, "__name__", line)  # a set has no one repr
            self.cases.append(pytest.param(answer, line, id=about))
            return answer

        return add
