"""The exercises of notebook 06a: endpoints that stream."""

import gc
import json
import math
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from . import reading
from .exercise import Hint, exercise

if TYPE_CHECKING:
    from httpx2 import AsyncClient
    from langchain_core.messages import AIMessageChunk
    from langchain_core.messages.ai import UsageMetadata
    from langchain_openai import ChatOpenAI
    from starlette.types import Message

QUESTION = "Go on, please."
TEXTS = ["Go", *[" on"] * 59]
BURST = 5
"""How many of them come before the model falls silent, and its reader leaves."""
BEFORE = ["".join(TEXTS[:number]) for number in range(len(TEXTS))]
"""What was said before each of them."""
SILENCE = 2.0
"""Seconds in which to stop the model."""

Event = tuple[str | None, Any]
HEL, LO = ("token", {"text": "Hel"}), ("token", {"text": "lo"})
USAGE = ("usage", {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5})
DONE, LIMITED = (("done", {"finish_reason": end}) for end in ("stop", "length"))
ERROR = ("error", {"message": "in any words"})
CASES: dict[str, tuple[str | None, list[Event]]] = {
    "a good model": (None, [HEL, LO, USAGE, DONE]),
    "a model that tells no usage": ("no_usage", [HEL, LO, DONE]),
    "a model at its token limit": ("length", [HEL, USAGE, LIMITED]),
    "a model that tells its usage with a text": (
        "usage_with_text",
        [HEL, LO, USAGE, DONE],
    ),
    "a model that raises": ("error_frame", [HEL, ERROR]),
    "a model that ends without a reason": ("early_end", [HEL, ERROR]),
    "a model that raises after its usage": ("late_error", [HEL, LO, ERROR]),
    "a graph whose second message has no reason": ("second", [HEL, LO, ERROR]),
}
"""For exercise 6a.2: models, what is wrong with each, and the events to make of it."""
PRIVATE = "http://10.0.0.7/v1"
"""What an exception says, and a reader must not learn."""


def model_of_its_own(client: "AsyncClient", **options: Any) -> "ChatOpenAI":
    """Return a model that can be read in any event loop, beside others.

    By itself, LangChain shares one client, whose connections belong to one loop.
    """
    from langchain_openai import ChatOpenAI

    # Without the options of sockets, it does not warn of a proxy that it ignores; with
    # a time limit for chunks, Python 3.11 loses a cancellation now and then.
    fixed: dict[str, Any] = {"http_socket_options": (), "stream_chunk_timeout": None}
    return ChatOpenAI(http_async_client=client, **fixed, **options)


@exercise("6a.1")
async def stopped_model(answer: object) -> AsyncGenerator[str, None]:
    """Exercise 6a.1: a body whose model stops when its reader leaves."""
    import asyncio  # not at the top: `import helpers` stays quick

    import httpx2

    from helpers.models import requests, script

    whole, left = Reader(), Reader(leaves_after=len("".join(TEXTS[:BURST])))
    before, threads = len(requests()), list[int]()  # those that wait for the model
    note = [lambda _: threads.append(threading.get_ident())]
    noting = httpx2.Client(event_hooks={"request": note})
    async with httpx2.AsyncClient() as client:
        quick = script(tokens=TEXTS, ttft=0, pace=0)
        with _asynchronous():
            await whole.read(answer, model_of_its_own(client, **quick))
        asked = requests()[before:]
        if whole.text in BEFORE:
            yield f"it stops after {BEFORE.index(whole.text)} of {len(TEXTS)} texts"
        if whole.text != "".join(TEXTS):
            yield f"it yields {whole.text[:24]!r} …, and the model says 'Go on on …'"
        if QUESTION not in [request.prompt for request in asked]:
            yield "ask the model the question that is given"
        if not all(request.stream for request in asked):
            yield "it asks the model for all at once; use astream"
        if len(asked) > 1:
            yield "it asks the model more than once, and you pay for each"
        silent = {"fault": "stall", "at": BURST, "stall": SILENCE}
        silent = script(tokens=TEXTS, ttft=0, **silent)
        told = model_of_its_own(client, http_client=noting, **silent)
        gc.disable()  # it may close, by chance, what the answer leaves open
        try:
            await left.read(answer, told)
            asked = (await asyncio.to_thread(requests))[before + len(asked) :]
        finally:
            gc.enable()
            noting.close()
    if left.late:
        yield "yield each text as it comes, not when all are there"
    if not {len(text) for text in BEFORE} <= whole.ends:
        yield "it joins texts; yield each as it comes"
    if any(request.left_after is None for request in asked):
        went_on = "the texts are right, but when its reader left, the model went on"
        yield f"{went_on}; use `async for` and `astream`" if threads else went_on
    if threading.get_ident() in threads:
        yield "it blocks the event loop; use `async for` and `astream`"
    if left.held_up:
        yield "it holds up the cancellation, which is no Exception: let it out"
    async with httpx2.AsyncClient() as client:
        before = len(await asyncio.to_thread(requests))
        gc.disable()
        try:
            await _close(answer, model_of_its_own(client, **silent))
            asked = (await asyncio.to_thread(requests))[before:]
        finally:
            gc.enable()
    if any(request.left_after is None for request in asked):
        yield "when the generator is closed, the model goes on; use `finally`"
    for where, at in {"in the middle": BURST, "before its first text": 0}.items():
        async with httpx2.AsyncClient() as client:
            failing = script(tokens=TEXTS, ttft=0, pace=0, fault="error_frame", at=at)
            hides = await _hides(answer, client, failing, at)
        if hides:
            yield f"when the model fails {where}, {hides}"


