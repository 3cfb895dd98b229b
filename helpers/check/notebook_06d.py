"""The exercises of notebook 06d: bodies that block nobody, and that keep a half."""

import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from . import reading
from .exercise import Hint, exercise, raised

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk

TURN, TURNS = 0.005, 40
"""Seconds between two turns of a thread; so many while the loop has none, it blocks."""
BLOCKS = "something in it blocks the event loop; await it, or leave it to a thread"
TITLE, ANSWER = "A title for: Hi", "Hi"
WORDS = ["Two", " words"]
FAILURES = {
    ANSWER: "when the model fails, it ends as if that were all",
    TITLE: "when the model fails at the title, it goes on",
}
"""What an answer does that loses the model's exception, by what was asked."""


class BreakError(Exception):
    """The model breaks off."""


@exercise("6d.1")
async def freed_loop(answer: object) -> AsyncGenerator[str, None]:
    """Exercise 6d.1: a title and an answer, without blocking the event loop."""
    seen = Seen()
    model = _watched(seen)  # before anybody watches: an import may take its time
    with seen.sleeping(), seen.standing_still():
        try:
            await reading.read(answer, model, "Hi", hear=seen.hear)
        except Hint:  # that it does not end, perhaps: here is why
            if seen.stood_still:
                raise Hint(BLOCKS) from None
            raise
    right = ["".join(WORDS), *WORDS]
    if seen.texts != right:
        yield f"it yields {seen.texts}; as titled does, yield {right}"
    if sorted(seen.asked) != sorted([TITLE, ANSWER]):
        yield f"ask the model what titled asks, {TITLE!r} and {ANSWER!r}, once each"
    if seen.blocked:
        parts = {TITLE: "the title", ANSWER: "the answer"}
        blocks = [part for prompt, part in parts.items() if prompt in seen.blocked]
        yield f"still, nobody else has a turn during {' and '.join(blocks)}"
    if seen.slept:
        yield "nobody else has a turn during time.sleep; leave it out"
    if seen.stood_still:
        yield BLOCKS
    if seen.whole or seen.heard.late:
        yield "yield each text as it comes, not when all are there"
    for prompt, goes_on in FAILURES.items():
        seen = Seen(fails=prompt)
        try:
            await reading.read(answer, _watched(seen), "Hi", hear=seen.hear)
        except (BreakError, ExceptionGroup):  # a task group packs it
            if seen.asked.count(prompt) == 1:
                continue
            goes_on = "when the model fails, it asks again"
        yield f"{goes_on}; let the exception out"


