"""The exercises of notebook 06d: bodies that block nobody, and that keep a half."""

import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, cast

from .grading import grade

if TYPE_CHECKING:
    from anyio import CancelScope
    from langchain_core.messages import AIMessageChunk
    from langchain_openai import ChatOpenAI

PATIENCE = 1.0
"""Seconds to wait for what comes at once, unless the answer holds it back."""


class Seen:
    """What became known of an answer while it ran."""

    def __init__(self) -> None:
        self.asked: list[str] = []  # by the answer, of the model
        self.turns = 0  # of a task beside it
        self.blocked: list[str] = []  # the methods during which there were none
        self.heard = threading.Event()  # the first text of the stream, outside
        self.late = False

    async def count_turns(self) -> None:
        """Count how often the event loop gives others a turn."""
        import asyncio  # not at the top: `import helpers.check` stays quick

        while True:
            self.turns += 1
            await asyncio.sleep(0.005)

    def others_wait(self, method: str) -> None:
        """Call this in place of the model's thinking: do others have a turn?"""
        before, end = self.turns, time.monotonic() + PATIENCE
        while self.turns == before and method not in self.blocked:
            if time.monotonic() > end:
                self.blocked.append(method)
                return
            time.sleep(0.005)


async def freed_loop(answer: object) -> None:
    """Exercise 6d.1: a title and an answer, without blocking the event loop."""
    import httpx2  # not at the top: `import helpers` stays quick

    from helpers.models import script

    seen, got = Seen(), cast("list[str] | Exception", [])
    if answer is not None:
        # By itself, LangChain shares one client, whose connections belong to one loop.
        async with httpx2.AsyncClient() as client:
            said = script(tokens=["Two", " words"], ttft=0, pace=0)
            options = {"http_async_client": client, "http_socket_options": ()}
            got = await _texts(answer, _watched(seen, **options, **said), seen)
    right = got == ["Two words", "Two", " words"]
    grade(
        answer,
        lambda _: (
            right
            and not seen.blocked
            and not seen.late
            and set(seen.asked) == {"A title for: Hi", "Hi"}
        ),
        (lambda _: right and seen.blocked == ["invoke"], "the title still blocks"),
        (lambda _: right and seen.blocked == ["stream"], "the answer still blocks"),
        (lambda _: right and bool(seen.blocked), "right, but both still block"),
        (
            lambda _: right and seen.late,
            "yield each text as it comes, not when all are there",
        ),
        (lambda _: right, "right, but ask what titled asks: first for the title"),
        (
            lambda a: not callable(a) or isinstance(got, TypeError),
            "write async def freed(model, question), with a yield in it",
        ),
        (
            lambda _: isinstance(got, AttributeError),
            "it raises AttributeError: did you await ainvoke?",
        ),
        (lambda _: isinstance(got, Exception), f"it raises {type(got).__name__}"),
        (lambda _: got == ["Two words", "Two words"], "stream the answer: use astream"),
        otherwise="yield the title, then the text of each chunk, as titled does",
    )


async def saved_half(answer: object) -> None:
    """Exercise 6d.2: a body that saves what was said, and how it ended."""
    import asyncio

    whole, cut, ended, failed, left, cancelled, slow = runs = [
        Run("stop"),
        Run("length"),
        Run(None),
        Run("failed"),
        Run("leaves"),
        Run("cancelled"),
        Run("cancelled", slow=True),
    ]
    if answer is not None:
        await asyncio.gather(*(run.read(answer) for run in runs))
    half, said = [("Two", "left")], "Two words"
    grade(
        answer,
        lambda _: (
            whole.texts == ["Two", " words"]
            and not whole.late
            and whole.saved == [(said, "stop")]
            and cut.saved == [(said, "length")]
            and ended.saved == [(said, "failed")]
            and failed.saved == [(said, "failed")]
            and isinstance(failed.raised, BreakError)
            and left.saved == cancelled.saved == half
            and cancelled.stopped
            and not slow.overdue
            and all(run.calls == 1 for run in runs)
        ),
        (
            lambda a: not callable(a) or isinstance(whole.raised, TypeError),
            "write async def kept(chunks, save, limit), with a yield in it",
        ),
        (
            lambda _: whole.raised is not None,
            f"it raises {type(whole.raised).__name__}, and all is well",
        ),
        (lambda _: whole.texts != ["Two", " words"], "yield the text of each chunk"),
        (lambda _: whole.late, "yield each text as it comes, not when all are there"),
        (lambda _: not whole.saved, "it saves nothing: await save(text, end)"),
        (lambda _: whole.calls > 1, "save once, at the end"),
        (lambda _: whole.saved[0][0] != said, "save the whole text"),
        (
            lambda _: (
                (whole.saved, cut.saved) != ([(said, "stop")], [(said, "length")])
            ),
            "the end of an answer that ends: its finish_reason, which one chunk has",
        ),
        (
            lambda _: ended.saved != [(said, "failed")],
            "right, but an answer that ends without a reason is failed",
        ),
        (
            lambda _: failed.saved != [(said, "failed")],
            "right, but of a model that raises, save what it said, and failed",
        ),
        (
            lambda _: not isinstance(failed.raised, BreakError),
            "right, but an error is lost: who is to know? Raise it again",
        ),
        (lambda _: not left.saved, "a reader left, and the half was not saved"),
        (
            lambda _: not cancelled.stopped,
            "it was cancelled, and went on: shield the saving, and nothing else",
        ),
        (
            lambda _: not cancelled.saved,
            "right, but its task was cancelled, and the saving cut or left behind: "
            "shield it by a scope",
        ),
        (
            lambda _: left.saved != half or cancelled.saved != half,
            "right, but for a reader who has gone: save once, the half, and left",
        ),
        (lambda _: slow.overdue, "right, but a save that hangs holds the task"),
        otherwise="save once, however the answer ends",
    )


