"""Read a stream with limits, and know afterwards how it ended.

`first` is the limit up to the first text, or the first call or result of a tool;
`between` is that up to each chunk after it, both in seconds. `first` counts from the
beginning; of `between`, only the time in which the loop waits counts, not what it does
with a chunk. The loop raises no Exception of its model, chain or graph: it ends, and
`end`, `text`, `reason` and `error` say the rest. An answer of the Responses API counts
as cut: it has no `finish_reason`. In a server, read an answer inside of what
`stopping.py` or `pings.py` stop: Starlette cancels repeatedly.
This file works alone, with langchain-core: take it along.
"""

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Generic, Literal, Self, TypeVar
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import ChatGeneration, LLMResult

T = TypeVar("T")
End = Literal["complete", "limited", "cut", "stalled", "stopped"]
Reason = str | None
TURN = 0.01  # seconds
COMPLETE = frozenset({"stop", "tool_calls", "function_call"})
LIMITED = frozenset({"length", "content_filter"})
"""By a number of tokens, or by a filter: the reasons of OpenAI's Chat Completions."""


class Incomplete(EOFError):
    """An answer is not whole."""


class Reasons(BaseCallbackHandler):
    """Hear how each model ends, for a chain whose last steps drop it (a parser does).

    Give it to the chain as a callback, and to the answer. A model with the tag
    `nostream`, which speaks to the program, is passed over.
    """

    run_inline = True  # else, async code runs it in a thread, for each chunk

    def __init__(self) -> None:
        self.found: dict[object, Reason] = {}

    def on_chat_model_start(
        self, *_: object, run_id: UUID, tags: list[str] | None = None, **__: object
    ) -> None:
        """Note that a model has begun."""
        if "nostream" not in (tags or ()):
            self.found[run_id] = None

    def on_llm_error(self, *_: object, run_id: UUID, **__: object) -> None:
        """Forget it: another may take its place; if none does, the stream raises."""
        self.found.pop(run_id, None)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: object) -> None:
        """Note its reason; where a server sends it twice, the sum has "stopstop"."""
        generation = response.generations[0][0]
        if run_id in self.found and isinstance(generation, ChatGeneration):
            reason = generation.message.response_metadata.get("finish_reason") or ""
            half = reason[: len(reason) // 2]
            self.found[run_id] = half if half * 2 == reason else reason


class _Answer(Generic[T]):
    """What both kinds know of an answer."""

    def __init__(
        self, first: float | None, between: float | None, reasons: Reasons | None
    ) -> None:
        self.first, self.between = first, between
        self.end: End | None = None  # while it goes on
        self.error: Exception | None = None
        self._reasons = {} if reasons is None else reasons.found
        self._told = reasons is not None
        self._texts: list[str] = []
        self._begun = False

    @property
    def text(self) -> str:
        """What has come of the answer's text, also of one that is not whole."""
        return "".join(self._texts)

    @property
    def reason(self) -> Reason:
        """The finish reason: of several models, of the one that began last."""
        return [*self._reasons.values(), None][-2] if self._reasons else None

    def whole(self) -> str:
        """Return the text of a complete answer; raise Incomplete for any other."""
        if self.end == "complete":
            return self.text
        why = self.error or self.reason or "no finish_reason"
        raise Incomplete(
            f"the answer is {self.end or 'not read'}: {why}"
        ) from self.error

    def _note(self, item: object) -> None:
        """Keep what an item says: a text, a message, or what a graph has around it."""
        if isinstance(item, str):
            self._texts.append(item)
            self._begun = self._begun or bool(item)
            return
        message: Any = item
        if type(message) is dict and message.get("type") == "messages":
            message = message.get("data")  # of a graph, with version="v2"
        while type(message) is tuple and message:
            # (message, about), or with a path, a mode or both before it
            message = message[-1 if isinstance(message[0], str | tuple) else 0]
        kind = getattr(message, "type", None)
        if kind not in ("AIMessageChunk", "ai"):
            self._begun = self._begun or kind not in ("human", "system")
            return
        content = message.content
        text = content if type(content) is str else str(message.text)
        self._texts.append(text)
        if not self._begun:
            calls = getattr(message, "tool_call_chunks", message.tool_calls)
            self._begun = bool(text or calls)
        if self._told:
            return
        about, name = message.response_metadata, message.id
        if about and (reason := about.get("finish_reason")):
            self._reasons[name] = reason
        elif (about or kind != "ai") and name not in self._reasons:
            # (A whole message without metadata may be of no model.)
            self._reasons[name] = None

    def _over(self) -> None:
        """Judge an end without an error: an answer is as good as its worst model."""
        reasons = set(self._reasons.values())
        if not reasons or not reasons <= COMPLETE | LIMITED:
            self.end = "cut"
        else:
            self.end = "limited" if reasons & LIMITED else "complete"

    def _failed(self, error: Exception) -> None:
        """Judge an error: a limit of the client's own is a stall, too."""
        self.error = error
        late = isinstance(error, TimeoutError) or "Timeout" in type(error).__name__
        self.end = "stalled" if late else "cut"


class AsyncAnswer(_Answer[T]):
    """An `astream`, with limits and an end.

        async with AsyncAnswer(model.astream("Hi"), first=60, between=20) as answer:
            async for chunk in answer:
                print(chunk.text)
        print(answer.end)

    At the end of the block, the stream is closed. A cancellation is raised in the loop
    as ever, also one that Python 3.11's `wait_for` has lost.
    """

    def __init__(
        self,
        source: AsyncIterable[T],
        *,
        first: float | None = None,
        between: float | None = None,
        reasons: Reasons | None = None,
    ) -> None:
        super().__init__(first, between, reasons)
        self._items = self._read(source)

    def __aiter__(self) -> AsyncGenerator[T]:
        return self._items

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the stream, and with it what it has opened."""
        await self._items.aclose()
        self.end = self.end or "stopped"

    async def _read(self, source: AsyncIterable[T]) -> AsyncGenerator[T]:
        items = aiter(source)
        following, now = items.__anext__, asyncio.get_running_loop().time
        watch, between, before = _Watch(self.first), False, 0
        task: asyncio.Task[Any] | None = None
        watch.since = now()
        try:
            while True:
                task = asyncio.current_task()
                assert task is not None
                before = task.cancelling()
                if between:
                    watch.since = now()
                watch.task = task
                try:
                    item = await following()
                finally:
                    watch.task = None
                if task.cancelling() > before:  # it came in the same moment
                    if not watch.only_one(task, before):
                        raise asyncio.CancelledError
                    watch.begin(self.between if between else self.first)
                self._note(item)
                if self._begun and not between:
                    between = True
                    watch.begin(self.between)
                yield item
        except StopAsyncIteration:
            self._over()
        except asyncio.CancelledError:
            if task is None or not watch.only_one(task, before):
                raise
            self.end = "stalled"
        except Exception as error:  # noqa: BLE001  (each client has its own)
            self._failed(error)
        finally:
            self.end = self.end or "stopped"
            watch.begin(None)
            if isinstance(items, AsyncGenerator):
                try:
                    await items.aclose()
                except Exception as error:  # noqa: BLE001  of its `finally`
                    self.error = self.error or error


class _Watch:
    """One timer for a whole stream, which cancels the task that waits too long."""

    def __init__(self, seconds: float | None) -> None:
        self.loop = asyncio.get_running_loop()
        self.timer: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[Any] | None = None
        self.since, self.noted = 0.0, -1.0
        self.late = False
        self.begin(seconds)

    def begin(self, seconds: float | None) -> None:
        """Begin anew, with another limit."""
        if self.timer:
            self.timer.cancel()
        self.seconds, self.timer, self.late = seconds, None, False
        if seconds is not None:
            self.timer = self.loop.call_later(seconds, self.look)

    def look(self) -> None:
        """Cancel what has waited too long; else, look again when it will have."""
        assert self.seconds is not None
        left = self.seconds
        if self.task:
            left = self.since + self.seconds - self.loop.time()
            if left <= 0 and self.noted == self.since:
                self.late = True
                self.task.cancel()
                return
            if left <= 0:  # if the loop was blocked, what has come is still to be read
                left, self.noted = TURN, self.since
        self.timer = self.loop.call_later(left, self.look)

    def only_one(self, task: asyncio.Task[Any], before: int) -> bool:
        """Take the cancellation back; tell whether nobody else has cancelled."""
        return self.late and task.uncancel() <= before


class Answer(_Answer[T]):
    """A `stream`, with limits and an end; used as AsyncAnswer is, with plain `with`.

    With limits, a thread reads the stream, ahead of the loop. Nothing can interrupt it
    while it waits: it closes the stream with the next chunk, or when the model's own
    `timeout=` ends the wait. So give it one. The `stream` of a graph, or of a chain
    with a parser, is read to its end when it is closed: to stop their model, read
    `astream`, and write a graph's nodes as `async def`.
    """

    def __init__(
        self,
        source: Iterable[T],
        *,
        first: float | None = None,
        between: float | None = None,
        reasons: Reasons | None = None,
    ) -> None:
        super().__init__(first, between, reasons)
        self._items = self._read(source)

    def __iter__(self) -> Generator[T]:
        return self._items

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the stream, and with it what it has opened."""
        self._items.close()
        self.end = self.end or "stopped"

    def _read(self, source: Iterable[T]) -> Generator[T]:
        limited = (self.first, self.between) != (None, None)
        items = self._from_a_thread(source) if limited else _closed(source)
        try:
            for item in items:
                self._note(item)
                yield item
            self._over()
        except _Stalled:
            self.end = "stalled"
        except Exception as error:  # noqa: BLE001  (each client has its own)
            self._failed(error)
        finally:
            self.end = self.end or "stopped"
            try:
                items.close()
            except Exception as error:  # noqa: BLE001  of its `finally`
                self.error = self.error or error

    def _from_a_thread(self, source: Iterable[T]) -> Generator[T]:
        arrived: SimpleQueue[T | _Last] = SimpleQueue()
        left = False

        def read() -> None:
            last = _Last()
            try:
                for item in (items := _closed(source)):
                    arrived.put(item)
                    if left:
                        items.close()
                        break
            except BaseException as error:  # noqa: BLE001  raised in the loop
                last.error = error
            arrived.put(last)

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(read,), daemon=True).start()
        started, take, between = monotonic(), arrived.get, self.between
        try:
            while True:
                limit = between
                if not self._begun and (limit := self.first) is not None:
                    limit = max(0, started + limit - monotonic())
                try:
                    item = take(True, limit)
                except Empty:
                    raise _Stalled from None
                if isinstance(item, _Last):
                    if item.error:
                        raise item.error
                    return
                yield item
        finally:
            left = True


class _Stalled(BaseException):
    """The limit of an answer, not of its client."""


class _Last:
    """What comes after the last item: what the source raised, if it did."""

    error: BaseException | None = None


def _closed(source: Iterable[T]) -> Generator[T]:
    """Yield what is in it, and close it."""
    try:
        yield from source  # a generator is closed with this one
    finally:
        if hasattr(source, "close"):
            source.close()