class Seen:
    """What became known of an answer to exercise 6d.1 while it ran."""

    def __init__(self, *, fails: str = "") -> None:
        """See an answer whose model fails after the last word about a prompt."""
        import asyncio  # not at the top: `import helpers.check` stays quick

        self.fails = fails
        self.texts: list[str] = []
        self.asked: list[str] = []
        self.blocked: set[str] = set()  # the prompts during which others had no turn
        self.whole = False  # the answer was asked for all at once
        self.slept = False  # the thread of the event loop slept
        self.stood_still = False  # others had turn after turn, and the loop had none
        self.heard = reading.Heard()
        self._said = 0  # words of the answer
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()

    @contextmanager
    def sleeping(self) -> Iterator[None]:
        """Notice a `time.sleep` in this thread, by whatever name it was imported."""

        def notice(frame: object, event: str, called: object) -> None:
            self.slept |= event == "c_call" and called is time.sleep

        before = sys.getprofile()
        sys.setprofile(notice)
        try:
            yield
        finally:
            sys.setprofile(before)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Notice whatever blocks the event loop: computing, files, other servers.

        A thread asks the loop for a turn, again and again, and counts how often it has
        asked since the last one. On a busy machine both are slow, and the count is not.
        """
        over, asked = threading.Event(), 0

        def answer() -> None:
            nonlocal asked
            asked = 0

        def ask() -> None:
            nonlocal asked
            while not over.wait(TURN):
                asked += 1
                self.stood_still |= asked > TURNS
                self._loop.call_soon_threadsafe(answer)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        try:
            yield
        finally:
            over.set()
            asking.join()

    def hear(self, text: Any) -> None:
        """Take what the answer yields."""
        self.texts += [text] if reading.only_text(text) else []
        if len(self.texts) > self._said:  # with the title
            self.heard.set()

    def ask(self, prompt: str, *, whole: bool = False) -> None:
        """Take what the model is asked, and whether for all at once."""
        self.asked.append(prompt)
        self.whole |= whole and prompt == ANSWER

    def say(self, prompt: str, number: int) -> None:
        """Say a word, which is to be heard if it is one of the answer."""
        if prompt == ANSWER:
            self._said = number
            self.heard.clear()

    def think_elsewhere(self, prompt: str) -> bool:
        """Think, if this is a loop in a thread of its own: somebody may wait for it.

        Tell whether others have a turn; here, they do.
        """
        return threading.get_ident() == self._thread or self.think(prompt)

    def think(self, prompt: str) -> bool:
        """Think, in a thread that waits meanwhile; tell whether others have a turn."""
        turn = threading.Event()
        if threading.get_ident() != self._thread and prompt not in self.blocked:
            self._loop.call_soon_threadsafe(turn.set)
            turn.wait(reading.PATIENCE)
        if not turn.is_set():
            self.blocked.add(prompt)
        return turn.is_set()

    def end(self, prompt: str) -> None:
        """Break off, if the model fails at this prompt."""
        if prompt == self.fails:
            raise BreakError

    def listen(self, prompt: str) -> "Future[None]":
        """Let a thread, or any loop, wait until the last word is heard."""
        import asyncio

        async def wait() -> None:
            if prompt == ANSWER:
                await self.heard.wait()

        return asyncio.run_coroutine_threadsafe(wait(), self._loop)


def _watched(seen: Seen) -> "BaseChatModel":
    """Return a model that tells what it is asked, and waits until it is heard."""
    import asyncio

    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, AIMessageChunk
    from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

    message = AIMessage(content="".join(WORDS))
    whole = ChatResult(generations=[ChatGeneration(message=message)])
    messages = [AIMessageChunk(content=word) for word in WORDS]
    chunks = [ChatGenerationChunk(message=message) for message in messages]

    class Watched(BaseChatModel):
        _llm_type = "watched"

        def _generate(self, *asked: Any, **options: Any) -> ChatResult:
            seen.ask(asked[0][-1].text, whole=True)
            seen.think(asked[0][-1].text)
            seen.end(asked[0][-1].text)
            return whole

        async def _agenerate(self, *asked: Any, **options: Any) -> ChatResult:
            seen.ask(asked[0][-1].text, whole=True)
            seen.think_elsewhere(asked[0][-1].text)
            seen.end(asked[0][-1].text)
            return whole

        def _stream(self, *asked: Any, **options: Any) -> Iterator[Any]:
            prompt = asked[0][-1].text
            seen.ask(prompt)
            seen.think(prompt)
            for number, chunk in enumerate(chunks, 1):
                seen.say(prompt, number)
                yield chunk
                if seen.think(prompt):
                    seen.listen(prompt).result()
            seen.end(prompt)

        async def _astream(self, *asked: Any, **options: Any) -> AsyncIterator[Any]:
            prompt = asked[0][-1].text
            seen.ask(prompt)
            for number, chunk in enumerate(chunks, 1):
                seen.say(prompt, number)
                yield chunk
                if seen.think_elsewhere(prompt):
                    await asyncio.wrap_future(seen.listen(prompt))
            seen.end(prompt)

    return Watched()


ENDS = {
    "the model ends with stop": ("Two words", "stop"),
    "the model ends with length": ("Two words", "length"),
    "the model ends without a reason": ("Two words", "failed"),
    "the model raises": ("Two words", "failed"),
    "its reader closes it": ("Two", "left"),
    "its task is cancelled": ("Two", "left"),
    "a scope around it is cancelled": ("Two", "left"),
    "the model says nothing": ("", "stop"),
    "the model raises at once": ("", "failed"),
    "the model raises after its reason": ("Two words", "failed"),
    "its reason has come, and its task is cancelled": ("Two words", "left"),
    "its reason comes with its text": ("Two words", "stop"),
    "its reason comes with its text, and its reader closes it": (
        "Two words",
        "left",
    ),
    "a second message has no reason": ("Two words\n", "failed"),
    "a second message has a reason of its own": ("Two words\n", "content_filter"),
}
"""What may happen to an answer to exercise 6d.2, and what to save then."""


@exercise("6d.2")
async def saved_half(answer: object) -> AsyncGenerator[str, None]:
    """Exercise 6d.2: a body that saves what was said, and how it ended."""
    for limit in 60, 0.01:
        for event in ENDS:
            run = Run(event, limit, slow=limit < 1)
            await run.read(answer)
            if hint := run.hint():
                yield f"when {event}, {hint}"
    hasty = Run("the model ends with stop", 0.2, slow=True)
    await hasty.read(answer)
    if hasty.waited < 0.9 * hasty.limit:
        yield "it gives up the saving before `limit`, which is in seconds"


class Run:
    """One reading of an answer to exercise 6d.2, and what became known of it."""

    def __init__(self, event: str, limit: float, *, slow: bool) -> None:
        """Let this happen while it is read; `slow`: and every save hangs."""
        import asyncio

        self.event, self.limit, self.slow = event, limit, slow
        text = ENDS[event][0]
        self.words = [WORDS[0], text.removeprefix(WORDS[0]) or WORDS[1]] * bool(text)
        self.texts: list[str] = []
        self.asked: list[tuple[object, object]] = []  # of `save`: a text, and an end
        self.saved: list[tuple[object, object]] = []
        self.raised: Exception | None = None
        self.stopped = False  # a cancellation came out of it
        self.overdue = False  # long after it should have ended, it had not
        self.waited = 0.0  # seconds between the model's end and its own
        self._over = False  # nothing of it runs any more
        self._ended = 0.0  # when the model did
        self._heard, self._given_up = reading.Heard(), asyncio.Event()

    def hint(self) -> str | None:
        """Return what is wrong, if anything; raises a Hint that came out of it."""
        if isinstance(self.raised, Hint):
            raise self.raised
        right = ENDS[self.event]
        breaks = "raises" in self.event
        if self.overdue:
            advice = "; let no save take longer than `limit`" * self.slow
            return "it does not end" + advice
        if self.raised and not (breaks and isinstance(self.raised, BreakError)):
            advice = "; give up a save that hangs, and raise nothing" * self.slow
            return raised(self.raised) + advice
        if self._heard.late:
            return "it holds texts back; yield each as it comes"
        if self.event.endswith("cancelled") and not self.stopped:
            return "it goes on; shield the saving, and nothing else"
        if "left" not in right and self.texts != self.words:
            advice = "; limit the saving, and nothing else" * self.slow
            return f"it yields {self.texts}; {self.words} is right" + advice
        if self.asked != [right]:
            calls = " and ".join(f"save{call}" for call in self.asked)
            return f"it calls {calls or 'no save'}; save{right} is right, once"
        if self.saved != [right] and not self.slow:
            return "the saving is cut off, or nobody waits for it; shield it by a scope"
        if breaks and not self.raised:
            return "its error is lost: who is to know? Raise it again"
        return None

    async def read(self, answer: object) -> None:
        """Read the texts; give up, at last, what still goes on."""
        import asyncio

        self._task = asyncio.create_task(self._read(answer))
        patience = reading.PATIENCE * (1 if self.slow else 2)
        _, pending = await asyncio.wait([self._task], timeout=patience)
        self.overdue = bool(pending)
        self._given_up.set()
        self._task.cancel()
        await asyncio.wait([self._task], timeout=patience)

    async def _read(self, answer: object) -> None:
        import asyncio

        import anyio

        given = self._chunks(), self._save, self.limit
        try:
            with anyio.CancelScope() as self._scope:
                stream: Any = reading.stream_of(answer, *given)
                try:
                    async for text in stream:
                        if reading.only_text(text):
                            self.texts.append(text)
                            self._heard.set()
                        closes = self.event.endswith("its reader closes it")
                        if closes and "".join(self.texts) == ENDS[self.event][0]:
                            await stream.aclose()
                            break  # Python 3.11 may take it for running still
                except asyncio.CancelledError:
                    self.stopped = True
                    raise
        except Exception as error:  # noqa: BLE001  (an answer may raise anything)
            self.raised = error
        finally:
            self._over = True
            self.waited = time.monotonic() - self._ended

    async def _chunks(self) -> "AsyncIterator[AIMessageChunk]":
        """Say the words, unless the reader is stopped after one; then end."""
        import asyncio

        from langchain_core.messages import AIMessageChunk

        text, end = ENDS[self.event]
        two, early = "a second message" in self.event, "with its text" in self.event
        stop = {"finish_reason": "stop"}
        for word in self.words:
            self._heard.clear()
            found = stop if early and word == self.words[-1] else {}
            content: Any = [{"type": "text", "text": word}] if two else word
            yield AIMessageChunk(content=content, response_metadata=found)
            await self._heard.wait()
            if self.event == "its task is cancelled":
                self._task.cancel()
            if self.event == "a scope around it is cancelled":
                self._scope.cancel()  # as Starlette does when the reader has gone
            # Longer than the limit of a save that hangs, or than a cancellation takes.
            await asyncio.sleep(0.1 if text == "Two" else 0.03 * self.slow)
            if two and word == self.words[0]:
                yield AIMessageChunk(content="", response_metadata=stop)
        if self.event in ("the model raises", "the model raises at once"):
            raise BreakError
        reason = "stop" if "its reason" in self.event else end
        none = early or reason in ("failed", "left")
        found = {} if none else {"finish_reason": reason}
        yield AIMessageChunk(content="", response_metadata=found)
        if self.event == "the model raises after its reason":
            raise BreakError
        if self.event == "its reason has come, and its task is cancelled":
            self._task.cancel()
            await asyncio.sleep(0.1)
        self._ended = time.monotonic()
        yield AIMessageChunk(content="")  # in its place, a model has the usage

    async def _save(self, text: object, end: object) -> None:
        import asyncio

        self.asked.append((text, end))
        await (self._given_up.wait() if self.slow else asyncio.sleep(0.01))
        if not self._over:  # a server that stops does not wait for what goes on
            self.saved.append((text, end))
