"""The load: open many streams at once, read them, and say when each text arrived.

`python -m benchmarks.load` takes a `Job` on standard input and prints a `Result`, both
JSON. It is a process of its own, and keeps no more than bytes and times while it reads;
what they mean is worked out afterwards, so that the reader is not what is measured.
"""

import gc
import hashlib
import json
import re
import selectors
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import cast
from urllib.parse import urlsplit

from helpers.scripted.limits import allow_many_connections

END = b"0\r\n\r\n"
"""What ends a body in chunks (RFC 9112, section 7.1)."""


@dataclass(frozen=True)
class Job:
    """What to ask for, and what has to come back on every stream."""

    url: str
    body: str
    """JSON to POST; without one, the request is a GET."""
    streams: int
    chunks: int
    text: str
    """What a chunk looks like in the body: a pattern, with the text as its group."""
    sha256: str
    """Of the whole text."""
    patience: float
    """Seconds until a stream that has not ended is given up."""


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


@dataclass(slots=True)
class Stream:
    """One connection: what is still to be sent, and what was read when."""

    connection: socket.socket
    unsent: bytes
    started: float = 0.0
    reads: list[tuple[float, bytes]] = field(default_factory=list)
    tail: bytes = b""

    def take(self, data: bytes) -> bool:
        """Keep what was read, with the time; return whether more is to come."""
        self.reads.append((time.perf_counter(), data))
        self.tail = (self.tail + data[-len(END) :])[-len(END) :]
        return bool(data) and self.tail != END

    def arrivals(self, text: re.Pattern[bytes]) -> tuple[list[float], bytes]:
        """Return when each text arrived, and all texts joined."""
        data = b"".join(data for _, data in self.reads)
        times, texts = [], []
        read, end = -1, 0
        for match in text.finditer(data):
            while end < match.end():
                read += 1
                end += len(self.reads[read][1])
            times.append(self.reads[read][0])
            texts.append(match[1])
        return times, b"".join(texts)


def read_all(job: Job) -> list[Stream]:
    """Open all streams at once, and read until each has ended."""
    address = urlsplit(job.url)
    method = "POST" if job.body else "GET"
    target = address._replace(scheme="", netloc="").geturl()
    request = (
        f"{method} {target} HTTP/1.1\r\nhost: {address.netloc}\r\n"
        "content-type: application/json\r\n"
        f"content-length: {len(job.body.encode())}\r\n\r\n{job.body}"
    ).encode()
    streams = [Stream(socket.socket(), request) for _ in range(job.streams)]
    buffer = memoryview(bytearray(256 * 1024))
    deadline = time.perf_counter() + job.patience
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            stream.connection.setblocking(False)
            stream.started = time.perf_counter()
            stream.connection.connect_ex((address.hostname, address.port))
            selector.register(stream.connection, selectors.EVENT_WRITE, stream)
            _send(selector, stream)
        while selector.get_map() and time.perf_counter() < deadline:
            for key, _ in selector.select(1.0):
                stream = cast("Stream", key.data)
                if stream.unsent:
                    _send(selector, stream)
                elif not _read(stream, buffer):
                    selector.unregister(stream.connection)
                    stream.connection.close()
    return streams


def _send(selector: selectors.BaseSelector, stream: Stream) -> None:
    """Send what the connection takes; once it has all, wait for the answer."""
    try:
        stream.unsent = stream.unsent[stream.connection.send(stream.unsent) :]
    except ConnectionError:
        stream.unsent = b""  # refused: reading finds nothing
    except OSError:
        return  # not connected yet: the selector says when
    if not stream.unsent:
        selector.modify(stream.connection, selectors.EVENT_READ, stream)


def _read(stream: Stream, buffer: memoryview) -> bool:
    """Read what is there; return whether more is to come."""
    try:
        size = stream.connection.recv_into(buffer)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return stream.take(bytes(buffer[:size]))


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile; zeros if there are no values."""
    if not values:
        return 0.0, 0.0
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]


def measure(job: Job) -> Result:
    """Read all streams and work out the figures."""
    gc.disable()
    allow_many_connections()
    begun, used = time.perf_counter(), time.process_time()
    streams = read_all(job)
    taken = time.perf_counter() - begun
    cpu = (time.process_time() - used) / taken
    pattern = re.compile(job.text.encode())
    complete, chunks = 0, 0
    ttfts, gaps, ends = list[float](), list[float](), list[float]()
    for stream in streams:
        times, text = stream.arrivals(pattern)
        right = hashlib.sha256(text).hexdigest() == job.sha256
        complete += right and len(times) == job.chunks
        chunks += len(times)
        gaps += [after - before for before, after in pairwise(times)]
        if times:
            ttfts.append(times[0] - stream.started)
            ends += times[0], times[-1]
    span = max(ends, default=0) - min(ends, default=0)
    return Result(
        complete=complete,
        chunks=chunks,
        total=taken,
        held=len(gaps) / span if span else 0.0,
        ttft=percentiles(ttfts),
        gap=percentiles(gaps),
        cpu=cpu,
    )


def main() -> None:
    """Do the job on standard input."""
    result = measure(Job(**json.load(sys.stdin)))
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
