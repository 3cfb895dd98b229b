"""The log in the memory of one process: for one worker, and gone when it ends."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from time import monotonic

from ..settings import Settings
from ..sse import frame
from . import STOPPED, Data, Found, Log, Turn


@dataclass(eq=False)
class _Stream:
    reader: str
    question: str
    closed: Callable[[], None]
    opened: float = field(default_factory=monotonic)
    frames: list[bytes] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    end: Data | None = None
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def add(self, name: str, data: Data) -> None:
        self.frames.append(frame(len(self.frames) + 1, name, data))
        self.wake()

    def wake(self) -> None:
        for each in self.waiting:
            if not each.done():
                each.set_result(None)
        self.waiting.clear()


class MemoryLog(Log):
    """See Log."""

    name = "memory"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._streams: OrderedDict[str, _Stream] = OrderedDict()  # oldest first
        self._of: dict[str, list[str]] = {}  # the ids of a reader's turns
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
        if name == "token":
            found.texts.append(str(data["text"]))
        found.add(name, data)
        return True

    def end(self, stream: str, name: str, data: Data) -> bool:
        """See Log."""
        found = self._streams.get(stream)
        if found is None or found.end is not None:
            return False
        found.end = {"event": name, **data}
        found.add(name, data)
        return True

    async def stop(self, stream: str) -> None:
        """See Log."""
        found = self._streams.get(stream)
        if found and self.end(stream, "done", STOPPED):
            found.closed()

    async def find(self, stream: str, reader: str) -> Found | None:
        """See Log."""
        found = self._streams.get(stream)
        if found is None or found.reader != reader:
            return None
        return Found(len(found.frames), found.end is not None)

    async def read(self, stream: str, after: int) -> AsyncGenerator[bytes]:
        """See Log."""
        found = self._streams[stream]
        while True:
            # So many at once, as who does not read keeps what they were given.
            frames = found.frames[after : after + 100]
            if frames:
                after += len(frames)
                yield b"".join(frames)
            elif found.end or self._closing:
                return
            else:
                found.waiting.append(asyncio.get_running_loop().create_future())
                await found.waiting[-1]

    async def turns(self, reader: str) -> list[Turn]:
        """See Log."""
        found = ((each, self._streams[each]) for each in self._of.get(reader, []))
        return [
            Turn(each, stream.question, "".join(stream.texts), stream.end)
            for each, stream in found
        ]

    async def forget(self, reader: str) -> None:
        """See Log."""
        for each in list(self._of.get(reader, [])):
            await self.stop(each)
            self._drop(each)

    def _sweep(self) -> None:
        """Drop what is too old; a stream that is being written is not."""
        limit = monotonic() - self._settings.keep
        while self._streams:
            oldest, stream = next(iter(self._streams.items()))
            if stream.opened > limit or stream.end is None:
                return
            self._drop(oldest)

    def _drop(self, stream: str) -> None:
        found = self._streams[stream]
        if self.end(stream, "done", STOPPED):  # its readers are told
            found.closed()
        del self._streams[stream]
        mine = self._of[found.reader]
        mine.remove(stream)
        if not mine:
            del self._of[found.reader]
