"""Say what the arrival times of a stream mean: the wait, the gaps, the total.

A `Timeline` holds when each piece of one stream came. `record()` fills one from any
stream; `table()` prints it, `figure()` draws it.
"""

from collections.abc import Callable
from itertools import pairwise
from time import perf_counter
from typing import Literal, NamedTuple

State = Literal["unread", "reading", "complete", "closed", "failed"]


class Arrival(NamedTuple):
    """One piece of a stream: when it came, in seconds from the start, and its text."""

    at: float
    text: str


class Timeline:
    """When the pieces of one stream came, and the numbers that follow from that.

    Times are seconds from `begin()`. A number that does not exist is None: the TTFT
    of a stream without text, the total of a stream that has not ended.

    `state` is "unread", then "reading", then how the stream ended: "complete" (it
    came to its end), "closed" (its reader left first) or "failed" (it raised).
    """

    def __init__(
        self, label: str, *, clock: Callable[[], float] = perf_counter
    ) -> None:
        self.label = label
        self.arrivals: list[Arrival] = []
        self.state: State = "unread"
        self.started: float | None = None  # by the clock: lines up several timelines
        self.total: float | None = None
        self._clock = clock

    def __repr__(self) -> str:
        return f"<timeline {self.label}: {len(self.arrivals)} chunks, {self.state}>"

    def begin(self) -> None:
        """Start the clock; RuntimeError if it was started, or stopped, before."""
        if self.state != "unread":
            raise RuntimeError(
                f"{self.label!r} can be read once, and is {self.state}: "
                "make a new stream and record that."
            )
        self.state = "reading"
        self.started = self._clock()

    def note(self, text: str) -> None:
        """Note that a piece came now; "" if it carries no text."""
        if self.started is None:
            raise RuntimeError(f"{self.label!r} has no start: call begin() first")
        self.arrivals.append(Arrival(self._clock() - self.started, text))

    def end(self, state: State) -> None:
        """Stop the clock; only the first end counts."""
        if self.state in ("unread", "reading"):
            self.state = state
            if self.started is not None:
                self.total = self._clock() - self.started

    @property
    def text(self) -> str:
        """All the text that came, joined."""
        return "".join(arrival.text for arrival in self.arrivals)

    @property
    def first_chunk(self) -> float | None:
        """When the first chunk came. Most models send one without text first."""
        return self.arrivals[0].at if self.arrivals else None

    @property
    def ttft(self) -> float | None:
        """Time to first token: when the first non-empty text came."""
        return next((arrival.at for arrival in self.arrivals if arrival.text), None)

    @property
    def gaps(self) -> list[float]:
        """The time from each non-empty text to the next: inter-chunk latency."""
        times = [arrival.at for arrival in self.arrivals if arrival.text]
        return [later - earlier for earlier, later in pairwise(times)]

    def tpot(self, tokens: int) -> float:
        """Return the time per output token: (last text - TTFT) / (tokens - 1).

        Chunks are not tokens: take the number from the answer's usage, and off it what
        a model has reasoned, since that was made before the first text. Other tools
        differ; vLLM's `bench serve` counts to the end of the stream, not of the text.
        Raises ValueError for fewer than two tokens, or without text.
        """
        if tokens < 2 or self.ttft is None:
            raise ValueError("TPOT is the pace after the first token: it needs two.")
        return sum(self.gaps) / (tokens - 1)


def text_of(item: object) -> str:
    """Return the text that a piece of a stream carries, "" if it carries none.

    Knows str, bytes (what is not UTF-8 becomes U+FFFD), a dict with a "text", and
    whatever has a `.text` that is a str: LangChain's messages and chunks.
    """
    if isinstance(item, bytes):
        return item.decode(errors="replace")
    if isinstance(item, dict):
        item = item.get("text")
    elif not isinstance(item, str):
        item = getattr(item, "text", None)
    return str(item) if isinstance(item, str) else ""


def seconds(time: float | None) -> str:
    """Write a time as notebooks do, "0.412 s", and None as "none".

    Stored outputs hold times in this form only: nbval_sanitize.cfg masks it.
    """
    return "none" if time is None else f"{time:.3f} s"


def table(*timelines: Timeline) -> str:
    """Return a text table of the timelines, one a row."""
    head = ("", "chunks", "first chunk", "TTFT", "largest gap", "total", "")
    rows = [
        (
            " ".join(line.label.split()),
            str(len(line.arrivals)),
            seconds(line.first_chunk),
            seconds(line.ttft),
            seconds(max(line.gaps, default=None)),
            seconds(line.total),
            line.state,
        )
        for line in timelines
    ]
    # Fixed widths for times: a stored table must not shift when 9 s become 10 s.
    label = max(len(row[0]) for row in rows) if rows else 0
    return "\n".join(
        f"{row[0]:{label}}  {row[1]:>6}  {row[2]:>11}  {row[3]:>10}  {row[4]:>11}"
        f"  {row[5]:>10}  {row[6]}".rstrip()
        for row in (head, *rows)
    )
