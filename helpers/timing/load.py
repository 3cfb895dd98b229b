"""Load: readers who come at the same moment, and when each text reached them.

`python -m helpers.timing.load` takes a `Job` on standard input and prints a `Result`,
both JSON. It is a process of its own, and keeps no more than bytes and times while it
reads: what they mean is worked out afterwards, so that the reader is not what is
measured. The benchmarks measure with it, too.
"""

import asyncio
import gc
import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from helpers.scripted.limits import allow_many_connections

_ROOT = Path(__file__).resolve().parents[2]
END = b"0\r\n\r\n"
"""What ends a body in chunks (RFC 9112, section 7.1)."""


@dataclass(frozen=True)
class Job:
    """What to ask for, and what has to come back to each reader."""

    url: str
    streams: int
    """How many readers."""
    text: str
    """What a chunk looks like in the body: a pattern, with the text as its group."""
    chunks: int
    sha256: str
    """Of the whole text."""
    body: str = ""
    """JSON to POST; without one, the request is a GET."""
    patience: float = 60
    """Seconds until a stream that has not ended is given up."""
    over: float = 0
    """Seconds over which the readers come, one after another; 0: all at once."""
    service: bool = False
    """Whether it is the chat service, where a reader asks first and then reads."""


@dataclass(frozen=True)
class Result:
    """Figures over all streams; times in seconds."""

    complete: int
    """Streams whose text came whole, in the right number of chunks."""
    chunks: int
    total: float
    """From the first request to the last byte."""
    held: float
    """Chunks a second, from the first text of all to the last."""
    ttft: tuple[float, float]
    """Median and 99th percentile of the time from connecting to the first text."""
    gap: tuple[float, float]
    """The same of the time between two chunks of one stream."""
    cpu: float
    """This process's share of one core while it read."""
    worst: list[tuple[float, float]]
    """Of each whole stream: its TTFT, and its largest gap."""


class Reader(asyncio.Protocol):
    """One connection: it asks, and keeps what it reads, and when."""

    def __init__(self, request: bytes) -> None:
        self.request, self.started = request, time.perf_counter()
        self.reads: list[tuple[float, bytes]] = []
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self.transport = transport
        transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Keep it, with the time."""
        self.reads.append((time.perf_counter(), data))
        last = data if len(data) >= len(END) else self.body(last=len(END))
        if last.endswith(END):
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Say that this stream is over."""
        if not self.ended.done():  # its reader may have lost patience
            self.ended.set_result(None)

    def body(self, last: int = 0) -> bytes:
        """Return all that was read, or what the last reads brought."""
        return b"".join(data for _, data in self.reads[-last:])

    def arrivals(self, text: re.Pattern[bytes]) -> tuple[list[float], bytes]:
        """Return when each text arrived, and all texts joined."""
        times, texts, read, end = [], [], -1, 0
        for match in text.finditer(self.body()):
            while end < match.end():
                read += 1
                end += len(self.reads[read][1])
            times.append(self.reads[read][0])
            texts.append(match[1])
        return times, b"".join(texts)


class Asking(Reader):
    """A reader of the chat service: it posts a question, then reads the stream.

    Both go over one connection, and the time to the first text counts from its start.
    """

    reply: bytes | None = b""

    def data_received(self, data: bytes) -> None:
        """Read the reply to the question first: a cookie, and the stream's id."""
        if self.reply is None:
            return super().data_received(data)
        self.reply += data
        if self.reply.endswith(b"}"):
            cookie, stream = (
                re.search(pattern, self.reply, re.IGNORECASE)
                for pattern in (rb"set-cookie: ([^;]+)", rb'"id": ?"([^"]+)"')
            )
            if not (cookie and stream):  # a refusal
                return self.transport.close()
            self.reply = None
            self.transport.write(  # type: ignore[attr-defined]
                b"GET /streams/%b HTTP/1.1\r\nhost: localhost\r\ncookie: %b\r\n\r\n"
                % (stream[1], cookie[1])
            )
        return None


async def read_all(job: Job) -> list[Reader]:
    """Have all readers come, and read until each stream has ended."""
    place = urlsplit(job.url)
    method = "POST" if job.body else "GET"
    request = (
        f"{method} {place._replace(scheme='', netloc='').geturl()} HTTP/1.1\r\n"
        f"host: {place.netloc}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(job.body.encode())}\r\n\r\n{job.body}"
    ).encode()
    readers: list[Reader] = []

    async def read(number: int) -> None:
        if job.over:
            await asyncio.sleep(job.over * number / job.streams)
        reader = (Asking if job.service else Reader)(request)
        readers.append(reader)
        loop = asyncio.get_running_loop()
        host, port = place.hostname or "", place.port or 80
        await loop.create_connection(lambda: reader, host, port)
        await reader.ended

    tasks = [asyncio.create_task(read(number)) for number in range(job.streams)]
    _, late = await asyncio.wait(tasks, timeout=job.patience)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)  # a refusal has no reads
    return readers


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile; zeros if there are no values."""
    if not values:
        return 0.0, 0.0
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]


def measure(job: Job) -> Result:
    """Read all streams in this process, and work out the figures."""
    loop = _fastest()
    begun, used = time.perf_counter(), time.process_time()
    readers = loop.run_until_complete(read_all(job))
    taken = time.perf_counter() - begun
    cpu = (time.process_time() - used) / taken
    loop.close()
    pattern, chunks = re.compile(job.text.encode()), 0
    ttfts, gaps, ends = list[float](), list[float](), list[float]()
    worst: list[tuple[float, float]] = []
    for reader in readers:
        times, text = reader.arrivals(pattern)
        between = [after - before for before, after in pairwise(times)]
        chunks += len(times)
        gaps += between
        if times:
            ttfts.append(times[0] - reader.started)
            ends += times[0], times[-1]
        right = hashlib.sha256(text).hexdigest() == job.sha256
        if right and len(times) == job.chunks:
            worst.append((ttfts[-1], max(between, default=0.0)))
    span = max(ends, default=0) - min(ends, default=0)
    return Result(
        complete=len(worst),
        chunks=chunks,
        total=taken,
        held=len(gaps) / span if span else 0.0,
        ttft=percentiles(ttfts),
        gap=percentiles(gaps),
        cpu=cpu,
        worst=worst,
    )


def load(job: Job) -> Result:
    """Have a process of its own do the job."""
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        input=json.dumps(asdict(job)),
        stdout=subprocess.PIPE,
        cwd=_ROOT,  # in this copy of the course, not in what lies beside a notebook
        text=True,
        check=True,
    )
    return Result(**json.loads(done.stdout))


def _fastest() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def main() -> None:
    """Do the job on standard input."""
    gc.disable()
    allow_many_connections()
    print(json.dumps(asdict(measure(Job(**json.load(sys.stdin))))))


if __name__ == "__main__":
    main()
