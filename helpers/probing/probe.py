"""Probe a Runnable: does it give its output in pieces, and take its input in pieces?

What decides is an order (see `trace`): did an item come out while the last model was
still writing, and before the last piece of the input was taken?

    probe(prompt | model, {"topic": "token "}, {"topic": "streaming"}).gives

The step runs twice, for real: models are paid, and tools act, twice.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from .trace import Trace

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable, RunnableConfig
    from langchain_core.runnables.base import RunnableLike

T = TypeVar("T")
PAUSE = 0.002
"""Seconds; a wait is counted in these, so that it is longer on a busy machine."""


@dataclass(frozen=True, repr=False)
class Probe:
    """What a Runnable does with a whole input, and with one that comes in pieces."""

    name: str
    output: Trace
    """The run of `.stream`, to its end."""
    input: Trace
    """The run of `.transform`."""

    def __repr__(self) -> str:
        return f"<probe {self.name}: gives {self.gives}, takes {self.takes}>"

    @property
    def gives(self) -> Literal["pieces", "late", "whole", "nothing", "fails"]:
        """How the output comes: "pieces", if an item does while the last model writes.

        One is enough. "late" are several items, but none of them while it writes.
        Where no model reports what it does, several items are "pieces".
        """
        if self.output.error:
            return "fails"
        if self.items < 2:
            return "whole" if self.items else "nothing"
        reported = "(" in str(self.output)
        return "late" if reported and "O" not in self.output.writing else "pieces"

    @property
    def takes(self) -> Literal["pieces", "whole", "fails"]:
        """How the input is taken: in "pieces", if an item comes before the last one."""
        if self.input.error:
            return "fails"
        before, _, _ = str(self.input).rpartition("I")
        return "pieces" if "O" in before else "whole"

    @property
    def items(self) -> int:
        """How many items of the output carry something."""
        return len(self._came)

    @property
    def first(self) -> float | None:
        """When the first item came out, in seconds."""
        return self._came[0] if self._came else None

    @property
    def last(self) -> float | None:
        """When the last item came out, in seconds."""
        return self._came[-1] if self._came else None

    @property
    def _came(self) -> list[float]:
        return [mark.at for mark in self.output.marks if mark.what == "O"]


def probe(
    runnable: "RunnableLike[T, object]",
    *pieces: T,
    name: str = "",
    config: "RunnableConfig | None" = None,
    patience: float = 0.1,
    **options: object,
) -> Probe:
    """Run `.stream` on the sum of the pieces, then `.transform` on the pieces.

    `options` go to both. What they raise is noted in the probe. If a step reads its
    input in threads, the last piece waits up to about `patience` seconds for an item.
    Raises ValueError for fewer than two pieces, TypeError for what is not a step.
    """
    step, parts = _prepared(runnable, pieces)
    output = Trace()
    try:
        for item in step.stream(_sum(parts), output.listening(config), **options):
            output.item(item)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the finding)
        output.error = type(error).__name__
    fed = Trace()
    try:
        source = _feed(parts, fed, patience)
        for item in step.transform(source, fed.listening(config), **options):
            fed.item(item)
    except Exception as error:  # noqa: BLE001
        fed.error = type(error).__name__
    return Probe(name or step.get_name(), output, fed)


async def aprobe(
    runnable: "RunnableLike[T, object]",
    *pieces: T,
    name: str = "",
    config: "RunnableConfig | None" = None,
    patience: float = 0.1,
    **options: object,
) -> Probe:
    """Do what `probe` does, with `.astream` and `.atransform`."""
    step, parts = _prepared(runnable, pieces)
    output = Trace()
    try:
        whole = _sum(parts)
        async for item in step.astream(whole, output.listening(config), **options):
            output.item(item)
    except Exception as error:  # noqa: BLE001
        output.error = type(error).__name__
    fed = Trace()
    try:
        source = _afeed(parts, fed, patience)
        stream = step.atransform(source, fed.listening(config), **options)
        async for item in stream:
            fed.item(item)
    except Exception as error:  # noqa: BLE001
        fed.error = type(error).__name__
    return Probe(name or step.get_name(), output, fed)


def report(*probes: Probe) -> str:
    """Return a text table of the probes, one a row."""
    head = ("", "gives", "takes", "items", "first", "last", "")
    rows = [
        (
            each.name,
            each.gives,
            each.takes,
            str(each.items),
            _seconds(each.first),
            _seconds(each.last),
            each.output.error or each.input.error,
        )
        for each in probes
    ]
    width = max(len(row[0]) for row in (head, *rows))
    return "\n".join(
        f"{row[0]:{width}}  {row[1]:7}  {row[2]:6}  {row[3]:>5}  {row[4]:>9}"
        f"  {row[5]:>9}  {row[6]}".rstrip()
        for row in (head, *rows)
    )


def _seconds(time: float | None) -> str:
    """Write a time in the one form that the tests of the notebooks mask."""
    return "none" if time is None else f"{time:.3f} s"


def _prepared(
    runnable: "RunnableLike[T, object]", pieces: Sequence[T]
) -> "tuple[Runnable[T, object], list[T]]":
    """Return the step that a chain would make of it, and pieces that can be added."""
    from langchain_core.runnables import AddableDict
    from langchain_core.runnables.base import coerce_to_runnable

    if len(pieces) < 2:
        raise ValueError('Give the input in pieces, two or more: "Hel", "lo".')
    parts = [AddableDict(part) if isinstance(part, dict) else part for part in pieces]
    return coerce_to_runnable(runnable), cast("list[T]", parts)


def _sum(parts: list[T]) -> T:
    """Add the pieces up as LangChain does: if they do not add, the last one counts."""
    total = parts[0]
    for part in parts[1:]:
        try:
            total = total + part  # type: ignore[operator]
        except TypeError:
            total = part
    return total


def _feed(parts: list[T], order: Trace, patience: float) -> Iterator[T]:
    """Return the pieces, each marked as it is taken.

    Our own thread asks for the last one only when it has had every item that could
    come before it. Another thread may be ahead of the items, and waits for one.
    """
    ours = threading.get_ident()

    def feed() -> Iterator[T]:
        for part in parts[:-1]:
            order.mark("I")
            yield part
        if threading.get_ident() != ours:
            any(order.given.wait(PAUSE) for _ in range(round(patience / PAUSE)))
        order.mark("I")
        yield parts[-1]

    return feed()


async def _afeed(parts: list[T], order: Trace, patience: float) -> AsyncIterator[T]:
    """Yield the pieces, each marked; before the last, let other tasks catch up."""
    for part in parts[:-1]:
        order.mark("I")
        yield part
    for _ in range(round(patience / PAUSE)):
        if not order.given.is_set():
            await asyncio.sleep(PAUSE)
    order.mark("I")
    yield parts[-1]
