"""One streamed answer, as it came: its chunks, its marks, and its bursts."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from .body import Events
from .exchange import Ending, Exchange, Head, Read

QUICK = 0.001
"""Seconds: a wait shorter than this is none, for a server writes piece by piece."""
SHARE = 0.05
"""A wait shorter than this part of the time that a chunk takes is none either."""


@dataclass(slots=True)
class Arrived:
    """One event or comment, and the read that completed it."""

    kind: str
    text: str
    read: int
    """The number of the read."""
    at: float
    """Seconds since the request."""


@dataclass(slots=True)
class Stream:
    """What came of one request for a stream."""

    head: Head
    reads: list[Read] = field(default_factory=list)
    events: list[Arrived] = field(default_factory=list)
    raw: bytes = b""
    """The start of the body, for an answer that is no stream."""
    ending: Ending | None = None
    """How the body ended; None if the reader left."""
    overdue: float = 0.0
    """The part of the time, from 0 to 1, for which this machine ran late."""

    @property
    def took(self) -> float:
        """Seconds from the request to the last read."""
        return self.reads[-1].at if self.reads else 0.0

    @property
    def comments(self) -> Sequence[Arrived]:
        """The comments, with which servers keep a connection alive."""
        return [event for event in self.events if event.kind == "comment"]

    @property
    def done(self) -> bool:
        """Whether `[DONE]` came."""
        return any(event.text == "[DONE]" for event in self.events)

    @property
    def chunks(self) -> Sequence[dict[str, Any]]:
        """The events that hold an object."""
        return [chunk for _, chunk in self._objects()]

    @property
    def malformed(self) -> int:
        """How many events are neither an object nor `[DONE]`."""
        data = [event for event in self.events if event.kind == "data"]
        return sum(e.text != "[DONE]" and _object(e.text) is None for e in data)

    @property
    def error(self) -> str | None:
        """What the first error in the stream says."""
        for chunk in self.chunks:
            if error := chunk.get("error"):
                says = error.get("message") if isinstance(error, dict) else error
                return str(says)
        return None

    @property
    def texts(self) -> Sequence[Arrived]:
        """The events that bring text, reasoning, or a piece of a call."""
        return [event for event, chunk in self._objects() if _brings(chunk)]

    @property
    def text(self) -> str:
        """The text."""
        pieces = (delta.get("content") for delta in self.deltas)
        return "".join(piece for piece in pieces if isinstance(piece, str))

    @property
    def deltas(self) -> Iterator[dict[str, Any]]:
        """What each chunk adds to the first choice."""
        return (_delta(chunk) for chunk in self.chunks if _choice(chunk))

    @property
    def reasons(self) -> Sequence[str]:
        """Each `finish_reason` that came."""
        found = (_choice(chunk).get("finish_reason") for chunk in self.chunks)
        return [str(reason) for reason in found if reason]

    @property
    def usage(self) -> dict[str, Any] | None:
        """The last token counts that came."""
        found = [chunk["usage"] for chunk in self.chunks if chunk.get("usage")]
        return found[-1] if found and isinstance(found[-1], dict) else None

    @property
    def bursts(self) -> Sequence[int]:
        """How many events with text came in each burst.

        A burst is what the reader need not wait for: it had come already.
        """
        texts = self.texts
        if not texts:
            return []
        least = min(QUICK, SHARE * self.took / len(texts))
        burst, of = 0, []
        for read in self.reads:
            burst += read.waited > least
            of.append(burst)
        return [len([*group]) for _, group in groupby(of[text.read] for text in texts)]

    def _objects(self) -> Iterator[tuple[Arrived, dict[str, Any]]]:
        for event in self.events:
            if event.kind == "data" and (chunk := _object(event.text)) is not None:
                yield event, chunk


def read_stream(exchange: Exchange, *, texts: int | None = None) -> Stream:
    """Read a stream to its end; or only so many events with text, and do not leave."""
    stream, events, came = Stream(exchange.head), Events(), 0
    for number, read in enumerate(exchange.reads()):
        stream.reads.append(read)
        stream.raw = (stream.raw + read.data)[:10_000]
        for event in events.feed(read.data):
            stream.events.append(Arrived(*event, number, read.at))
            chunk = _object(event.text) if event.kind == "data" else None
            came += chunk is not None and _brings(chunk)
        if texts is not None and came >= texts:
            return stream
    stream.ending, stream.overdue = exchange.ending, exchange.overdue
    return stream


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _choice(chunk: dict[str, Any]) -> dict[str, Any]:
    choices = chunk.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _delta(chunk: dict[str, Any]) -> dict[str, Any]:
    delta = _choice(chunk).get("delta")
    return delta if isinstance(delta, dict) else {}


def _brings(chunk: dict[str, Any]) -> bool:
    delta = _delta(chunk)
    names = ("content", "reasoning_content", "reasoning", "tool_calls", "refusal")
    return any(delta.get(name) for name in names)
