"""Hear that the server is to end while its readers are still connected.

Servers tell an app so only when every connection has closed. A stream's connection
closes when its answer has ended: so the answers have to hear it first.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ending_early(
    end: Callable[[], Awaitable[None]],
) -> Iterator[Callable[[], Awaitable[None]]]:
    """Begin `end()` at the signal that ends the server, which gets the signal too.

    Yields a function that waits for that `end()`, having begun it if no signal came:
    it runs once. Outside of the main thread there are no signals.
    """
    loop = asyncio.get_running_loop()
    running: list[asyncio.Future[None]] = []

    def begin() -> asyncio.Future[None]:
        if not running:
            running.append(asyncio.ensure_future(end()))
        return running[0]

    async def ended() -> None:
        await begin()

    before = {each: signal.getsignal(each) for each in _SIGNALS}

    def hear(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin)
        handler = before[signal.Signals(number)]
        assert callable(handler)
        handler(number, frame)

    ours = []
    for each, handler in before.items():
        if callable(handler):
            try:
                signal.signal(each, hear)
            except ValueError:  # not in the main thread
                break
            ours.append(each)
    try:
        yield ended
    finally:
        for each in ours:
            if signal.getsignal(each) is hear:
                signal.signal(each, before[each])
