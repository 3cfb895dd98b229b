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
from typing import cast
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
    timed: int = 0
    """How many readers are timed, evenly spread; 0: all. To be woken for each chunk is
    what costs a generator most. What comes for the others stays in the system's
    buffers, which have to hold it, and is read when those that are timed have ended."""


@dataclass(frozen=True)
class Result:
    """Figures over all streams, and times of those that are timed, in seconds."""

    complete: int
    """Streams, of all, whose text came whole, in the right number of chunks."""
    chunks: int
    """Of all streams."""
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
    """Of each whole stream that is timed: its TTFT, and its largest gap."""


class Reader(asyncio.Protocol):
    """One connection: it asks, and keeps what it reads, and when.

    It is timed, unless it has an event `later`, at which it begins to read.
    """

    transport: asyncio.Transport

    def __init__(self, request: bytes, later: asyncio.Event | None) -> None:
        self.request, self.later = request, later
        self.started = time.perf_counter()
        self.reads: list[tuple[float, bytes]] = []
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self.request)
        self.wait()

    def wait(self) -> None:
        """Leave to the system what comes, until it is time to read."""
        if self.later and not self.later.is_set():
            # uvloop begins to read after `connection_made`, so not at once.
            asyncio.get_running_loop().call_soon(self.transport.pause_reading)

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
            self.transport.write(
                b"GET /streams/%b HTTP/1.1\r\nhost: localhost\r\ncookie: %b\r\n\r\n"
                % (stream[1], cookie[1])
            )
            self.wait()
        return None

    def wait(self) -> None:
        """Read the reply to the question at once."""
        if self.reply is None:
            super().wait()


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
    loop, later = asyncio.get_running_loop(), asyncio.Event()

    async def read(number: int) -> None:
        if job.over:
            await asyncio.sleep(job.over * number / job.streams)
        when = later if number % each else None
        reader = (Asking if job.service else Reader)(request, when)
        readers.append(reader)
        host, port = place.hostname or "", place.port or 80
        await loop.create_connection(lambda: reader, host, port)
        if when:
            await when.wait()
            reader.transport.resume_reading()
        await reader.ended

    each = max(1, job.streams // (job.timed or job.streams))
    tasks = [asyncio.create_task(read(number)) for number in range(job.streams)]
    until = loop.time() + job.patience
    await asyncio.wait(tasks[::each], timeout=job.patience)
    later.set()
    _, late = await asyncio.wait(tasks, timeout=max(0, until - loop.time()))
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
    pattern, chunks, complete = re.compile(job.text.encode()), 0, 0
    ttfts, gaps, ends = list[float](), list[float](), list[float]()
    worst: list[tuple[float, float]] = []
    for reader in readers:
        times, text = reader.arrivals(pattern)
        chunks += len(times)
        right = hashlib.sha256(text).hexdigest() == job.sha256
        whole = right and len(times) == job.chunks
        complete += whole
        if reader.later or not times:
            continue
        between = [after - before for before, after in pairwise(times)]
        gaps += between
        ttfts.append(times[0] - reader.started)
        ends += times[0], times[-1]
        if whole:
            worst.append((ttfts[-1], max(between, default=0.0)))
    span = max(ends, default=0) - min(ends, default=0)
    return Result(
        complete=complete,
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