class BreakError(Exception):
    """The model breaks off."""


class Run:
    """One reading of an answer to exercise 6d.2, and what became known of it."""

    def __init__(
        self,
        case: Literal["stop", "length", "failed", "leaves", "cancelled"] | None,
        *,
        slow: bool = False,
    ) -> None:
        self.case = case  # what happens: a finish reason, none, or what breaks it off
        self.slow = slow  # the saving hangs
        self.texts: list[str] = []
        self.calls = 0  # of save
        self.saved: list[tuple[object, object]] = []  # the text, and how it ended
        self.raised: Exception | None = None
        self.late = False  # a text was held back
        self.stopped = False  # by its cancellation
        self.over = False  # nothing of it runs any more
        self.overdue = False  # long after it should have ended, it had not

    async def read(self, answer: object) -> None:
        """Read the texts; after PATIENCE twice, give up what still goes on."""
        import asyncio

        task = asyncio.create_task(self._read(answer))
        _, pending = await asyncio.wait([task], timeout=2 * PATIENCE)
        self.overdue = bool(pending)
        task.cancel()
        await asyncio.wait([task], timeout=PATIENCE)

    async def _read(self, answer: object) -> None:
        import anyio

        call = cast("Callable[..., AsyncGenerator[str, None]]", answer)
        try:
            with anyio.CancelScope() as scope:
                limit = 0.1 if self.slow else 2 * PATIENCE
                body = call(self._chunks(scope), self._save, limit)
                if not isinstance(body, AsyncGenerator):
                    raise TypeError
                async for text in body:
                    self.texts += [text] if text else []
                    if self.case == "leaves":
                        await body.aclose()
            self.stopped = scope.cancelled_caught
        except Exception as error:  # noqa: BLE001  (there is no telling what it does)
            self.raised = error
        finally:
            self.over = True

    async def _chunks(self, scope: "CancelScope") -> AsyncIterator["AIMessageChunk"]:
        """Say two words, unless the reader is stopped after one; then end."""
        import asyncio

        from langchain_core.messages import AIMessageChunk

        yield AIMessageChunk(content="Two")
        self.late = not await _soon(lambda: bool(self.texts))
        if self.case == "cancelled":
            scope.cancel()  # as Starlette does when the reader has gone
            await asyncio.sleep(0.01)
        yield AIMessageChunk(content=" words")
        if self.case == "failed":
            raise BreakError
        reason = {"finish_reason": self.case} if self.case else {}
        yield AIMessageChunk(content="", response_metadata=reason)
        yield AIMessageChunk(content="")  # in its place, a model has the usage

    async def _save(self, text: object, end: object) -> None:
        import asyncio

        self.calls += 1
        await asyncio.sleep(10 * PATIENCE if self.slow else 0.01)
        if not self.over:  # a server that stops does not wait for what goes on
            self.saved.append((text, end))


async def _soon(comes: Callable[[], bool]) -> bool:
    """Return whether it comes within PATIENCE."""
    import asyncio

    for _ in range(round(PATIENCE / 0.005)):
        if comes():
            return True
        await asyncio.sleep(0.005)
    return comes()


async def _texts(
    answer: object, model: "ChatOpenAI", seen: Seen
) -> list[str] | Exception:
    """Return the texts that the answer yields, or what it raises."""
    import asyncio

    texts: list[str] = []
    beside = asyncio.create_task(seen.count_turns())
    try:
        call = cast("Callable[..., AsyncIterator[str]]", answer)
        async with asyncio.timeout(10):
            async for text in call(model, "Hi"):
                texts += [text] if text else []
                if len(texts) > 1:  # after the title
                    seen.heard.set()
    except Exception as error:  # noqa: BLE001  (there is no telling what it does)
        return error
    finally:
        beside.cancel()
    return texts


def _watched(seen: Seen, **options: Any) -> "ChatOpenAI":
    """Return a model that waits for a turn of others, and for its first text."""
    from langchain_core.callbacks import BaseCallbackHandler
    from langchain_openai import ChatOpenAI

    class Noting(BaseCallbackHandler):
        def on_chat_model_start(
            self, serialized: Any, messages: Any, **options: Any
        ) -> None:
            seen.asked += [prompt[-1].text for prompt in messages]

    class Watched(ChatOpenAI):
        def invoke(self, *arguments: Any, **options: Any) -> Any:
            seen.others_wait("invoke")
            return super().invoke(*arguments, **options)

        def stream(self, *arguments: Any, **options: Any) -> Iterator[Any]:
            seen.others_wait("stream")
            for chunk in super().stream(*arguments, **options):
                yield chunk
                if chunk.text and not seen.late:
                    seen.late = not seen.heard.wait(PATIENCE)
                seen.others_wait("stream")  # the next chunk takes its time, too

        async def astream(self, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
            async for chunk in super().astream(*arguments, **options):
                yield chunk
                if chunk.text and not seen.late:
                    seen.late = not await _soon(seen.heard.is_set)

    return Watched(callbacks=[Noting()], **options)