@contextmanager
def _asynchronous() -> Iterator[None]:
    """Say of what raises because `astream` is read as `stream` is what to do."""
    try:
        yield
    except TypeError as error:
        said = str(error)
        if "async_generator" in said or "__aiter__" in said:
            raise Hint("read `astream` with `async for`, as it is async") from None
        raise


async def _hides(
    answer: object, client: "AsyncClient", failing: dict[str, Any], at: int
) -> str:
    """Say how an answer hides that its model fails after `at` texts; "" if not."""
    import asyncio

    from .watch import Watch

    heard, watch = list[str](), Watch()
    model = model_of_its_own(client, callbacks=[watch], **failing)
    try:
        await reading.read(answer, model, QUESTION, hear=heard.append)
    except Hint:
        return "it never ends"
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) and task.cancelling():
            raise  # the check itself is cancelled
        return "it raises a CancelledError; let the model's exception out"
    except Exception as error:  # noqa: BLE001  which one is the model's business
        if len("".join(heard)) > len(BEFORE[at]):
            return "it says more; let the exception out at once"
        kind = type(error).__name__
        own = _has(error, watch.failure)
        return "" if own else f"it raises {kind}; let the model's exception out"
    return "it ends as if that were all; let the exception out"


def _has(error: BaseException, failure: BaseException | None) -> bool:
    """Tell whether it is the failure, as it was raised or as a task group packs it."""
    if isinstance(error, BaseExceptionGroup):
        return any(_has(each, failure) for each in error.exceptions)
    return error is failure


async def _close(answer: object, model: "ChatOpenAI") -> None:
    """Read until the model falls silent, and close the generator."""
    stream: Any = reading.stream_of(answer, model, QUESTION)
    heard = 0
    async for text in stream:
        heard += len(text)
        if heard >= len(BEFORE[BURST]):
            break
    try:
        if close := getattr(stream, "aclose", None):
            await reading.ended(close())
    except BaseExceptionGroup as errors:  # a task group around a `yield` packs it
        if errors.split(GeneratorExit)[1]:
            raise


class Reader:
    """A client that reads an answer to 6a.1, as Starlette sees it, and may leave."""

    def __init__(self, leaves_after: float = math.inf) -> None:
        """Leave after so many characters."""
        import asyncio

        self.text, self.leaves_after = "", leaves_after
        self.left = asyncio.Event()
        self.ends = {0}  # how many characters had come after each text
        self.late = False  # it had heard the model only after the silence
        self.held_up = False  # it was cancelled, and ended as if it had not been

    async def read(self, answer: object, model: "ChatOpenAI") -> None:
        """Read; raises what the answer raises, and Hint if it cannot be read."""
        from fastapi.responses import StreamingResponse

        async def texts() -> AsyncIterator[str]:
            async for text in reading.stream_of(answer, model, QUESTION):
                yield reading.only_text(text)
                self.ends.add(len(self.text))
            self.held_up = self.left.is_set()

        scope = {"type": "http", "asgi": {"spec_version": "2.3"}}  # as uvicorn says
        response = StreamingResponse(texts())
        await reading.ended(response(scope, self._receive, self._send))

    async def _receive(self) -> "Message":
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: "Message") -> None:
        from helpers.models import requests

        self.text += message.get("body", b"").decode()
        if len(self.text) >= self.leaves_after and not self.left.is_set():
            self.late = requests(timeout=0)[-1].chunks_sent > BURST
            self.left.set()  # noticed when the answer waits for the model again


