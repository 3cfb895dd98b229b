"""What happens in one run of a Runnable, in its order: who takes, makes, gives what.

An order is the same on a busy machine as on a quiet one; a time is not. Where the input
or a model is in another thread or task than the reader, as in a graph, it waits a
little, so that the reader can take what is there. But T is when a chunk reaches
LangChain: what the network does, no order tells.
"""

import asyncio
import threading
from time import perf_counter
from typing import NamedTuple

from .carrying import carries

PAUSE = 0.002
"""Seconds; a wait is counted in these, so that it is longer on a busy machine."""
CATCH_UP = 5
"""How many of them a model that begins waits at most, for an item from before it."""
TURNS = 100
"""How many turns other tasks get at most in a wait, if nobody waits for a time."""


class Mark(NamedTuple):
    """One thing that happened, and when, in seconds since the start."""

    what: str
    """I: a piece of the input is taken. O: an item that carries something comes out.
    A model begins: (, a chunk of it has come: T, it is done: ), or it fails: !"""
    at: float


class Trace:
    """The marks of one run; `str` writes them in a row, as in "I(TOTOTO)"."""

    def __init__(self, patience: float = 0.0) -> None:
        """Let a piece wait for the reader, for up to about `patience` seconds."""
        self.marks: list[Mark] = []
        self.error = ""
        """What ended the run: the kind of an exception, and its message."""
        self._start = perf_counter()
        self._reader = threading.get_ident()
        self._patience = round(patience / PAUSE), TURNS
        self._pauses, self._turns = self._patience
        self.given = threading.Event()  # that there was an item
        self._taken = threading.Event()  # that there was one since the last T
        self._taken.set()
        self._passed = threading.Event()  # that there was one since a model began

    def __str__(self) -> str:
        return "".join(mark.what for mark in self.marks)

    @property
    def streams(self) -> bool | None:
        """Whether an item came out while a model was writing: between two T of it.

        None: nobody can tell. No model reported; or each had only one piece; or several
        wrote at the same time, and an item may be all of one that was done.
        """
        spans, at_work = list[str](), 0
        for mark in str(self):
            if mark == "(" and not at_work:
                spans.append("")
            at_work += {"(": 1, ")": -1, "!": -1}.get(mark, 0)
            if spans:
                spans[-1] += mark
        found = [*map(_streams, spans)]
        return True if True in found else None if None in found or not found else False

    def mark(self, what: str) -> None:
        """Note that something happens now."""
        self.marks.append(Mark(what, perf_counter() - self._start))

    def begin(self) -> None:
        """Note that a model begins; it waits for the reader as the last one did."""
        self._pauses, self._turns = self._patience
        if (said := str(self)).count("(") == said.count(")") + said.count("!"):
            self._taken.set()  # what an earlier one wrote is collected, or was taken
        if self.elsewhere and self._pauses:  # what was passed on is not of its making
            self._passed.clear()
            any(self._passed.wait(PAUSE) for _ in range(CATCH_UP))
        self.mark("(")

    def item(self, item: object) -> None:
        """Note an item, if it carries something."""
        if carries(item):
            self.mark("O")
            self.given.set()
            self._taken.set()
            self._passed.set()

    def piece(self) -> None:
        """Note a piece of a model, once the reader has had time to take the last."""
        begun = perf_counter()
        if self.elsewhere and not self.wait(self._taken):
            self._pauses = 0  # nobody takes pieces here
            last = self._start + self.marks[-1].at
            self._start += perf_counter() - max(begun, last)  # as if it had not waited
        self._taken.clear()
        self.mark("T")

    async def apiece(self) -> None:
        """Do so in a task."""
        while not (self.elsewhere or self._taken.is_set()) and self._turns:
            self._turns -= 1
            await asyncio.sleep(0)
        self.piece()

    @property
    def elsewhere(self) -> bool:
        """Whether this is another thread than the reader's."""
        return threading.get_ident() != self._reader

    def wait(self, event: threading.Event) -> bool:
        """Wait in another thread than the reader's; return whether it has happened."""
        return any(event.wait(PAUSE) for _ in range(self._pauses))

    async def await_(self, event: threading.Event) -> None:
        """Wait in a task, while the others go on."""
        for _ in range(self._pauses):
            if event.is_set():
                break
            await asyncio.sleep(PAUSE)

    def fail(self, error: BaseException) -> None:
        """Note what ended the run, in a line; of a group, the first of its causes."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        kind = type(error).__name__
        try:
            first, *_ = str(error).strip().splitlines() or [""]
        except Exception:  # noqa: BLE001  (an error of a reader's own may have no text)
            first = ""
        self.error = f"{kind}: {first[:100]}" if first else kind


def _streams(span: str) -> bool | None:
    """Tell whether items came between two T, and more of them than models were done."""
    done_at = max(span.rfind(")"), span.rfind("!"))
    _, _, writing = span[:done_at].partition("T")
    before_last, another, _ = writing.rpartition("T")
    if another and "O" not in before_last:
        return False
    items = done = 0
    for mark in writing:
        items += mark == "O"
        done += mark in ")!"
        if another and items > done:
            return True
    return None if items else False
