"""The exercises of notebook 06a: endpoints that stream."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from .grading import grade

if TYPE_CHECKING:
    from fastapi.sse import ServerSentEvent
    from httpx2 import AsyncClient
    from langchain_openai import ChatOpenAI

Events = list[tuple[str | None, object]]
PATIENCE = 1.0
"""Seconds to wait for what comes at once, unless the answer holds it back."""
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


def stopped_model(answer: object) -> None:
    """Exercise 6a.1: a body whose model stops when its reader leaves."""
    from helpers.models import script

    said = ["Go", *[" on"] * 99]
    whole: str | Exception = ""
    stopped = False
    if answer is not None:
        whole, _ = _served(answer, script(tokens=said, ttft=0, pace=0))
    if whole == "".join(said):
        _, stopped = _served(answer, script(tokens=said), reads=3)
    grade(
        answer,
        lambda _: stopped,
        (
            lambda _: whole == "".join(said),
            f"the texts are right, but the model said all {len(said)} of them",
        ),
        (
            lambda a: not callable(a) or isinstance(whole, TypeError),
            "write async def mended(model, question), with a yield in it",
        ),
        (lambda _: isinstance(whole, Exception), "its body breaks off, or never ends"),
        otherwise="yield the text of each chunk of model.astream(question)",
    )


async def usage_event(answer: object) -> None:
    """Exercise 6a.2: the events of an answer, with its usage before the end."""
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    got: Events | Exception = []
    failed, ended, broken, limited, uncounted = [got] * 5
    late = stops = False
    if answer is not None:
        got, late = await _events(answer)
        failed, _ = await _events(answer, "error_frame")
        ended, _ = await _events(answer, "early_end")
        broken, _ = await _events(answer, breaks=True)
        limited, _ = await _events(answer, "length")
        uncounted, _ = await _events(answer, stream_usage=False)
        stops = await _stops(answer)
    names = _names(got)
    counted = [data for name, data in _list(got) if name == "usage"]
    grade(
        answer,
        lambda _: (
            names == ["token", "token", "usage", "done"]
            and _holds(counted[0], usage)
            and _reason(got) == "stop"
            and _names(failed) == _names(ended) == ["token", "error"]
            and _names(broken) == ["token", "token", "error"]
            and _names(limited) == ["token", "usage", "done"]
            and _reason(limited) == "length"
            and _names(uncounted) == ["token", "token", "done"]
            and not (late or _tells(broken))
            and stops
        ),
        (lambda a: not callable(a), "write async def events_with_usage(chunks)"),
        (lambda _: isinstance(got, Exception), f"it raises {type(got).__name__}"),
        (lambda _: names.count("token") != 2, "send a token for each text, as before"),
        (
            lambda _: counted in ([], [None]),
            "there is no event with the usage; did a later chunk overwrite it?",
        ),
        (lambda _: len(counted) > 1, "send one usage: the other chunks have None"),
        (lambda _: not _holds(counted[0], usage), "its data: chunk.usage_metadata"),
        (lambda _: names.count("done") != 1, "done still says the end, once"),
        (lambda _: names[-1] != "done", "done is the end: the usage comes before it"),
        (lambda _: late, "send each token as its chunk comes, not when all are there"),
        (
            lambda _: isinstance(uncounted, Exception) or "usage" in _names(uncounted),
            "right, but for a model without usage: no chunk has one, send none",
        ),
        (
            lambda _: "done" in _names(ended),
            "right, but for an answer that ends without a reason: that is an error",
        ),
        (
            lambda _: _reason(got) != "stop",
            'right, but for the data of done: {"finish_reason": the model\'s reason}',
        ),
        (
            lambda _: (
                _names(limited) != ["token", "usage", "done"]
                or _reason(limited) != "length"
            ),
            "right, but for the reason length: send the usage, and done with it",
        ),
        (
            lambda _: _tells(broken),
            "right, but an exception's text is for the log, not for the reader",
        ),
        (
            lambda _: not stops,
            "right, but it holds up a cancellation, which is no Exception: let it out",
        ),
        otherwise="right, but for an answer that fails: that ends with error, only",
    )


def _list(events: Events | Exception) -> Events:
    return [] if isinstance(events, Exception) else events


def _names(events: Events | Exception) -> list[str | None]:
    return [name for name, _ in _list(events)]


def _reason(events: Events | Exception) -> object:
    """Return the reason that the last event gives, if any."""
    data = _list(events)[-1][1] if _list(events) else None
    return data.get("finish_reason") if isinstance(data, dict) else None


def _tells(events: Events | Exception) -> bool:
    return any(PRIVATE in str(data) for _, data in _list(events))


def _holds(data: object, usage: dict[str, int]) -> bool:
    return isinstance(data, dict) and usage.items() <= data.items()


def _served(
    answer: object, scripted: dict[str, Any], *, reads: int | None = None
) -> tuple[str | Exception, bool]:
    """Return the text of some reads, or of all, and whether the model stopped early."""
    import httpx2
    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse

    from helpers.models import requests
    from helpers.serving import serve

    client = httpx2.AsyncClient()
    model = model_of_its_own(client, **scripted)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await client.aclose()  # in the loop that its connections belong to

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def endpoint() -> StreamingResponse:
        return StreamingResponse(body)

    try:
        body = cast("Callable[..., AsyncIterator[str]]", answer)(model, "Hi")
        if not isinstance(body, AsyncIterator):
            raise TypeError
        with serve(app, quiet=True) as url:
            with httpx2.stream("GET", url) as response:
                text = "".join(islice(response.iter_text(), reads))
            # While the server runs: at its end, it would stop what still goes on.
            return text, requests()[-1].left_after is not None
    except Exception as error:  # noqa: BLE001  (there is no telling what it does)
        return error, False


async def _events(
    answer: object,
    fault: str | None = None,
    *,
    breaks: bool = False,
    stream_usage: bool = True,
) -> tuple[Events | Exception, bool]:
    """Return the names and data of the events, or what the answer raises.

    And whether it kept the first token back until the model had ended. What `breaks`
    does so at its very end, after the usage.
    """
    import asyncio

    import httpx2
    from openai import OpenAIError

    from helpers.models import script

    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    said = script(tokens=["Hel", "lo"], fault=fault, at=1, pace=0, ttft=0, usage=usage)
    heard = asyncio.Event()
    late = False

    async def chunks() -> AsyncIterator[Any]:
        nonlocal late
        async for chunk in model.astream("Hi"):
            yield chunk
            if chunk.text and not late:
                try:
                    await asyncio.wait_for(heard.wait(), PATIENCE)
                except TimeoutError:
                    late = True
        if breaks:
            raise OpenAIError(f"no connection to {PRIVATE}")

    events: Events = []
    async with httpx2.AsyncClient() as client:
        model = model_of_its_own(client, stream_usage=stream_usage, **said)
        try:
            call = cast("Callable[..., AsyncIterator[ServerSentEvent]]", answer)
            async for event in call(chunks()):
                events.append((event.event, event.data))
                heard.set()
        except Exception as error:  # noqa: BLE001  (there is no telling what it does)
            return error, late
    return events, late


async def _stops(answer: object) -> bool:
    """Return whether a cancellation that comes while the model is silent ends it."""
    import asyncio

    from langchain_core.messages import AIMessageChunk

    async def chunks() -> AsyncIterator[AIMessageChunk]:
        yield AIMessageChunk(content="Hel")
        reading.cancel()
        await asyncio.Event().wait()

    async def read() -> None:
        with suppress(Exception):
            async for _ in call(chunks()):
                pass

    call = cast("Callable[..., AsyncIterator[object]]", answer)
    reading = asyncio.create_task(read())
    await asyncio.wait([reading], timeout=PATIENCE)
    return reading.cancelled()
