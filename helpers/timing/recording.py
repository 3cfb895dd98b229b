"""Record any stream while it is read, and change nothing about it.

A recording stands between a stream and the loop that reads it: same items, same
order, same exceptions; a loop that is left early closes the stream, as it would have.
"""

from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from time import perf_counter
from typing import Generic, NoReturn, Self, TypeVar, overload

from .timeline import State, Timeline, text_of

T = TypeVar("T")


class _Recorder(Timeline, Generic[T]):
    """What both kinds of recording share: the timeline, the items, the stream."""

    def __init__(
        self,
        stream: object,
        label: str,
        text: Callable[[T], str],
        clock: Callable[[], float],
    ) -> None:
        super().__init__(label, clock=clock)
        self.items: list[T] = []
        self._stream = stream
        self._text = text

    def _keep(self, item: T) -> T:
        self.note(self._text(item))
        self.items.append(item)
        return item


class Recording(_Recorder[T]):
    """A recorded stream: iterate over it once, in place of the stream itself.

    `close()`, the end of a `with` block and a loop left early all close the stream;
    an iterator that is kept (`pieces = iter(recording)`) holds it open.
    """

    _stream: Iterable[T]

    def __iter__(self) -> Iterator[T]:
        self.begin()
        state: State = "closed"  # unless the stream says otherwise
        try:
            for item in self._stream:
                yield self._keep(item)
            state = "complete"
        except Exception:
            state = "failed"
            raise
        finally:
            self.end(state)
            if state != "complete":  # an error may be our reader's, or `text`'s
                self.close()

    def close(self) -> None:
        """Close the stream, whether or not it has been read."""
        self.end("closed")
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class AsyncRecording(_Recorder[T]):
    """A recorded asynchronous stream: `async for` over it once.

    `await aclose()`, the end of an `async with` block and a loop left early all close
    the stream; the last, as always in asyncio, a moment later.
    """

    _stream: AsyncIterable[T]

    async def __aiter__(self) -> AsyncIterator[T]:
        self.begin()
        state: State = "closed"
        try:
            async for item in self._stream:
                yield self._keep(item)
            state = "complete"
        except Exception:
            state = "failed"
            raise
        finally:
            self.end(state)
            if state != "complete":
                await self.aclose()

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self.label!r} is asynchronous: read it with `async for`.")

    async def aclose(self) -> None:
        """Close the stream, whether or not it has been read."""
        self.end("closed")
        stream = self._stream
        close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
        if close is not None and isinstance(closing := close(), Awaitable):
            await closing

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()


@overload
def record(
    stream: AsyncIterable[T],
    label: str = ...,
    *,
    text: Callable[[T], str] = ...,
    clock: Callable[[], float] = ...,
) -> AsyncRecording[T]: ...
@overload
def record(
    stream: Iterable[T],
    label: str = ...,
    *,
    text: Callable[[T], str] = ...,
    clock: Callable[[], float] = ...,
) -> Recording[T]: ...
def record(
    stream: Iterable[T] | AsyncIterable[T],
    label: str = "stream",
    *,
    text: Callable[[T], str] = text_of,
    clock: Callable[[], float] = perf_counter,
) -> Recording[T] | AsyncRecording[T]:
    """Wrap a stream so that reading it also records it.

        for chunk in (streamed := record(llm.stream(question), "streamed")):
            print(chunk.text, end="")
        print(seconds(streamed.ttft))

    `text` says where an item keeps its text; `clock` returns seconds. Raises TypeError
    for what is not a stream: a whole answer, or a coroutine without its `await`.
    """
    # A message is iterable too, over its fields; its text is a str, perhaps empty.
    whole = isinstance(stream, str | bytes | Mapping)
    if not whole and isinstance(stream, AsyncIterable):
        return AsyncRecording(stream, label, text, clock)
    whole = whole or isinstance(getattr(stream, "text", None), str)
    if not whole and isinstance(stream, Iterable):
        return Recording(stream, label, text, clock)
    raise TypeError(
        f"{label!r}: a {type(stream).__name__} is not a stream. Is an `await` missing, "
        "or is it a whole answer (record_call)?"
    )


def record_call(
    function: Callable[..., T], *args: object, label: str = "call", **options: object
) -> Recording[T]:
    """Call the function and record its whole answer as a stream of one item."""

    def answer() -> Iterator[T]:
        yield function(*args, **options)

    for _ in (recording := record(answer(), label)):
        pass
    return recording