@exercise("6a.2")
async def usage_event(answer: object) -> AsyncGenerator[str, None]:
    """Exercise 6a.2: the events of an answer, with its usage before the end."""
    import httpx2

    async with httpx2.AsyncClient() as client:
        for model, (fault, right) in CASES.items():
            events, late = await _events(answer, client, fault)
            if late:
                yield "send each token as its chunk comes, not when all are there"
            if difference := _difference(events, right):
                yield f"of {model}, {difference}"
    if not await _stops(answer):
        yield "it holds up a cancellation, which is no Exception: let it out"


def _difference(events: list[Event], right: list[Event]) -> str | None:
    """Say what was made, and what should have been; None if it is the same."""
    names, wanted = ([str(name) for name, _ in each] for each in (events, right))
    if names == [name for name in wanted if name != "usage"] != wanted:
        return "there is no event with the usage; did a later chunk overwrite it?"
    if names != wanted:
        return f"it makes {', '.join(names) or 'nothing'}; {', '.join(wanted)} is right"
    for (name, data), (_, value) in zip(events, right, strict=True):
        if PRIVATE in str(data):
            return "the reader gets an exception's text, which is for the log"
        if not _holds(data, value):
            got, best = json.dumps(data), json.dumps(value)
            itself = ": pass the dictionary itself" * _packed(data, value)
            return f"the data of {name} is {got}; {best} is right{itself}"
    return None


def _holds(data: object, right: dict[str, Any]) -> bool:
    """Tell whether the data has all that is right; the words of a message are free."""
    if isinstance(data, dict) and isinstance(data.get("message"), str):
        return "message" in right
    return isinstance(data, dict) and right.items() <= data.items()


def _packed(data: object, right: dict[str, Any]) -> bool:
    """Tell whether it is the right dictionary, as a string or within another one."""
    if isinstance(data, dict):
        return any(_holds(each, right) for each in data.values())
    return isinstance(data, str) and data.startswith("{")


async def _events(
    answer: object, client: "AsyncClient", fault: str | None
) -> tuple[list[Event], bool]:
    """Return the events, and whether one was held back until the model had ended."""
    from openai import OpenAIError

    from helpers.models import script

    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    says = {"tokens": ["Hel", "lo"], "ttft": 0, "pace": 0, "usage": usage}
    if fault not in (None, "no_usage", "late_error", "usage_with_text", "second"):
        says |= {"fault": fault, "at": 1}
    events, heard = list[Event](), reading.Heard()

    async def chunks() -> AsyncIterator["AIMessageChunk"]:
        async for chunk in model.astream("Hi"):
            heard.clear()
            if fault == "usage_with_text":
                counts = cast("UsageMetadata", USAGE[1])
                chunk.usage_metadata = counts if chunk.text == "lo" else None
            if fault == "second":
                end = {"finish_reason": "stop"} if chunk.text == "Hel" else {}
                chunk.response_metadata = end
            yield chunk
            if chunk.text:
                await heard.wait()
        if fault == "late_error":
            raise OpenAIError(f"no connection to {PRIVATE}")

    def hear(event: object) -> None:
        name, data = _event(event)
        if (name, data) != (None, None):  # a comment
            events.append((name, data))
            heard.set()

    counting = {"stream_usage": fault != "no_usage"}
    model = model_of_its_own(client, **counting, **script(**says))
    await reading.read(answer, chunks(), hear=hear)
    return events, heard.late


def _event(event: object) -> Event:
    """Return the name of an event, and the data that FastAPI sends for it."""
    from fastapi.encoders import jsonable_encoder
    from fastapi.sse import ServerSentEvent

    if not isinstance(event, ServerSentEvent):
        raise Hint("yield a ServerSentEvent for each event, as `events` does")
    if event.raw_data is None:
        return event.event, jsonable_encoder(event.data)
    try:
        return event.event, json.loads(event.raw_data)
    except ValueError:  # it is no JSON
        return event.event, event.raw_data


async def _stops(answer: object) -> bool:
    """Return whether a cancellation that comes while the model is silent ends it."""
    import asyncio

    from langchain_core.messages import AIMessageChunk

    async def chunks() -> AsyncIterator[AIMessageChunk]:
        yield AIMessageChunk(content="Hel")
        task.cancel()
        await asyncio.Event().wait()

    task = asyncio.create_task(reading.read(answer, chunks(), hear=lambda _: None))
    await asyncio.wait([task], timeout=reading.PATIENCE)
    return task.cancelled()
