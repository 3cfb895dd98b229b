"""What makes checks of functions that yield hints: one line, and never an exception."""

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import NoReturn

import pytest

from helpers.check.exercise import (
    case,
    exercise,
    is_async,
    raised,
    shown,
    untouched,
    wrong,
)
from tests.support.hostile import Hostile


@exercise("7.1")
def doubled(answer: object, *, number: int = 2) -> Iterator[str]:
    """Exercise 7.1: twice the number."""
    if answer == number:
        yield "that is the number itself"
    if answer != 2 * number:
        yield "count again"


@exercise("7.2")
async def awaited(answer: object) -> AsyncGenerator[str, None]:
    if not callable(answer):
        yield "write async def"
    if await answer() != 4:  # type: ignore[operator]
        yield "count again"


async def four() -> int:
    return 4


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (4, "correct (7.1)"),
        (2, "not yet: that is the number itself"),
        (7, "not yet: count again"),
        (Hostile(), "not yet: it raises RuntimeError: no"),
    ],
)
def test_the_first_hint_is_printed(
    answer: object, line: str, said: Callable[[], str]
) -> None:
    doubled(answer)
    assert said() == line


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (four, "correct (7.2)"),
        (4, "not yet: write async def"),
        (lambda: 4, "not yet: it raises TypeError: "),
        (Hostile(), "not yet: it raises RuntimeError: no"),
    ],
)
async def test_hints_may_be_awaited(
    answer: object, line: str, said: Callable[[], str]
) -> None:
    await awaited(answer)
    assert said().startswith(line)


def raising(error: BaseException) -> Callable[[], None]:
    def answer() -> None:
        raise error

    return answer


@exercise("7.1")
def called(answer: object) -> Iterator[str]:
    yield str(answer())  # type: ignore[operator]


@pytest.mark.parametrize("error", [KeyError, SystemExit, GeneratorExit])
async def test_an_answer_may_raise_anything(
    error: type[BaseException], said: Callable[[], str]
) -> None:
    called(raising(error()))
    assert said() == f"not yet: it raises {error.__name__}"
    await awaited(raising(error()))
    assert said() == f"not yet: it raises {error.__name__}"


async def test_an_interrupt_is_the_readers_own() -> None:
    with pytest.raises(KeyboardInterrupt):
        called(raising(KeyboardInterrupt()))
    with pytest.raises(asyncio.CancelledError):
        await awaited(raising(asyncio.CancelledError()))


def test_a_check_takes_what_its_hints_take(said: Callable[[], str]) -> None:
    doubled(6, number=3)
    assert said() == "correct (7.1)"
    assert doubled.__doc__ == "Exercise 7.1: twice the number."


def documented(_: object) -> None:
    """Say what it will do."""


async def to_be_awaited(_: object) -> None: ...


class Stub:
    def feed(self, read: bytes) -> None:
        return None

    def flush(self) -> None:
        pass


class Begun(Stub):
    def feed(self, read: bytes) -> None:
        print(read)


class Inherits(Begun):
    """A whole answer, by what it inherits."""


class Silences(Begun):
    """Has something of its own, though no function of its own does anything."""

    def flush(self) -> None:
        pass


@pytest.mark.parametrize(
    ("answer", "as_given"),
    [
        (None, True),
        (documented, True),
        (to_be_awaited, True),
        (lambda _: None, True),
        (Stub, True),
        ({"a": None, "b": None}, True),
        (lambda _: print(), False),
        (lambda _: 0, False),
        (functools.partial(documented, 1), False),
        (Begun, False),
        (Inherits, False),
        (Silences, False),
        (Stub(), False),
        ({"a": None, "b": 1}, False),
        ({}, False),
        ([], False),
        ("", False),
        (0, False),
    ],
)
def test_untouched(answer: object, as_given: bool) -> None:
    assert untouched(answer) is as_given


def test_a_failing_case_is_one_line() -> None:
    assert case("1\n", 1, "2") == "for '1\\n': 1 expected, got '2'"
    assert shown(type("Two", (), {"__repr__": lambda _: "1\n2"})()) == "1 2"
    assert len(shown("long" * 99)) == 80


def test_a_call_is_compared_with_what_is_expected() -> None:
    assert wrong(len, "four", 4) == ""
    assert wrong(len, "four", 3) == "3 expected, got 4"
    assert wrong(int, "four", 4).startswith("it raises ValueError: invalid literal")


def test_an_exception_is_told_whatever_is_in_it() -> None:
    class Mute(Exception):
        def __str__(self) -> NoReturn:
            raise RuntimeError

    assert raised(Mute()) == "it raises Mute"
    assert raised(ValueError("two\n lines")) == "it raises ValueError: two lines"
    assert len(raised(ValueError("long" * 99))) < 230


async def in_async_code() -> None:
    """A function to await."""


async def yields_in_async_code() -> AsyncIterator[int]:
    yield 1


class InAsyncCode:
    async def __call__(self) -> None:
        """Be called, and awaited."""


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (in_async_code, True),
        (yields_in_async_code, True),
        (InAsyncCode(), True),
        (functools.partial(in_async_code), True),
        (lambda: in_async_code(), False),  # nobody can tell before it is called
        (InAsyncCode, False),
        (print, False),
        (7, False),
    ],
)
def test_what_is_async(answer: object, found: bool) -> None:
    assert is_async(answer) is found
