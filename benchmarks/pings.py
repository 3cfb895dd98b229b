"""What pings cost: frames by hand, the same with pings and Stop, and fastapi.sse."""

import json
import socket
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from helpers import serve
from helpers.serving.pings import EventStream

from .report import table, target

EVENTS, ROUNDS = 300, 200
MOST, MOST_OF_FASTAPI = 115, 20  # percent


class Timed:
    """An app, and the processor's time that its thread took for each answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.took: list[float] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the thread must have no other."""
        begun = time.thread_time()
        await self.app(scope, receive, send)
        self.took.append(time.thread_time() - begun)


async def frames() -> AsyncIterator[bytes]:
    """Yield the events as fast as they are taken, without a model."""
    for _ in range(EVENTS):
        yield format_sse_event(data_str=json.dumps({"text": " on"}))


def app() -> FastAPI:
    """Return an app that sends the same bytes in three ways."""
    three = FastAPI()

    @three.get("/by-hand")
    async def by_hand() -> StreamingResponse:
        return StreamingResponse(frames(), media_type="text/event-stream")

    @three.get("/with-pings")
    async def with_pings() -> EventStream:
        return EventStream(frames())

    @three.get("/fastapi.sse", response_class=EventSourceResponse)
    async def fastapi_sse():  # type: ignore[no-untyped-def]  # as notebook 06a has it
        for _ in range(EVENTS):
            yield {"text": " on"}

    return three


def run() -> None:
    """Ask for each in turn; print the best times, and their ratios."""
    ways = ("/by-hand", "/with-pings", "/fastapi.sse")
    timed = Timed(app())
    with serve(timed) as url:
        counts = {events_of(url, way) for _ in range(ROUNDS) for way in ways}
    assert counts == {EVENTS}, counts
    *took, _ = timed.took  # the last one is the lifespan
    best = {way: min(took[place :: len(ways)]) for place, way in enumerate(ways)}
    rows = [
        [way[1:], f"{1000 * time:.2f} ms", f"{1e6 * time / EVENTS:.1f} µs"]
        for way, time in best.items()
    ]
    print(f"The server's thread, best of {ROUNDS} answers each, in turn.")
    print(table(["", f"{EVENTS} events", "an event"], rows))
    hand, pings, fastapi = best.values()
    for of, took_it, most in (
        ("by-hand", hand, MOST),
        ("fastapi.sse", fastapi, MOST_OF_FASTAPI),
    ):
        print(
            target(f"with-pings, of {of}", [100 * pings / took_it], most=most, unit="%")
        )


def events_of(url: str, path: str) -> int:
    """Return how many events an answer has; read it as cheaply as can be."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port)) as asking:
        asking.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        answer = b"".join(iter(lambda: asking.recv(65536), b""))
    return answer.count(b"data: {")
