"""The exercise of notebook 06d: a body that blocks nobody."""

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from helpers.check.grading import grade

if TYPE_CHECKING:
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
        while self.turns == before:
            if time.monotonic() > end:
                self.blocked.append(method)
                return
            time.sleep(0.005)


async def freed_loop(answer: object) -> None:
    """Exercise 6d.1: a title and an answer, without blocking the event loop."""
    import httpx2  # not at the top: `import helpers` stays quick

    from helpers.scripted import script

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
    import asyncio

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

        async def astream(self, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
            async for chunk in super().astream(*arguments, **options):
                yield chunk
                end = time.monotonic() + PATIENCE
                while chunk.text and not seen.heard.is_set() and not seen.late:
                    seen.late = time.monotonic() > end
                    await asyncio.sleep(0.005)

    return Watched(callbacks=[Noting()], **options)
