"""Record when the pieces of a stream arrive, and say what those times mean.

`record()` stands between a stream and the loop that reads it. Every item passes
through unchanged; afterwards the recording knows the wait for the first text, the
gaps and the total. `table()` prints them, `helpers.figure.figure()` draws them.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from collections.abc import Iterator
from inspect import isawaitable
from itertools import pairwise
from time import perf_counter
from types import TracebackType
from typing import Generic, Literal, NamedTuple, NoReturn, Self, TypeVar, overload

T = TypeVar("T")
State = Literal["unread", "reading", "complete", "closed", "failed"]


def text_of(item: object) -> str:
    """Return the text that a streamed item carries, "" if it carries none.

    Knows str, bytes (undecodable bytes become U+FFFD), a dict with "text", and
    anything whose `.text` is a str, such as a LangChain message or chunk.
    """
    if isinstance(item, bytes):
        return item.decode(errors="replace")
    if isinstance(item, dict):
        item = item.get("text")
    elif not isinstance(item, str):
        item = getattr(item, "text", None)
    return str(item) if isinstance(item, str) else ""


class Arrival(NamedTuple):
    """One item of a stream: when it came, in seconds since the start, and its text."""

    at: float
    text: str


class Recording(Generic[T]):
    """The arrivals of one stream, and the numbers that follow from them.

    Times are in seconds. The clock starts when the first item is asked for, because
    a stream is lazy: nothing is sent before. A number that does not exist (the TTFT
    of a stream without text, the total of one that has not ended) is None.

    `state` is "unread", "reading", then how the stream ended: "complete" (to its
    end), "closed" (its reader left first) or "failed" (it raised an exception).
    """

    def __init__(
        self, label: str, text: Callable[[T], str], clock: Callable[[], float]
    ) -> None:
        self.label = label
        self.items: list[T] = []
        self.state: State = "unread"
        self.started: float | None = None  # by the clock; what figures line up
        self.total: float | None = None
        self._times: list[float] = []
        self._text = text
        self._clock = clock

    def __repr__(self) -> str:
        return f"<recording {self.label}: {len(self.items)} chunks, {self.state}>"

    @property
    def arrivals(self) -> list[Arrival]:
        """Every item in order, those without text included."""
        start = self.started or 0.0
        return [
            Arrival(time - start, self._text(item))
            for time, item in zip(self._times, self.items, strict=True)
        ]

    @property
    def text(self) -> str:
        """The text of all arrivals, joined."""
        return "".join(arrival.text for arrival in self.arrivals)

    @property
    def first_chunk(self) -> float | None:
        """When the first item came, with text or (as from most models) without."""
        return self.arrivals[0].at if self._times else None

    @property
    def ttft(self) -> float | None:
        """Time to first token: when the first non-empty text came."""
        return next((arrival.at for arrival in self.arrivals if arrival.text), None)

    @property
    def gaps(self) -> list[float]:
        """The time between each non-empty text and the next: inter-chunk latency."""
        times = [arrival.at for arrival in self.arrivals if arrival.text]
        return [later - earlier for earlier, later in pairwise(times)]

    def tpot(self, tokens: int) -> float:
        """Return the time per output token after the first: (last text - TTFT) / (n - 1).

        A chunk is not a token: take `tokens` from the answer's usage. Tools differ;
        vLLM's `bench serve`, for one, counts to the end of the stream.
        Raises ValueError if there are fewer than two tokens or no text.
        """
        if tokens < 2 or self.ttft is None:
            raise ValueError("TPOT is the pace after the first token: it needs two")
        return sum(self.gaps) / (tokens - 1)

    def _begin(self) -> None:
        if self.state != "unread":
            raise RuntimeError(
                f"{self.label!r} has been read ({self.state}), and a stream can be "
                "read once: record a new one, or look at .items"
            )
        self.state = "reading"
        self.started = self._clock()

    def _end(self, state: State) -> None:
        if self.state in ("unread", "reading"):
            self.state = state
            if self.started is not None:
                self.total = self._clock() - self.started


class RecordedStream(Recording[T]):
    """A stream that is recorded as it is read; see `record`."""

    def __init__(
        self,
        stream: Iterable[T],
        label: str,
        text: Callable[[T], str],
        clock: Callable[[], float],
    ) -> None:
        super().__init__(label, text, clock)
        self._stream = stream

    def __iter__(self) -> Iterator[T]:
        self._begin()
        state: State = "closed"  # what break, ■ and cancelling leave it at
        try:
            for item in self._stream:
                self._times.append(self._clock())
                self.items.append(item)
                yield item
            state = "complete"
        except Exception:
            state = "failed"
            raise
        finally:
            self._end(state)
            if state == "closed":
                self.close()

    def close(self) -> None:
        """Close the stream; one that is still being read counts as "closed"."""
        self._end("closed")
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
