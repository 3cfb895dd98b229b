"""Workers of the chat service that are killed while others read what they write.

A reader comes back with the last id that it has, as a browser does. What it got is
compared with what the model was told to say, and with what the log has kept.
"""

import asyncio
import json
import random
import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.support.chat_worker import Worker
from tools.notebook import ROOT

from .chat_server import Serving
from .outcome import Outcome

EVENT = re.compile(rb"id: (\d+)\nevent: (\w+)\ndata: (.*)\n\n")
WORDS = [f" word{number:03}" for number in range(80)]
SCRIPT: dict[str, object] = {"tokens": WORDS, "ttft": 0.1, "pace": 20}
LATEST = 3.0
"""Seconds after the last question at which a worker is killed at the latest."""
LONGEST = 90.0
"""Seconds that a reader may take in all."""
MOST_SILENCE = 10.0
"""Target: seconds from the kill to the `error` of an answer that died with it."""


@dataclass
class Told:
    """What a reader was told: texts in a row, and the end."""

    texts: list[str]
    end: str = ""
    ended: float = 0.0
    """When, by the clock of `time.monotonic`."""
    wrong: str = ""

    def take(self, number: int, name: str, data: dict[str, str]) -> None:
        """Take an event: the next number, and the text that is due."""
        if name == "token":
            due = len(self.texts)
            if number != due + 1 or data["text"] != WORDS[due]:
                self.wrong = f"event {number} is {data['text']}, after {due} texts"
            self.texts.append(data["text"])
        elif name in ("done", "error"):
            self.end, self.ended = name, time.monotonic()


async def exchange(
    url: str, request: str, *headers: str, body: str = ""
) -> AsyncGenerator[bytes]:
    """Send a request; yield the headers of the response, then pieces of its body."""
    place = urlsplit(url)
    source, sink = await asyncio.open_connection(place.hostname, place.port)
    try:
        lines = [f"{request} HTTP/1.1", f"host: {place.netloc}", *headers]
        lines += ["connection: close", f"content-length: {len(body)}", "", body]
        sink.write("\r\n".join(lines).encode())
        yield await source.readuntil(b"\r\n\r\n")
        while part := await source.read(65_536):
            yield part
    finally:
        sink.transport.abort()


class Reader:
    """One who asks a worker, reads at another, and comes back to the one that lives."""

    def __init__(self, begins: Worker, reads: Worker, lives: Worker) -> None:
        self.begins, self.reads, self.lives = begins.url, reads.url, lives.url
        self.survives = begins is lives

    async def ask(self) -> None:
        """Ask; RuntimeError if that is refused."""
        asked = exchange(self.begins, "POST /streams", body='{"message": "Count."}')
        reply = b"".join([part async for part in asked])
        cookie, stream = (
            re.search(pattern, reply)
            for pattern in (rb"set-cookie: ([^;]+)", rb'"id": ?"([^"]+)"')
        )
        if not (cookie and stream):
            raise RuntimeError(f"refused: {reply[:200]!r}")
        self.who = f"cookie: {cookie[1].decode()}"
        self.path = f"/streams/{stream[1].decode()}"

    async def read(self) -> Told:
        """Read to the end, however often that breaks off; TimeoutError if it hangs."""
        told, url = Told([]), self.reads
        async with asyncio.timeout(LONGEST):
            while not told.end:
                with suppress(OSError, asyncio.IncompleteReadError):
                    await self._follow(told, url)
                url = self.lives
        asked = exchange(self.lives, "GET /conversation", self.who)
        kept = b"".join([part async for part in asked])
        if json.dumps("".join(told.texts)).encode() not in kept:
            told.wrong = told.wrong or "the log has kept another text"
        return told

    async def _follow(self, told: Told, url: str) -> None:
        last, rest = f"last-event-id: {len(told.texts)}", b""
        async with aclosing(exchange(url, f"GET {self.path}", self.who, last)) as parts:
            async for part in parts:
                rest, end = rest + part, 0
                for found in EVENT.finditer(rest):
                    number, name, data = found.groups()
                    told.take(int(number), name.decode(), json.loads(data))
                    end = found.end()
                rest = rest[end:]


async def one_kill(
    doomed: Worker, lives: Worker, readers: int, after: float, ends: Counter[str]
) -> str:
    """Kill a worker so many seconds after all have asked; say what is wrong."""
    ways = [
        (doomed, lives),  # the writer of its answer dies
        (lives, doomed),  # its connection dies
        (doomed, doomed),  # both do
    ]
    crowd = [Reader(*ways[number % 3], lives) for number in range(readers)]
    await asyncio.gather(*(reader.ask() for reader in crowd))
    reading = [asyncio.create_task(reader.read()) for reader in crowd]
    await asyncio.sleep(after)
    doomed.process.kill()
    killed = time.monotonic()
    found = await asyncio.gather(*reading, return_exceptions=True)
    for reader, told in zip(crowd, found, strict=True):
        if isinstance(told, BaseException):
            return f"a reader got {told!r}"
        if told.wrong:
            return told.wrong
        ends[told.end] += 1
        if (told.texts == WORDS) != (told.end == "done"):
            return f"{told.end} after {len(told.texts)} texts"
        if told.end == "error" and reader.survives:
            return "an error in an answer whose worker lives"
        if told.ended - killed > MOST_SILENCE and not reader.survives:
            return f"an end {told.ended - killed:.0f} s after the kill"
    return ""


def kill(model: str, redis: str, *, kills: int, readers: int) -> Outcome:
    """Kill so many workers, each with so many readers; return what held."""
    outcome = Outcome(f"a worker killed, {readers} readers")
    given = Serving("chat", model, SCRIPT, frames=True).environment()
    limits = dict.fromkeys(("CHAT_STREAMS", "CHAT_READINGS"), str(2 * readers + 10))
    settings = {"REDIS_URL": redis, **given, **limits}
    ends = Counter[str]()
    chance = random.Random(20)  # noqa: S311  the moments of the kills
    with started(model, settings) as lives:
        for _ in range(kills):
            with started(model, settings) as doomed:
                after = chance.uniform(0, LATEST)
                wrong = asyncio.run(one_kill(doomed, lives, readers, after, ends))
                outcome.note(wrong)
    outcome.figures.append(", ".join(f"{ends[end]} {end}" for end in sorted(ends)))
    return outcome


@contextmanager
def started(model: str, settings: dict[str, str]) -> Iterator[Worker]:
    """Start a worker, and kill it at the end of the block if it is still there."""
    worker = Worker(model, folder=ROOT, **settings)
    try:
        worker.wait()
        yield worker
    finally:
        worker.end()
