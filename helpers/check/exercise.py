"""What makes a check of a function that yields hints: one line, never an exception."""

import dis
import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from types import FunctionType
from typing import Concatenate, ParamSpec, TypeVar, cast, overload

from helpers.plain_error import in_one_line

P = ParamSpec("P")
T = TypeVar("T")
Hints = Callable[Concatenate[object, P], Iterator[str]]
AsyncHints = Callable[Concatenate[object, P], AsyncGenerator[str, None]]
ANYTHING = (Exception, SystemExit, GeneratorExit)
"""What an answer may raise; a KeyboardInterrupt or a cancelled task is the reader's."""


PLAIN = "write it with def, without async"
"""The hint for an answer that `is_async` and should not be."""


class Hint(Exception):
    """A hint from where none can be yielded: a helper, a server, another task."""


class exercise:  # noqa: N801  a decorator
    """Turn a function that yields hints into the check of an exercise.

        @exercise("7.1")
        def cached_stream(answer):
            if not callable(answer):
                yield "write a function, with def"
            ...

    The check prints one line: "not tried yet" for an answer that is `untouched`; the
    first hint that is yielded, after "not yet: "; what the answer raised; or, if no
    hint comes, "correct (7.1)", which is what `progress` looks for.
    So a hint stands where its condition is tried, and later lines can rely on it.
    """

    def __init__(self, number: str) -> None:
        """Name the exercise as its heading does: `### Exercise 7.1: …`."""
        self.number = number

    @overload
    def __call__(self, hints: Hints[P]) -> Callable[Concatenate[object, P], None]: ...
    @overload
    def __call__(
        self, hints: AsyncHints[P]
    ) -> Callable[Concatenate[object, P], Awaitable[None]]: ...
    def __call__(self, hints: Hints[P] | AsyncHints[P]) -> object:
        """Return the check; it is asynchronous if the hints are."""
        if inspect.isasyncgenfunction(hints):
            return self._acheck(hints)
        return self._check(cast("Hints[P]", hints))

    def _check(self, hints: Hints[P]) -> Callable[Concatenate[object, P], None]:
        @functools.wraps(hints)
        def check(answer: object, /, *args: P.args, **options: P.kwargs) -> None:
            try:
                if untouched(answer):
                    return print("not tried yet")
                return self._say(next(iter(hints(answer, *args, **options)), None))
            except ANYTHING as error:
                return self._say(raised(error))

        return check

    def _acheck(
        self, hints: AsyncHints[P]
    ) -> Callable[Concatenate[object, P], Awaitable[None]]:
        @functools.wraps(hints)
        async def check(answer: object, /, *args: P.args, **options: P.kwargs) -> None:
            try:
                if untouched(answer):
                    return print("not tried yet")
                async with aclosing(hints(answer, *args, **options)) as found:
                    return self._say(await anext(found, None))
            except ANYTHING as error:
                return self._say(raised(error))

        return check

    def _say(self, hint: str | None) -> None:
        print(f"correct ({self.number})" if hint is None else f"not yet: {hint}")


def untouched(answer: object) -> bool:
    """Tell whether it is as the notebook gives it: None, or nothing but None in it.

    A function that does nothing (`...`, `pass`, `return None`), a class without
    a base whose functions all do, a dictionary whose values are all None.
    """
    if isinstance(answer, dict):
        return bool(answer) and all(value is None for value in answer.values())
    if isinstance(answer, type):
        own = [each for each in vars(answer).values() if isinstance(each, FunctionType)]
        return answer.__base__ is object and bool(own) and all(map(untouched, own))
    if not isinstance(answer, FunctionType):
        return answer is None
    body = [step for step in dis.get_instructions(answer) if step.opname not in _FRAME]
    return all(
        step.opname == "RETURN_VALUE"
        or (step.opname in ("LOAD_CONST", "RETURN_CONST") and step.argval is None)
        for step in body
    )


def is_async(answer: object) -> bool:
    """Tell whether a call of it would give something to await, or to `async for`."""
    kinds = inspect.iscoroutinefunction, inspect.isasyncgenfunction
    call = getattr(type(answer), "__call__", None)  # noqa: B004  of an object
    return any(kind(each) for kind in kinds for each in (answer, call))


# What is around a body: in CPython 3.11 to 3.14, and more of it in a coroutine.
_FRAME = {"RESUME", "NOP", "CACHE", "RETURN_GENERATOR", "POP_TOP"} | {
    *("CALL_INTRINSIC_1", "RERAISE", "COPY_FREE_VARS"),
}


def raised(error: BaseException) -> str:
    """Say what an answer raised, in one line; of a Hint, what it says."""
    return str(error) if isinstance(error, Hint) else f"it raises {in_one_line(error)}"


def wrong(function: Callable[[T], object], given: T, expected: object) -> str:
    """Say what a function does with what it is given; "" if that is as expected."""
    try:
        got = function(given)
    except ANYTHING as error:
        return raised(error)
    return "" if got == expected else f"{shown(expected)} expected, got {shown(got)}"


def case(given: object, expected: object, got: object) -> str:
    """Say where an answer fails, in one line: what went in, and what came out."""
    return f"for {shown(given)}: {shown(expected)} expected, got {shown(got)}"


def shown(value: object) -> str:
    """Write any value in one line, shortened."""
    text = " ".join(repr(value).split("\n"))
    return text if len(text) <= 80 else text[:79] + "…"
