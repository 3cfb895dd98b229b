"""The floor: a protocol that writes frames made beforehand, and does little else.

It reads no HTTP: whatever comes is a request, and all have the same answer. What it
writes is what the scripted model writes to its first request, byte for byte.
"""

import asyncio
import importlib
import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import cast

from helpers.scripted.frames import DONE, Delta, Frames
from helpers.scripted.lifetime import until_input_ends
from helpers.scripted.limits import allow_many_connections
from helpers.scripted.steps import Step, chunked

from .scenarios import Scenario

AT_ONCE = 64
"""Frames written before other connections get their turn."""


def parts(scenario: Scenario) -> list[bytes]:
    """Return what to write: headers and role; each text; the last one with the end."""
    make = Frames(number=1, model="scripted")
    texts = [make.of(Delta(content=piece)) for piece in scenario.pieces()]
    role, end = Delta(role="assistant", content=""), Delta()
    frames = [make.of(role), *texts, make.of(end, "stop"), DONE]
    steps = [Step(0, b"", "headers"), *(Step(0, frame, "extra") for frame in frames)]
    data = [step.data for step in chunked(iter(steps), 1)]
    return [data[0] + data[1], *data[2:-4], b"".join(data[-4:])]


class Bare(asyncio.Protocol):
    """One connection."""

    def __init__(self, scenario: Scenario, parts: list[bytes]) -> None:
        self._loop = asyncio.get_running_loop()
        self._parts, self._ttft = parts, scenario.ttft
        self._pause = 1 / scenario.pace if scenario.pace else 0.0
        self._paused = False
        self._left: Iterator[bytes] = iter(())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer: `data` is taken to be one whole request."""
        self._left = iter(self._parts)
        self._transport.write(next(self._left))
        self._due = self._loop.time() + self._ttft
        self._loop.call_at(self._due, self._paced if self._pause else self._unpaced)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop."""
        self._left = iter(())

    def pause_writing(self) -> None:
        """Wait: the client reads more slowly than this writes."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on."""
        self._paused = False
        self._unpaced()

    def _paced(self) -> None:
        for data in self._left:
            self._transport.write(data)
            self._due += self._pause
            self._loop.call_at(self._due, self._paced)
            return

    def _unpaced(self) -> None:
        for _ in range(AT_ONCE):
            data = None if self._paused else next(self._left, None)
            if data is None:
                return
            self._transport.write(data)
        self._loop.call_soon(self._unpaced)


async def serve(scenario: Scenario) -> None:
    """Serve until standard input ends; print the base URL first."""
    loop = asyncio.get_running_loop()
    made = parts(scenario)
    server = await loop.create_server(
        lambda: Bare(scenario, made), "127.0.0.1", 0, backlog=4096
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    ended = asyncio.Event()
    until_input_ends(loop, ended)
    await ended.wait()


def main() -> None:
    """Serve the scenario that the command line holds, as JSON."""
    allow_many_connections()
    scenario = Scenario(**json.loads(sys.argv[1]))
    # uvloop, if it is here: the floor has the fastest loop there is.
    loop = importlib.import_module("uvloop" if find_spec("uvloop") else "asyncio")
    loop.run(serve(scenario))


if __name__ == "__main__":
    main()
