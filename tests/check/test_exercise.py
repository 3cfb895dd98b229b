"""What makes a check: one line, whatever the answer is and does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from helpers.check.exercise import exercise


@exercise("7.1")
def check(answer: object) -> Iterator[str]:
    if callable(answer):
        answer()
    if answer != "right":
        yield "the hint"


@exercise("7.2")
async def acheck(answer: object) -> AsyncIterator[str]:
    await asyncio.sleep(0)
    if callable(answer):
        answer()
    if answer != "right":
        yield "the hint"


def empty() -> None: ...


async def coroutine() -> None:
    """Not written yet."""


def raising(error: BaseException) -> Callable[[], None]:
    def answer() -> None:
        raise error

    return answer


class Hostile(dict[str, None]):
    def values(self) -> object:  # type: ignore[override]
        raise RuntimeError

    __iter__ = __len__ = __eq__ = values  # type: ignore[assignment]


CASES = [
    (None, "not tried yet"),
    (empty, "not tried yet"),
    (coroutine, "not tried yet"),
    ({"a": None, "b": None}, "not tried yet"),
    ({"a": None, "b": 1}, "not yet: the hint"),
    ({}, "not yet: the hint"),
    (Hostile(a=None), "not tried yet"),
    ("right", "correct"),
    ("wrong", "not yet: the hint"),
    (raising(KeyError("a")), "not yet: it raises KeyError: 'a'"),
    (raising(ValueError("two\nlines")), "not yet: it raises ValueError: two lines"),
    (raising(StopIteration()), "not yet: it raises StopIteration"),
    (raising(SystemExit()), "not yet: it raises SystemExit"),
    (raising(GeneratorExit()), "not yet: it raises GeneratorExit"),
]


@pytest.mark.parametrize(("answer", "line"), CASES)
async def test_a_check_prints_one_line(
    answer: object, line: str, said: Callable[[], str]
) -> None:
    check(answer)
    assert said() == (line if line != "correct" else "correct (7.1)")
    await acheck(answer)
    assert said() == (line if line != "correct" else "correct (7.2)")


async def test_an_interrupt_is_the_readers_own() -> None:
    with pytest.raises(KeyboardInterrupt):
        check(raising(KeyboardInterrupt()))
    with pytest.raises(asyncio.CancelledError):
        await acheck(raising(asyncio.CancelledError()))
