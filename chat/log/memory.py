"""The log in the memory of one process: for one worker, and gone when it ends."""

import asyncio
from array import array
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from sys import getsizeof
from time import monotonic

from ..settings import Settings
from ..sse import frame
from . import STOPPED, Data, Found, Log, Turn
from .texts import Texts

MB = 1_000_000
BESIDE = 1600
"""Bytes that a stream takes beside its question and its events."""


@dataclass(eq=False, slots=True)
class _Stream:
    reader: str
    question: str
    closed: Callable[[], None]
    opened: float = field(default_factory=monotonic)
    # The frames are made for who reads them: to keep them takes five times the memory.
    texts: Texts = field(default_factory=Texts)
    lengths: "array[int]" = field(default_factory=lambda: array("I"))  # by each event
    others: dict[int, tuple[str, Data]] = field(default_factory=dict)  # than texts
    end: Data | None = None
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def add(self, name: str, data: Data) -> None:
        if name == "token":
            self.texts.add(str(data["text"]))
        if name != "token" or len(data) > 1:
            self.others[len(self.lengths) + 1] = (name, data)
        self.lengths.append(len(self.texts))
        self.wake()

    def some(self, after: int) -> tuple[bytes, int]:
        """Return frames after that number, and the number of the last of them."""
        # So many at once, as who does not read keeps what they were given.
        last = min(after + 100, len(self.lengths))
        return b"".join(map(self.frame, range(after + 1, last + 1))), last

    def frame(self, number: int) -> bytes:
        if other := self.others.get(number):
            return frame(number, *other)
        begin = self.lengths[number - 2] if number > 1 else 0
        text = self.texts.part(begin, self.lengths[number - 1])
        return frame(number, "token", {"text": text})

    def wake(self) -> None:
        for each in self.waiting:
            if not each.done():
                each.set_result(None)
        self.waiting.clear()

    def size(self) -> int:
        """Return how many bytes it takes."""
        holds = (self.question, self.texts, self.lengths, self.others)
        return BESIDE + sum(map(getsizeof, holds))


class MemoryLog(Log):
    """See Log."""

    name = "memory"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._streams: dict[str, _Stream] = {}
        self._of: dict[str, list[str]] = {}  # the ids of a reader's turns
        self._ended: dict[str, int] = {}  # of those that have: their size; oldest first
        self._size = 0  # of those
        self._closing = False

    async def start(self) -> None:
        """See Log."""

    async def close(self) -> None:
        """See Log."""
        self._closing = True
        for stream in self._streams.values():
            stream.wake()

    async def works(self) -> bool:
        """See Log."""
        return not self._closing

    async def open(
        self,
        turn: Turn,
        reader: str,
        closed: Callable[[], None],
        *,
        replaces: str = "",
    ) -> bool:
        """See Log."""
        self._sweep()
        mine = self._of.get(reader, [])
        under_way = [each for each in mine if self._streams[each].end is None]
        if len(under_way) >= self._settings.streams_per_reader:
            return False
        if replaces in mine:
            self._drop(replaces)
        mine = self._of.setdefault(reader, [])
        if len(mine) >= self._settings.turns:
            self._drop(mine[0])
        self._of.setdefault(reader, []).append(turn.id)
        self._streams[turn.id] = _Stream(reader, turn.question, closed)
        return True

    def write(self, stream: str, name: str, data: Data) -> bool:
        """See Log."""
        found = self._streams.get(stream)
        if found is None or found.end is not None:
            return False
        found.add(name, data)
        return True

    def end(self, stream: str, name: str, data: Data) -> bool:
        """See Log."""
        found = self._streams.get(stream)
        if found is None or found.end is not None:
            return False
        found.end = {"event": name, **data}
        found.add(name, data)
        self._ended[stream] = found.size()
        self._size += self._ended[stream]
        return True

    async def stop(self, stream: str) -> None:
        """See Log."""
        found = self._streams.get(stream)
        if found and self.end(stream, "done", STOPPED):
            found.closed()

    async def find(self, stream: str, reader: str) -> Found | None:
        """See Log."""
        self._sweep()
        found = self._streams.get(stream)
        if found is None or found.reader != reader:
            return None
        return Found(len(found.lengths), found.end is not None)

    async def read(self, stream: str, after: int) -> AsyncGenerator[bytes]:
        """See Log."""
        found = self._streams.get(stream)
        while found:  # else it was dropped meanwhile
            frames, after = found.some(after)
            if frames:
                yield frames
            elif found.end or self._closing:
                return
            else:
                found.waiting.append(asyncio.get_running_loop().create_future())
                await found.waiting[-1]

    async def turns(self, reader: str) -> list[Turn]:
        """See Log."""
        self._sweep()
        found = ((each, self._streams[each]) for each in self._of.get(reader, []))
        return [
            Turn(each, stream.question, str(stream.texts), stream.end)
            for each, stream in found
        ]

    async def forget(self, reader: str) -> None:
        """See Log."""
        for each in list(self._of.get(reader, [])):
            await self.stop(each)
            self._drop(each)

    def _sweep(self) -> None:
        """Drop what is too old, or too much; never what is being written."""
        limit = monotonic() - self._settings.keep
        while self._ended:
            oldest = next(iter(self._ended))
            too_much = self._size > self._settings.memory * MB and len(self._ended) > 1
            if not too_much and self._streams[oldest].opened > limit:
                return
            self._drop(oldest)

    def _drop(self, stream: str) -> None:
        found = self._streams[stream]
        if self.end(stream, "done", STOPPED):  # its readers are told
            found.closed()
        del self._streams[stream]
        self._size -= self._ended.pop(stream)
        mine = self._of[found.reader]
        mine.remove(stream)
        if not mine:
            del self._of[found.reader]
